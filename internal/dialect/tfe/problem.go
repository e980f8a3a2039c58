package tfe

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/fault"
)

// problem is one JSON:API error. Its status is a string: with a number clients lose the rest (§8).
type problem struct {
	Status string         `json:"status"`
	Title  string         `json:"title"`
	Detail string         `json:"detail,omitempty"`
	Source *problemSource `json:"source,omitempty"`
}

type problemSource struct {
	Pointer string `json:"pointer"`
}

// problems are what is wrong with a request, all at once; it is an error when it is not empty.
type problems []problem

// Error lists the details for the log.
func (p problems) Error() string {
	var texts []string
	for _, each := range p {
		text := each.Title
		if each.Detail != "" {
			text += ": " + each.Detail
		}
		texts = append(texts, text)
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

func (p problems) document() any {
	return struct {
		Errors problems `json:"errors"`
	}{p}
}

// invalid notes a wrong attribute, in the platform's style: the attribute's name and a phrase (§5.5).
func (p *problems) invalid(attribute, phrase string) {
	p.at("/data/attributes/"+attribute, humanized(attribute)+" "+phrase)
}

// at notes what is wrong at a place of the document.
func (p *problems) at(pointer, detail string) {
	*p = append(*p, problem{Status: "422", Title: "invalid attribute", Detail: detail, Source: &problemSource{pointer}})
}

// humanized is an attribute's name as the platform writes it for people.
func humanized(attribute string) string {
	text := strings.NewReplacer("-", " ", "_", " ").Replace(attribute)
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// Problems that never vary.
var (
	notFound     = problems{{Status: "404", Title: "not found"}}
	unauthorized = problems{{Status: "401", Title: "unauthorized"}}
	malformed    = problems{{
		Status: "422", Title: "invalid request body", Detail: "The request body is not a valid JSON:API document",
		Source: &problemSource{"/data"},
	}}
)

// problemsOf turns any error into problems (§5.6). What the caller may not do does not exist for it.
func problemsOf(err error) problems {
	if list, ok := errors.AsType[problems](err); ok {
		return list
	}
	if _, ok := errors.AsType[*limitError](err); ok {
		return problems{{Status: "429", Title: "Too many requests", Detail: "You have exceeded the API's rate limit."}}
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return problems{{Status: "413", Title: "payload too large", Detail: "The request body is too large"}}
	}
	switch fault.CodeOf(err) {
	case fault.NotFound, fault.Forbidden, fault.Unsupported:
		return notFound
	case fault.Unauthorized:
		return unauthorized
	case fault.Malformed:
		return malformed
	case fault.Unverified:
		return problems{{Status: "400", Title: "bad request", Detail: verificationFailure(err)}}
	case fault.Invalid, fault.Conflict, fault.TooLarge:
		return faultFields(err)
	case fault.RateLimited:
		return problems{{Status: "429", Title: "Too many requests", Detail: "You have exceeded the API's rate limit."}}
	case fault.Unavailable:
		return problems{{Status: "503", Title: "service unavailable"}}
	}
	return problems{{Status: "500", Title: "internal server error"}}
}

// faultFields words the faults that the services found.
func faultFields(err error) problems {
	f, _ := errors.AsType[*fault.Error](err)
	var list problems
	for _, field := range f.Fields() {
		attribute := strings.ReplaceAll(strings.TrimPrefix(field.Pointer, "/"), "_", "-")
		switch {
		case attribute == "name" && f.Code == fault.Conflict:
			list.invalid("name", "has already been taken")
		case attribute == "url":
			list.invalid("url", "is not allowed")
		case attribute == "":
			list.at("/data", field.Message)
		default:
			list.invalid(attribute, "is invalid: "+field.Message)
		}
	}
	if len(list) == 0 {
		list.at("/data", f.Message)
	}
	return list
}

// verificationFailure says how a destination answered a verification, or why it did not (§5.6).
func verificationFailure(err error) string {
	failed, ok := errors.AsType[*dialect.VerificationError](err)
	if !ok {
		return "Verification failed: " + noAnswer("")
	}
	if result := failed.Attempt.Result; result.Class == delivery.ClassAnswered {
		return "Verification failed with a code of " + strconv.Itoa(result.Status)
	}
	return "Verification failed: " + noAnswer(failed.Attempt.Result.Class)
}

// noAnswer words the reasons for an attempt without an answer.
func noAnswer(class delivery.Class) string {
	switch class {
	case delivery.ClassDNS:
		return "host not found"
	case delivery.ClassRefused:
		return "connection refused"
	case delivery.ClassTimeout:
		return "connection timed out"
	case delivery.ClassTLS:
		return "TLS handshake failed"
	case delivery.ClassForbidden:
		return "address not allowed"
	}
	return "connection closed"
}
