package event

import (
	"errors"
	"strconv"

	"carillon/internal/fault"
	"carillon/internal/strict"
)

// The readers know which fields an event has; they never change.
var (
	single = strict.For[Event]()
	batch  = strict.For[[]Event]()
)

// Parse reads one event as /v1 takes it: a JSON object without unknown fields, wrong types or missing parts, and without
// what only Carillon gives (identifiers, the time of acceptance). The error is a *fault.Error that points at every fault.
func Parse(body []byte) (Event, error) {
	e, err := single.Read(body)
	if err != nil {
		return Event{}, asFault(err)
	}
	var c checker
	c.incoming(&e)
	if err := c.Err(); err != nil {
		return Event{}, err
	}
	e.normalize()
	return e, nil
}

// ParseBatch reads a JSON array of events. One faulty event refuses the batch; the pointers begin with its position.
func ParseBatch(body []byte) ([]Event, error) {
	events, err := batch.Read(body)
	if err != nil {
		return nil, asFault(err)
	}
	switch {
	case len(events) == 0:
		return nil, fault.At("", "The batch holds no event.")
	case len(events) > MaxBatch:
		return nil, fault.New(fault.TooLarge, "The batch holds %d events, at most %d are taken at once; send the rest in further "+
			"requests, or all of them as application/x-ndjson.", len(events), MaxBatch)
	}
	var c checker
	for i := range events {
		c.prefix = "/" + strconv.Itoa(i)
		c.incoming(&events[i])
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	for i := range events {
		events[i].normalize()
	}
	return events, nil
}

// asFault turns what the strict reader found into a fault.
func asFault(err error) error {
	found, ok := errors.AsType[*strict.Error](err)
	if !ok || len(found.Problems) == 0 {
		return err
	}
	first := found.Problems[0]
	if found.Malformed {
		return fault.New(fault.Malformed, "%s", first.Message)
	}
	f := fault.At(first.Pointer, "%s", first.Message)
	for _, p := range found.Problems[1:] {
		f.More = append(f.More, fault.Field(p))
	}
	return f
}

// incoming checks an event that comes from outside: its content, and that it gives nothing that is Carillon's to give.
func (c *checker) incoming(e *Event) {
	c.event(e)
	const ours = "Is given by Carillon; leave it out."
	c.refuse(e.ID != 0, "/id", ours)
	c.refuse(!e.AcceptedAt.IsZero(), "/accepted_at", ours)
	c.refuse(e.Kind == KindNotifier, "/kind", "Events of this kind are Carillon's own; send one of another kind.")
	c.refuse(e.Organization.ID != 0, "/organization/id", "Is given by Carillon; name the organization by its name.")
	c.refuse(e.Project != nil && e.Project.ID != 0, "/project/id", "Is given by Carillon; name the project by its name.")
	c.refuse(e.Workspace != nil && e.Workspace.ID != 0, "/workspace/id", "Is given by Carillon; name the workspace by its name.")
	for i := range e.Teams {
		c.refuse(e.Teams[i].ID != 0, "/teams/"+strconv.Itoa(i)+"/id", "Is given by Carillon; name the team by its name.")
	}
	c.refuse(e.Source.ID != 0, "/source/id", ours)
	c.refuse(len(e.Numbers) > 0, "/numbers", ours)
	if e.Run != nil {
		c.refuse(e.Run.ID != 0, "/run/id", `Is given by Carillon; name the run by "source_id".`)
		c.refuse(e.Run.Sequence != 0 && !e.Run.Sequenced, "/run/sequence",
			`Is counted by Carillon; leave it out, or set "sequenced" when the source itself counts the run's steps.`)
		c.refuse(e.Run.Steps != nil, "/run/steps", ours)
	}
}
