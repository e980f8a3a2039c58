package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"

	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/manage"
)

// receive takes in one webhook of a platform. The signature decides who may: there is no token. The answer is sent when
// the events are stored, so that the platform repeats what was not.
func (a *api) receive(c *call) error {
	id, err := c.pathID("source", "source")
	if err != nil {
		return err
	}
	ctx := c.r.Context()
	door, err := a.Sources.Door(ctx, id)
	if err != nil {
		return err
	}
	receiver, ok := a.dialects[door.Source.Dialect].(dialect.Receiver)
	if !ok {
		return fmt.Errorf("source %s: dialect %q receives nothing", id, door.Source.Dialect)
	}
	body, err := readBounded(c.w, c.r, maxBody)
	if err != nil {
		return err
	}
	now := a.Services.Now().UTC()
	received, err := receiver.Receive(dialect.Inbound{
		Header: c.r.Header, Body: body, Secrets: door.Secrets, Unsigned: door.Source.Unsigned, Options: door.Source.Options,
		At: now, Organization: door.Organization, Project: door.Source.Project,
	})
	if err != nil {
		return err
	}
	if received.Verified {
		if err := a.Sources.MarkVerified(ctx, id, now); err != nil {
			return err
		}
	}
	if err := a.acceptReceived(c, &door, received.Events); err != nil {
		return err
	}
	if received.Status == 0 {
		received.Status = http.StatusOK
	}
	c.write(received.Status, contentTypeOf(received.Body), received.Body)
	return nil
}

// acceptReceived stores what a door let in. Whatever the payload says, the events are the door's organization's.
func (a *api) acceptReceived(c *call, door *manage.Door, events []event.Event) error {
	if len(events) == 0 {
		return nil
	}
	for i := range events {
		e := &events[i]
		e.Organization.ID, e.Organization.Name = door.Organization.ID, door.Organization.Name
		e.Source.Kind, e.Source.Dialect, e.Source.ID = "webhook", door.Source.Dialect, door.Source.ID
		e.Key = inboundKey(door.Source.ID, e.Key)
		if err := e.Validate(); err != nil {
			// The sender did not write this event: its faults are ours, and not shown.
			return fmt.Errorf("webhook of dialect %s became an event that is not valid: %v", door.Source.Dialect, err)
		}
	}
	_, err := a.Accept(c.r.Context(), events)
	return err
}

// inboundKey makes a platform's key the source's own: two doors may hear of the same thing.
func inboundKey(source ident.ID, key string) string {
	if key == "" {
		return ""
	}
	whole := "source/" + source.String() + "/" + key
	if len(whole) <= event.MaxName {
		return whole
	}
	sum := sha256.Sum256([]byte(key))
	return "source/" + source.String() + "/" + hex.EncodeToString(sum[:])
}

func contentTypeOf(body []byte) string {
	if len(body) > 0 && (body[0] == '{' || body[0] == '[') {
		return typeJSON
	}
	return "text/plain; charset=utf-8"
}
