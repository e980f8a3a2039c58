package tfe

import (
	"context"
	"encoding/json"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
)

// getter is the reading half of dialect.Collection.
type getter[T any] interface {
	Get(ctx context.Context, p estate.Principal, ref estate.Ref) (T, error)
}

// find returns the object that an identifier names: one of ours, or one that it was given (§6). Whatever is malformed
// names nothing (§5.1).
func find[T any](c *call, from getter[T], ids ident.Codec, text string) (T, error) {
	if id, issued := ids.Decode(text); issued {
		object, err := from.Get(c, c.who, estate.ByID(id))
		if !fault.Is(err, fault.NotFound) {
			return object, err
		}
	}
	if text == "" {
		var none T
		return none, notFound
	}
	return from.Get(c, c.who, estate.ByAlias(Name, text))
}

// external returns an object's identifier.
func external(o *estate.Common, ids ident.Codec) string {
	return dialect.ExternalID(Name, o.ExternalIDs, ids, o.ID)
}

// attributeSet is a resource's attributes in layers: the platform's defaults, what a client sent, what is known.
type attributeSet map[string]any

// attributesOf lays what clients sent for an object over the defaults. A null counts where no default is.
func attributesOf(o *estate.Common, defaults attributeSet) attributeSet {
	set := attributeSet{}
	for name, value := range defaults {
		set[name] = value
	}
	for name, value := range sent(o) {
		if _, defaulted := set[name]; !defaulted || string(value) != "null" {
			set[name] = value
		}
	}
	return set
}

// sent returns what clients sent for an object.
func sent(o *estate.Common) map[string]json.RawMessage {
	var kept map[string]json.RawMessage
	if raw := o.Extra[Name]; len(raw) > 0 && json.Unmarshal(raw, &kept) != nil {
		return nil
	}
	return kept
}

// keep stores what a client sent beside what it sent before, so that every attribute is echoed (§6).
func keep(o *estate.Common, in *input) error {
	kept := sent(o)
	if kept == nil {
		kept = map[string]json.RawMessage{}
	}
	for name, value := range in.Attributes {
		kept[name] = value
	}
	raw, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	extra := map[string]json.RawMessage{}
	for name, value := range o.Extra {
		extra[name] = value
	}
	extra[Name] = raw
	o.Extra = extra
	return nil
}

// with adds what is known and returns the set.
func (s attributeSet) with(more attributeSet) attributeSet {
	for name, value := range more {
		s[name] = value
	}
	return s
}

// name reads the name of an object that is created or renamed.
func (in *input) name(o *estate.Common, list *problems) {
	if !in.has("name") && o.Name != "" {
		return
	}
	var name string
	switch {
	case !in.take("name", &name):
		list.invalid("name", "is invalid")
	case blank(name):
		list.invalid("name", "can't be blank")
	case tooLong(name):
		list.invalid("name", "is too long (maximum is 255 characters)")
	default:
		o.Name = name
	}
}

// text reads an attribute that is a string; null clears it.
func (in *input) text(name string, into *string, list *problems) {
	if in.isNull(name) {
		*into = ""
	}
	if !in.take(name, into) {
		list.invalid(name, "is invalid")
	}
}
