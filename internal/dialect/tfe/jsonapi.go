package tfe

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// document is a JSON:API document.
type document struct {
	Data     any        `json:"data"`
	Included []resource `json:"included,omitempty"`
	Links    any        `json:"links,omitempty"`
	Meta     any        `json:"meta,omitempty"`
}

// resource is one object of a document.
type resource struct {
	ID            string                  `json:"id"`
	Type          string                  `json:"type"`
	Attributes    any                     `json:"attributes,omitempty"`
	Relationships map[string]relationship `json:"relationships,omitempty"`
	Links         map[string]string       `json:"links,omitempty"`
}

// relationship points at one object, or at many.
type relationship struct {
	Data any `json:"data"`
}

// identifier names an object.
type identifier struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

func toOne(kind, id string) relationship { return relationship{identifier{ID: id, Type: kind}} }

// toMany never renders null: clients compare empty with empty (§8).
func toMany(kind string, ids ...string) relationship {
	list := make([]identifier, 0, len(ids))
	for _, id := range ids {
		list = append(list, identifier{ID: id, Type: kind})
	}
	return relationship{list}
}

// single is a document of one resource.
func single(r resource) document { return document{Data: r} }

// input is a document that a client sent.
type input struct {
	Type          string                       `json:"type"`
	Attributes    map[string]json.RawMessage   `json:"attributes"`
	Relationships map[string]inputRelationship `json:"relationships"`
}

type inputRelationship struct {
	Data json.RawMessage `json:"data"`
}

// read reads the request's document. It has no media type to check: some clients send none (§5.2). A type that is left out
// is the only one that fits.
func (c *call) read(types ...string) (*input, error) {
	body, err := c.body()
	if err != nil {
		return nil, err
	}
	return parseDocument(body, types...)
}

// parseDocument is read for bytes.
func parseDocument(body []byte, types ...string) (*input, error) {
	var doc struct {
		Data *input `json:"data"`
	}
	if err := json.Unmarshal(body, &doc); err != nil || doc.Data == nil {
		return nil, malformed
	}
	for _, each := range append(types, "") {
		if doc.Data.Type == each {
			return doc.Data, nil
		}
	}
	var list problems
	list.at("/data/type", "Type is invalid")
	return nil, list
}

// readIdentifiers reads a document that holds a list of identifiers.
func (c *call) readIdentifiers() ([]identifier, error) {
	body, err := c.body()
	if err != nil {
		return nil, err
	}
	var doc struct {
		Data []identifier `json:"data"`
	}
	if err := json.Unmarshal(body, &doc); err != nil || doc.Data == nil {
		return nil, malformed
	}
	return doc.Data, nil
}

func (c *call) body() ([]byte, error) {
	body, err := io.ReadAll(c.request.Body)
	if err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return nil, err
		}
		return nil, malformed // the client went away in the middle
	}
	return body, nil
}

// one reads a relationship to one object, "" without it.
func (in *input) one(name string) (id string, err error) {
	var target *identifier
	if !in.related(name, &target) {
		return "", malformed
	}
	if target == nil {
		return "", nil
	}
	return target.ID, nil
}

// many reads a relationship to several objects; there says whether it was sent with data.
func (in *input) many(name string) (targets []identifier, there bool, err error) {
	if !in.related(name, &targets) {
		return nil, false, malformed
	}
	return targets, len(in.Relationships[name].Data) > 0, nil
}

// related decodes a relationship's data, and reports false for the wrong shape.
func (in *input) related(name string, target any) bool {
	raw := in.Relationships[name].Data
	return len(raw) == 0 || json.Unmarshal(raw, target) == nil
}

// isNull reports whether an attribute is there and null.
func (in *input) isNull(name string) bool { return string(in.Attributes[name]) == "null" }

// has reports whether an attribute was sent, null included.
func (in *input) has(name string) bool { return in.Attributes[name] != nil }

// take decodes an attribute where it was sent and is not null, and reports false for the wrong type.
func (in *input) take(name string, target any) bool {
	raw := in.Attributes[name]
	return raw == nil || string(raw) == "null" || json.Unmarshal(raw, target) == nil
}

// Forms of time in documents (§5.3, §8).
const zoned = "2006-01-02T15:04:05+00:00"

func milli(t time.Time) string { return t.UTC().Format(millisUTC) }
