package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Problem is a refusal (RFC 9457): what is wrong, where, and how to mend it.
type Problem struct {
	Title   string   `json:"title"`
	Status  int      `json:"status"`
	Code    string   `json:"code"` // "invalid", "not_found", …; "" when the answer was none of Carillon's
	Detail  string   `json:"detail"`
	Errors  []Field  `json:"errors"`
	Attempt *Attempt `json:"attempt"` // what a destination answered to a verification
}

// Field is one wrong field of a request's document, or one wrong parameter of its query.
type Field struct {
	Pointer   string `json:"pointer"`
	Parameter string `json:"parameter"`
	Detail    string `json:"detail"`
}

// Error spells the problem with all its fields, one a line.
func (p *Problem) Error() string {
	if len(p.Errors) == 0 {
		return p.Detail
	}
	lines := make([]string, 0, len(p.Errors))
	for _, field := range p.Errors {
		at := field.Pointer
		if field.Parameter != "" {
			at = "parameter " + field.Parameter
		}
		if at != "" {
			at += ": "
		}
		lines = append(lines, at+field.Detail)
	}
	return strings.Join(lines, "\n")
}

// Temporary reports whether the same request may succeed later.
func (p *Problem) Temporary() bool {
	return p.Status == http.StatusTooManyRequests || p.Status >= 500
}

// problemOf reads a refusal; an answer that is none of ours (a proxy's page) keeps only its status.
func problemOf(status int, body []byte) *Problem {
	p := &Problem{}
	if err := json.Unmarshal(body, p); err != nil || p.Status == 0 {
		p = &Problem{Detail: fmt.Sprintf("The server answered %d %s, which is no answer of Carillon's: is the address right?", status, http.StatusText(status))}
	}
	p.Status = status
	return p
}

// unreachable is the error of a request that got no answer.
type unreachable struct {
	server string
	err    error
}

// Error names the server; the address of a request holds nothing else of interest.
func (u *unreachable) Error() string {
	err := u.err
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	return fmt.Sprintf("no answer from %s: %v", u.server, err)
}

// Unwrap returns the reason.
func (u *unreachable) Unwrap() error { return u.err }
