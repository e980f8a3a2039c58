package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"carillon/internal/dialect"
	"carillon/internal/fault"
)

// problem is an error as RFC 9457 spells it. Code is our own word for it, for programs; Detail is for people.
type problem struct {
	Type    string       `json:"type"`
	Title   string       `json:"title"`
	Status  int          `json:"status"`
	Code    string       `json:"code"`
	Detail  string       `json:"detail"`
	Errors  []fieldError `json:"errors,omitempty"`
	Attempt *attemptView `json:"attempt,omitempty"` // what a destination answered to a verification
}

// fieldError is one wrong field: at Pointer in the request's document, or in the query parameter Parameter.
type fieldError struct {
	Pointer   string `json:"pointer,omitempty"`
	Parameter string `json:"parameter,omitempty"`
	Detail    string `json:"detail"`
}

// kind is what HTTP makes of a fault's code.
type kind struct {
	status int
	title  string
}

// kinds is the one place where codes become statuses.
var kinds = map[fault.Code]kind{
	fault.Malformed:    {http.StatusBadRequest, "The request can not be read"},
	fault.Invalid:      {http.StatusUnprocessableEntity, "The request is not valid"},
	fault.Unauthorized: {http.StatusUnauthorized, "Credentials are needed"},
	fault.Forbidden:    {http.StatusForbidden, "Not allowed"},
	fault.NotFound:     {http.StatusNotFound, "Not found"},
	fault.Conflict:     {http.StatusConflict, "In conflict with what is there"},
	fault.TooLarge:     {http.StatusRequestEntityTooLarge, "Too large"},
	fault.RateLimited:  {http.StatusTooManyRequests, "Too many requests"},
	fault.Unverified:   {http.StatusUnprocessableEntity, "The destination did not pass the verification"},
	fault.Unavailable:  {http.StatusServiceUnavailable, "Not available right now"},
	fault.Unsupported:  {http.StatusUnprocessableEntity, "Not offered here"},
	fault.Internal:     {http.StatusInternalServerError, "An error of Carillon's own"},
}

// retryAfter is what a caller is told to wait, in seconds, when trying again makes sense.
const retryAfter = 1

// problemOf turns an error into what the caller may know of it. Unknown errors say nothing about themselves.
func problemOf(err error) problem {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		f = fault.New(fault.Internal, "Something went wrong here; the log of the server says what.")
	}
	k, ok := kinds[f.Code]
	if !ok {
		k = kinds[fault.Internal]
	}
	pr := problem{Type: "urn:carillon:problem:" + string(f.Code), Title: k.title, Status: k.status, Code: string(f.Code), Detail: f.Message}
	for _, field := range f.Fields() {
		pr.Errors = append(pr.Errors, errorAt(field))
	}
	pr.Detail = inAll(pr.Detail, pr.Errors)
	if v, ok := errors.AsType[*dialect.VerificationError](err); ok {
		view := viewAttempt(&v.Attempt, whole)
		pr.Attempt = &view
	}
	return pr
}

// inAll says in one sentence what is wrong with which field, for those who read nothing else.
func inAll(detail string, errors []fieldError) string {
	if len(errors) == 0 {
		return detail
	}
	at := errors[0].Pointer
	if name := errors[0].Parameter; name != "" {
		at = "parameter " + name
	}
	if at != "" {
		detail = at + ": " + detail
	}
	switch more := len(errors) - 1; more {
	case 0:
		return detail
	case 1:
		return detail + " One more field is wrong."
	default:
		return fmt.Sprintf("%s %d more fields are wrong.", detail, more)
	}
}

// errorAt tells pointers into the document from query parameters, which faults spell "?name".
func errorAt(f fault.Field) fieldError {
	if name, ok := strings.CutPrefix(f.Pointer, "?"); ok {
		return fieldError{Parameter: name, Detail: f.Message}
	}
	return fieldError{Pointer: f.Pointer, Detail: f.Message}
}

// refuse answers with a problem, and logs what is our own fault: once, here.
func refuse(ctx context.Context, log *slog.Logger, w http.ResponseWriter, err error) {
	pr := problemOf(err)
	switch pr.Status {
	case http.StatusInternalServerError:
		log.ErrorContext(ctx, "request failed", "error", err)
	case http.StatusServiceUnavailable:
		log.WarnContext(ctx, "request not served", "error", err)
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	writeProblem(w, pr)
}

func writeProblem(w http.ResponseWriter, pr problem) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(pr) // of strings and numbers: it can not fail
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(pr.Status)
	_, _ = w.Write(body.Bytes())
}
