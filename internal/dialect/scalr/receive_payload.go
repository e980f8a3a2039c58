package scalr

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"time"

	"carillon/internal/event"
	"carillon/internal/fault"
)

// payload is a received body of either generation, its members spelled with underscores. What is missing is empty.
type payload struct {
	Event       string
	Run         payloadRun
	Webhook     payloadObject
	Workspace   payloadObject
	Environment payloadObject
	Variables   map[string]string
}

type payloadRun struct {
	ID, Message, Status, Source, URL string
	CreatedAt, UpdatedAt             string
	CreatedBy                        payloadActor
}

type payloadActor struct{ ID, Username, Email string }

type payloadObject struct{ ID, Name, URL string }

// members are an object's members by their names with underscores. Values of another type than expected count as absent:
// the platform's payloads are known from examples alone.
type members map[string]json.RawMessage

// parsePayload reads exactly one JSON object; an event name and a run's identifier are required (§9).
func parsePayload(body []byte) (*payload, error) {
	var raw map[string]json.RawMessage
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&raw); err != nil || raw == nil {
		return nil, fault.New(fault.Malformed, "The body is not a JSON object.")
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fault.New(fault.Malformed, "There is something behind the JSON object of the body.")
	}
	m := fold(raw)
	run := m.object("run")
	creator := run.object("created_by")
	p := &payload{
		Event: m.text("event_name"),
		Run: payloadRun{
			ID: run.text("id"), Message: run.text("message"), Status: run.text("status"), Source: run.text("source"), URL: run.text("url"),
			CreatedAt: run.text("created_at"), UpdatedAt: run.text("updated_at"),
			CreatedBy: payloadActor{ID: creator.text("id"), Username: creator.text("username"), Email: creator.text("email")},
		},
		Webhook: m.object("webhook").place(), Workspace: m.object("workspace").place(), Environment: m.object("environment").place(),
		Variables: m.variables(),
	}
	switch {
	case p.Event == "":
		return nil, fault.At("/event_name", "Is missing.")
	case p.Run.ID == "":
		return nil, fault.At("/run/id", "Is missing.")
	}
	return p, nil
}

// fold spells names with underscores; where both spellings are there the plain one counts.
func fold(raw map[string]json.RawMessage) members {
	folded := make(members, len(raw))
	for name, value := range raw {
		plain := strings.ReplaceAll(name, "-", "_")
		if _, both := raw[plain]; both && plain != name {
			continue
		}
		folded[plain] = value
	}
	return folded
}

func (m members) text(name string) string {
	var text string
	if json.Unmarshal(m[name], &text) != nil {
		return ""
	}
	return text
}

func (m members) object(name string) members {
	var raw map[string]json.RawMessage
	if json.Unmarshal(m[name], &raw) != nil {
		return nil
	}
	return fold(raw)
}

func (m members) place() payloadObject {
	return payloadObject{ID: m.text("id"), Name: m.text("name"), URL: m.text("url")}
}

// variables keep the names that people gave them; a value that is not a string is kept as its JSON text.
func (m members) variables() map[string]string {
	var raw map[string]json.RawMessage
	if json.Unmarshal(m["variables"], &raw) != nil || len(raw) == 0 {
		return nil
	}
	all := make(map[string]string, len(raw))
	for name, value := range raw {
		var text string
		if json.Unmarshal(value, &text) != nil || string(value) == "null" {
			var compact bytes.Buffer
			if json.Compact(&compact, value) != nil {
				continue
			}
			text = compact.String()
		}
		all[name] = text
	}
	return all
}

// wordShape is what a neutral status looks like.
var wordShape = regexp.MustCompile(`^[a-z0-9_]{1,64}$`)

// fallbackStatus is what an event means when the run's status is not a word that we keep.
var fallbackStatus = map[string]event.Status{
	runCompleted: event.StatusApplied, runErrored: event.StatusErrored, runNeedsAttention: event.StatusPlanned,
}

// run is the run that the payload tells of. Its status is the platform's own word, which is also ours (§9).
func (p *payload) run() *event.Run {
	status := event.Status(p.Run.Status)
	if !wordShape.MatchString(p.Run.Status) {
		status = fallbackStatus[p.Event]
	}
	run := &event.Run{
		SourceID: p.Run.ID, ExternalIDs: map[string]string{Name: p.Run.ID}, Message: p.Run.Message, URL: p.Run.URL, Status: status,
		NativeStatus: p.Run.Status, Awaiting: p.Event == runNeedsAttention, CreatedAt: moment(p.Run.CreatedAt),
		CreatedBy: p.Run.actor(), Origin: p.Run.Source, Service: true, Variables: p.Variables,
	}
	if status == event.StatusPlannedAndFinished {
		run.Operation = event.OperationPlan
	}
	return run
}

// actor is who made the run, nil when nothing is known of them.
func (r payloadRun) actor() *event.Actor {
	by := r.CreatedBy
	if by == (payloadActor{}) {
		return nil
	}
	return &event.Actor{ID: by.ID, Name: by.Username, Email: by.Email}
}

// moment reads a time of a payload, zero for what is not one that an event can have. Without a zone it is UTC (§9).
func moment(text string) time.Time {
	for _, layout := range []string{"2006-01-02T15:04:05.999999999", time.RFC3339Nano, headerDateLayout} {
		if t, err := time.Parse(layout, text); err == nil && plausible(t) {
			return t.UTC()
		}
	}
	return time.Time{}
}

// plausible reports whether an event can carry the time.
func plausible(t time.Time) bool { return t.Year() > 1970 && t.Year() < 9000 }
