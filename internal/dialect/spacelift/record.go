package spacelift

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"

	graphql "github.com/graph-gophers/graphql-go"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
)

// entry is one record of the audit trail in the making (§3.7).
type entry struct {
	action   string
	mutation string
	id       string // of the object, "" where there is none
	args     any

	// told says that the audit trail webhook has heard of it already: it was the test request.
	told bool
}

// metadataTold marks the event of an entry that was told.
const metadataTold = "told"

// changeAs is change for mutations that use their own record.
func changeAs[T any](ctx context.Context, mutation, action string, args any, f func(c *call, e *entry) (*T, error)) (*T, error) {
	return ask(ctx, func(c *call) (*T, error) {
		defer c.changing.lock(c.account.ID)()
		c.memory.clear()
		e := entry{action: action, mutation: mutation, args: args}
		value, err := f(c, &e)
		if err != nil {
			if errors.Is(err, errAbsent) {
				err = nil
			}
			return nil, err
		}
		c.memory.clear()
		c.record(ctx, e)
		return value, nil
	})
}

// record stores an entry. That it could not be stored does not undo what was done, and must not make the client do it
// again (§8): it is logged.
func (c *call) record(ctx context.Context, e entry) {
	about, err := c.auditEvent(e)
	if err == nil {
		_, err = c.Events.Accept(context.WithoutCancel(ctx), estate.System(), []event.Event{*about})
	}
	if err != nil {
		c.Log.ErrorContext(ctx, "record a change", "dialect", Name, "org", c.account.ID, "action", e.action, "err", err)
	}
}

// auditEvent is the event of an entry.
func (c *call) auditEvent(e entry) (*event.Event, error) {
	data := map[string]any{}
	if e.id != "" {
		data["ID"] = e.id
	}
	if e.args != nil {
		data["args"] = c.recorded(reflect.ValueOf(e.args))
	}
	raw, err := json.Marshal(data)
	if err != nil {
		return nil, err
	}
	about := &event.Event{
		Kind: event.KindAccount, Action: "audit", OccurredAt: c.Now().UTC(), Actor: &event.Actor{Name: subjectPrefix + c.key},
		Organization: event.Organization{ID: c.account.ID, Name: c.account.Name},
		Account:      &event.Account{Verb: e.action, Mutation: e.mutation, Data: raw, RemoteIP: c.address},
		Source:       event.Source{Kind: "api"},
	}
	if e.told {
		about.Source.Metadata = map[string]string{metadataTold: "true"}
	}
	return about, nil
}

// secretFields are never recorded in clear; SecretSHA stands for them (§3.7). The value of a header is a secret too.
var secretFields = map[string]bool{"Secret": true, "Value": true}

// recorded writes a mutation's arguments with their names in Go's style.
func (c *call) recorded(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return c.recorded(v.Elem())
	case reflect.Struct:
		return c.recordedFields(v)
	case reflect.Slice:
		all := make([]any, v.Len())
		for i := range all {
			all[i] = c.recorded(v.Index(i))
		}
		return all
	}
	if id, ok := v.Interface().(graphql.ID); ok {
		return string(id)
	}
	return v.Interface()
}

func (c *call) recordedFields(v reflect.Value) map[string]any {
	fields := map[string]any{}
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if !secretFields[name] {
			fields[name] = c.recorded(v.Field(i))
			continue
		}
		if text, _ := c.recorded(v.Field(i)).(string); text != "" {
			fields["SecretSHA"] = c.fingerprint(text)
		}
	}
	return fields
}

// fingerprint is how a secret shows in a record: 12 hex digits that nobody without the installation's key can guess from.
func (c *call) fingerprint(secret string) string {
	return strings.ToLower(c.Sessions.Fingerprint(Name+"/secret", secret))[:12]
}

func isConflict(err error) bool { return fault.Is(err, fault.Conflict) }

func asVerification(err error) (*dialect.VerificationError, bool) {
	return errors.AsType[*dialect.VerificationError](err)
}
