package pulumi

import (
	"errors"
	"fmt"
	"net/http"

	"carillon/internal/fault"
)

// problem is the platform's error body (§5.5). Code is the HTTP status, which clients read into a Go int.
type problem struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// Error is the message for the log.
func (p *problem) Error() string { return p.Message }

// newProblem words a problem as the platform does: the status' text, then a sentence.
func newProblem(status int, format string, args ...any) *problem {
	return &problem{status, http.StatusText(status) + ": " + fmt.Sprintf(format, args...)}
}

func badRequest(format string, args ...any) *problem {
	return newProblem(http.StatusBadRequest, format, args...)
}

func notFound(format string, args ...any) *problem {
	return newProblem(http.StatusNotFound, format, args...)
}

// Problems that never vary.
var (
	unauthorized = newProblem(http.StatusUnauthorized, "No credentials provided or are invalid.")
	malformed    = badRequest("request body is not valid JSON.")
	notAllowed   = newProblem(http.StatusMethodNotAllowed, "this path does not take the method.")
	internal     = newProblem(http.StatusInternalServerError, "something went wrong here; the server's log says what.")
)

// problemOf turns any error into a problem.
func problemOf(err error) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return newProblem(http.StatusRequestEntityTooLarge, "the request body is too large.")
	}
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return internal
	}
	switch f.Code {
	case fault.Unauthorized:
		return unauthorized
	case fault.Forbidden:
		return newProblem(http.StatusForbidden, "%s", f.Message)
	case fault.NotFound, fault.Unsupported:
		return notFound("%s", f.Message)
	case fault.Malformed:
		return malformed
	case fault.Invalid:
		return invalid(f)
	case fault.Conflict:
		return newProblem(http.StatusConflict, "%s", f.Message)
	case fault.TooLarge:
		return newProblem(http.StatusRequestEntityTooLarge, "%s", f.Message)
	case fault.RateLimited:
		return newProblem(http.StatusTooManyRequests, "%s", f.Message)
	case fault.Unavailable:
		return newProblem(http.StatusServiceUnavailable, "%s", f.Message)
	}
	return internal
}

// invalid words what the services found wrong. That an address is forbidden is told with the reason.
func invalid(f *fault.Error) *problem {
	fields := f.Fields()
	if len(fields) == 0 {
		return badRequest("%s", f.Message)
	}
	switch field := fields[0]; field.Pointer {
	case "/url":
		return badRequest("Invalid payload URL provided: %s", field.Message)
	case "/secret":
		return badRequest("Invalid secret provided")
	case "/name":
		return badRequest("Invalid display name provided: %s", field.Message)
	default:
		return badRequest("%s", field.Message)
	}
}
