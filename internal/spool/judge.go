package spool

import "carillon/internal/fault"

// verdict is what an attempt's error means for its events.
type verdict int

const (
	accepted verdict = iota
	again            // the server or the way to it is away: try again
	later            // not with these rights, or not before something is set up: leave it to a later process
	never            // these events can not be accepted, ever
)

func judge(err error) verdict {
	if err == nil {
		return accepted
	}
	switch fault.CodeOf(err) {
	case fault.Malformed, fault.Invalid, fault.TooLarge, fault.Conflict, fault.Unsupported:
		return never
	case fault.Unauthorized, fault.Forbidden, fault.NotFound:
		return later
	}
	return again
}
