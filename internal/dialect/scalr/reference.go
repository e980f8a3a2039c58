package scalr

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

// find returns the object that an identifier names: one of ours, or one that it was given. Its prefix is not checked:
// whatever is malformed names nothing (§5.1).
func find[T any](c *call, from getter[T], ids ident.Codec, text string) (T, error) {
	if id, issued := ids.Decode(text); issued {
		object, err := from.Get(c, c.who, estate.ByID(id))
		if !fault.Is(err, fault.NotFound) {
			return object, err
		}
	}
	if text == "" {
		var none T
		return none, fault.Missing("object", text)
	}
	return from.Get(c, c.who, estate.ByAlias(Name, text))
}

// idOf returns an object's identifier.
func idOf(o *estate.Common, ids ident.Codec) string {
	return dialect.ExternalID(Name, o.ExternalIDs, ids, o.ID)
}

// named returns the identifier of an object that another one refers to. Relations name, they do not show: so it does not
// matter whether the principal may see the object, nor whether it is still there.
func named[T any](c *call, from getter[T], ids ident.Codec, id ident.ID, common func(*T) *estate.Common) (string, error) {
	if id == 0 {
		return "", nil
	}
	if known, ok := c.names[id]; ok {
		return known, nil
	}
	object, err := from.Get(c, estate.System(), estate.ByID(id))
	switch {
	case err == nil:
		c.names[id] = idOf(common(&object), ids)
	case fault.Is(err, fault.NotFound):
		c.names[id] = ids.Encode(id)
	default:
		return "", err
	}
	return c.names[id], nil
}

func (c *call) accountID(id ident.ID) (string, error) {
	return named(c, c.Organizations, accountIDs, id, func(o *estate.Organization) *estate.Common { return &o.Common })
}

func (c *call) environmentID(id ident.ID) (string, error) {
	return named(c, c.Projects, environmentIDs, id, func(o *estate.Project) *estate.Common { return &o.Common })
}

func (c *call) workspaceID(id ident.ID) (string, error) {
	return named(c, c.Workspaces, workspaceIDs, id, func(o *estate.Workspace) *estate.Common { return &o.Common })
}

// extra is what this dialect keeps of an object beside the estate's own fields.
type extra struct {
	Attributes    map[string]json.RawMessage `json:"attributes,omitempty"`
	Relationships map[string]json.RawMessage `json:"relationships,omitempty"`
	CreatedBy     ident.ID                   `json:"created_by,omitzero"`
}

func extraOf(o *estate.Common) extra {
	var kept extra
	if raw := o.Extra[Name]; len(raw) > 0 && json.Unmarshal(raw, &kept) != nil {
		return extra{}
	}
	return kept
}

// keep stores what a client sent beside what it sent before, so that all of it is echoed (§6). Of the relationships only
// the named ones are kept.
func keep(o *estate.Common, in *input, relationships ...string) error {
	kept := extraOf(o)
	if kept.Attributes == nil {
		kept.Attributes = map[string]json.RawMessage{}
	}
	for name, value := range in.Attributes {
		kept.Attributes[name] = value
	}
	for _, name := range relationships {
		if !in.related(name) {
			continue
		}
		if kept.Relationships == nil {
			kept.Relationships = map[string]json.RawMessage{}
		}
		kept.Relationships[name] = in.Relationships[name].Data
	}
	return put(o, kept)
}

func put(o *estate.Common, kept extra) error {
	raw, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	all := map[string]json.RawMessage{}
	for name, value := range o.Extra {
		all[name] = value
	}
	all[Name] = raw
	o.Extra = all
	return nil
}

// attributeSet is a resource's attributes in layers: the platform's defaults, what a client sent, what is known.
type attributeSet map[string]any

// attributesOf lays what clients sent for an object over the defaults. A null counts where no default is.
func attributesOf(o *estate.Common, defaults attributeSet) attributeSet {
	set := attributeSet{}
	for name, value := range defaults {
		set[name] = value
	}
	for name, value := range extraOf(o).Attributes {
		if known, defaulted := set[name]; !defaulted || known == nil || string(value) != "null" {
			set[name] = value
		}
	}
	return set
}

// with adds what is known and returns the set.
func (s attributeSet) with(more attributeSet) attributeSet {
	for name, value := range more {
		s[name] = value
	}
	return s
}

// relationsOf lays the relationships that clients sent for an object over the defaults.
func relationsOf(o *estate.Common, defaults map[string]relationship) map[string]relationship {
	for name, data := range extraOf(o).Relationships {
		if _, known := defaults[name]; known && string(data) != "null" {
			defaults[name] = relationship{data}
		}
	}
	return defaults
}
