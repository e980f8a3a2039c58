package scalr

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// apiTime is the form of times in documents. One of the clients refuses any other zone (§8).
const apiTime = "2006-01-02T15:04:05Z"

func timeText(t time.Time) string { return t.UTC().Format(apiTime) }

// document is a JSON:API document. Included is always there, and empty unless something was asked for: a client takes
// what it finds there for its own object (§5.1).
type document struct {
	Data     any        `json:"data"`
	Included []resource `json:"included"`
	Links    any        `json:"links,omitempty"`
	Meta     any        `json:"meta,omitempty"`
}

// resource is one object of a document.
type resource struct {
	ID            string                  `json:"id"`
	Type          string                  `json:"type"`
	Attributes    any                     `json:"attributes"`
	Relationships map[string]relationship `json:"relationships"`
	Links         any                     `json:"links,omitempty"`
}

type selfLink struct {
	Self string `json:"self"`
}

// relationship points at one object, at many, or at none.
type relationship struct {
	Data any `json:"data"`
}

// identifier names an object.
type identifier struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// toOne points at an object, at none without an identifier.
func toOne(kind, id string) relationship {
	if id == "" {
		return relationship{}
	}
	return relationship{identifier{Type: kind, ID: id}}
}

func toMany(kind string, ids []string) relationship {
	list := make([]identifier, 0, len(ids))
	for _, id := range ids {
		list = append(list, identifier{Type: kind, ID: id})
	}
	return relationship{list}
}

// input is a document that a client sent. The identifier in it is not looked at: the path says which object is meant.
type input struct {
	Type          string                       `json:"type"`
	Attributes    map[string]json.RawMessage   `json:"attributes"`
	Relationships map[string]inputRelationship `json:"relationships"`
}

type inputRelationship struct {
	Data json.RawMessage `json:"data"`
}

// read reads the request's document. Its media type does not matter (§5.1); a type that is left out is the one that fits.
func (c *call) read(kind string) (*input, error) {
	body, err := io.ReadAll(c.request.Body)
	if err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return nil, err
		}
		return nil, badRequest("The body could not be read.")
	}
	var doc struct {
		Data *input `json:"data"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return nil, badRequest("The body is not a JSON:API document.")
	}
	switch {
	case doc.Data == nil:
		return nil, badRequest("The document has no data.")
	case doc.Data.Type != "" && doc.Data.Type != kind:
		return nil, conflict("The type of the resource must be '"+kind+"'.", "/data/type")
	}
	return doc.Data, nil
}

// has reports whether an attribute was sent, null included.
func (in *input) has(name string) bool { return in.Attributes[name] != nil }

// isNull reports whether an attribute is there and null.
func (in *input) isNull(name string) bool { return string(in.Attributes[name]) == "null" }

// take decodes an attribute where it was sent and is not null, and reports false for the wrong type.
func (in *input) take(name string, target any) bool {
	raw := in.Attributes[name]
	return raw == nil || string(raw) == "null" || json.Unmarshal(raw, target) == nil
}

// related reports whether a relationship was sent with data, null included.
func (in *input) related(name string) bool { return len(in.Relationships[name].Data) > 0 }

// one reads a relationship to one object, "" for none.
func (in *input) one(name string) (id string, err error) {
	var target *identifier
	if raw := in.Relationships[name].Data; len(raw) > 0 && json.Unmarshal(raw, &target) != nil {
		return "", badRequest("The relationship '" + name + "' must name one object.")
	}
	if target == nil {
		return "", nil
	}
	return target.ID, nil
}

// many reads a relationship to several objects, without repetitions.
func (in *input) many(name string) (ids []string, err error) {
	var targets []identifier
	if raw := in.Relationships[name].Data; len(raw) > 0 && json.Unmarshal(raw, &targets) != nil {
		return nil, badRequest("The relationship '" + name + "' must name a list of objects.")
	}
	seen := map[string]bool{}
	for _, target := range targets {
		if !seen[target.ID] {
			ids = append(ids, target.ID)
		}
		seen[target.ID] = true
	}
	return ids, nil
}
