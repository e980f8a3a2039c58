package scalr

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"carillon/internal/fault"
)

// problem is one JSON:API error. Its status is a string: one of the clients can not read a number (§5.2).
type problem struct {
	Status string         `json:"status"`
	Title  string         `json:"title"`
	Detail string         `json:"detail,omitempty"`
	Source *problemSource `json:"source,omitempty"`
}

type problemSource struct {
	Pointer   string `json:"pointer,omitempty"`
	Parameter string `json:"parameter,omitempty"`
}

// problems are what is wrong with a request, all at once; it is an error when it is not empty.
type problems []problem

// Error lists the details for the log.
func (p problems) Error() string {
	var texts []string
	for _, each := range p {
		texts = append(texts, strings.TrimSpace(each.Title+" "+each.Detail))
	}
	return strings.Join(texts, "; ")
}

// err returns nil where nothing is wrong.
func (p problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

func (p problems) status() int {
	status, err := strconv.Atoi(p[0].Status)
	if err != nil {
		return http.StatusInternalServerError
	}
	return status
}

// document spells the problems. A client passes the texts through a format function, so that no percent sign may be in
// them (§8).
func (p problems) document() any {
	clean := make(problems, len(p))
	for i, each := range p {
		each.Title, each.Detail = strings.ReplaceAll(each.Title, "%", ""), strings.ReplaceAll(each.Detail, "%", "")
		clean[i] = each
	}
	return struct {
		Errors problems `json:"errors"`
	}{clean}
}

// invalid notes a wrong attribute (§5.2).
func (p *problems) invalid(attribute, detail string) {
	*p = append(*p, problem{Status: "422", Title: "Invalid Attribute", Detail: detail, Source: &problemSource{Pointer: "/data/attributes/" + attribute}})
}

// unrelated notes a relation that is not allowed.
func (p *problems) unrelated(relationship, detail string) {
	*p = append(*p, problem{Status: "422", Title: "Invalid Relationship", Detail: detail, Source: &problemSource{Pointer: "/data/relationships/" + relationship}})
}

// absent is the sentence about an object that is not there or not to be seen.
func absent(noun, id string) string {
	return noun + " with ID '" + id + "' not found or user unauthorized."
}

// missing is the answer for an object that is unknown or not permitted: neither detail nor pointer (§5.2).
func missing(noun, id string) problems { return problems{{Status: "404", Title: absent(noun, id)}} }

// missingOne is the answer for an unknown to-one relation.
func missingOne(relationship, noun, id string) problems {
	return problems{{
		Status: "404", Title: "Invalid Relationship", Detail: absent(noun, id), Source: &problemSource{Pointer: "/data/relationships/" + relationship},
	}}
}

// missingMember is the answer for an unknown member of a to-many relation.
func missingMember(relationship, id string) problems {
	return problems{{
		Status: "404", Title: "Invalid Relationship", Detail: absent("Relationship '"+relationship+"'", id),
		Source: &problemSource{Pointer: "/data/relationships/" + relationship},
	}}
}

func conflict(detail, pointer string) problems {
	p := problem{Status: "409", Title: "Conflict", Detail: detail}
	if pointer != "" {
		p.Source = &problemSource{Pointer: pointer}
	}
	return problems{p}
}

func badRequest(detail string) problems {
	return problems{{Status: "400", Title: "Bad Request", Detail: detail}}
}

func badParameter(parameter, detail string) problems {
	return problems{{Status: "400", Title: "Invalid Query Parameter", Detail: detail, Source: &problemSource{Parameter: parameter}}}
}

// unseen reports whether an error says that somebody may not see or do something: the answer is as for what is not there
// (§5.2).
func unseen(err error) bool {
	return fault.Is(err, fault.NotFound) || fault.Is(err, fault.Forbidden)
}

// seenAs words what may not be seen as the object that was asked for.
func seenAs(err error, noun, id string) error {
	if unseen(err) {
		return missing(noun, id)
	}
	return err
}

// problemsOf turns any error into problems.
func problemsOf(err error) problems {
	if list, ok := errors.AsType[problems](err); ok {
		return list
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return problems{{Status: "413", Title: "Request too large"}}
	}
	f, _ := errors.AsType[*fault.Error](err)
	switch fault.CodeOf(err) {
	case fault.NotFound, fault.Forbidden, fault.Unsupported:
		return problems{{Status: "404", Title: "Resource not found or user unauthorized."}}
	case fault.Unauthorized:
		return problems{{Status: "401", Title: "Unauthorized"}}
	case fault.Malformed:
		return badRequest(f.Message)
	case fault.TooLarge:
		return problems{{Status: "413", Title: "Request too large"}}
	case fault.Conflict:
		if f.Field != "/name" {
			return conflict(f.Message, "")
		}
		var list problems
		list.invalid("name", "Name has already been taken.")
		return list
	case fault.Invalid, fault.Unverified:
		return faultFields(f)
	case fault.RateLimited:
		return problems{{Status: "429", Title: "Too Many Requests"}}
	case fault.Unavailable:
		return problems{{Status: "503", Title: "Service Unavailable"}}
	}
	return problems{{Status: "500", Title: "Internal Server Error"}}
}

// faultFields words the faults that the services found.
func faultFields(f *fault.Error) problems {
	var list problems
	for _, field := range f.Fields() {
		list.invalid(strings.ReplaceAll(strings.TrimPrefix(field.Pointer, "/"), "_", "-"), field.Message)
	}
	if len(list) == 0 {
		list = problems{{Status: "422", Title: "Invalid Attribute", Detail: f.Message}}
	}
	return list
}
