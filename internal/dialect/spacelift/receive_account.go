package spacelift

import (
	"encoding/json"
	"strings"
	"time"

	"carillon/internal/dialect"
	"carillon/internal/event"
)

// receiveAudit reads a record of the audit trail; equal bytes are one record (§9).
func receiveAudit(in dialect.Inbound) (event.Event, bool) {
	var p struct {
		Account    string
		Action     string
		Actor      string
		ActorRoles []string `json:"actor_roles"`
		Context    struct{ Mutation string }
		Data       json.RawMessage
		RemoteIP   string
		Timestamp  int64
	}
	if json.Unmarshal(in.Body, &p) != nil || p.Action == "" {
		return event.Event{}, false
	}
	e := newEvent(in, event.KindAccount, nativeAudit, p.Account)
	e.Action, e.Key = "audit", bodyKey(in.Body)
	if p.Timestamp > 0 {
		e.OccurredAt = time.UnixMilli(p.Timestamp).UTC()
	}
	if p.Actor != "" {
		e.Actor = &event.Actor{Name: p.Actor}
	}
	e.Account = &event.Account{Verb: p.Action, ActorRoles: p.ActorRoles, Mutation: p.Context.Mutation, Data: p.Data, RemoteIP: p.RemoteIP}
	return e, true
}

// receiveError reads an internal error. It carries no time, so a repeat can not be told from a second one (§9).
func receiveError(in dialect.Inbound) (event.Event, bool) {
	var p errorBody
	if json.Unmarshal(in.Body, &p) != nil || p.Title == "" {
		return event.Event{}, false
	}
	e := newEvent(in, event.KindAccount, nativeInternalError, p.Account)
	e.Action = "internal_error"
	e.Account = &event.Account{Severity: strings.ToLower(p.Severity), Title: p.Title, Body: p.Body, Cause: p.Error}
	return e, true
}

// receiveModule reads a module's version in the form in which we send it: the platform's own is not published (§3.4).
func receiveModule(in dialect.Inbound) (event.Event, bool) {
	var p struct {
		Account string
		Millis  int64 `json:"timestamp_millis"`
		Module  receivedStack
		Version struct {
			ID        string
			Number    string
			State     string
			Latest    bool
			CreatedAt int64
			Commit    *receivedCommit
			TestRuns  []testRunPart
		}
	}
	if json.Unmarshal(in.Body, &p) != nil || p.Version.Number == "" {
		return event.Event{}, false
	}
	e := newEvent(in, event.KindModuleVersion, nativeModuleVersion, p.Account)
	e.Key, e.Action = bodyKey(in.Body), strings.ToLower(p.Version.State)
	if p.Millis > 0 {
		e.OccurredAt = time.UnixMilli(p.Millis).UTC()
	}
	e.Workspace = p.Module.workspace()
	e.Workspace.Module = true
	v := &event.ModuleVersion{
		ID: p.Version.ID, Number: p.Version.Number, State: strings.ToLower(p.Version.State), Latest: p.Version.Latest,
		Provider: p.Module.TerraformProvider, Branch: p.Module.Branch, CreatedAt: moment(p.Version.CreatedAt),
	}
	if c := p.Version.Commit; c != nil {
		v.Commit = &event.Commit{AuthorLogin: c.AuthorLogin, AuthorName: c.AuthorName, Hash: c.Hash, Message: c.Message, At: moment(c.Timestamp), URL: c.URL}
	}
	for _, r := range p.Version.TestRuns {
		v.TestRuns = append(v.TestRuns, event.ModuleTestRun{
			ID: r.ID, Title: r.Title, State: strings.ToLower(r.State), CreatedAt: moment(r.CreatedAt), UpdatedAt: moment(r.UpdatedAt),
		})
	}
	e.ModuleVersion = v
	return e, true
}
