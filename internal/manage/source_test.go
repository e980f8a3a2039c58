package manage_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/manage"
	"carillon/internal/store"
)

func TestSourceLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme := w.organization("acme")
	made, secret, err := w.Sources().Create(w.ctx, admin, estate.InboundSource{
		Common: estate.Common{Name: "in"}, OrganizationID: acme.ID, Dialect: "plain", Project: "prod", Options: map[string]string{"a": "b"},
	}, "")
	if err != nil || len(secret) != 40 {
		t.Fatalf("secret of %d characters, %v", len(secret), err)
	}
	door := must[manage.Door](t)(w.Sources().Door(w.ctx, made.ID))
	if door.Organization.ID != acme.ID || door.Organization.Name != "acme" || !slices.Equal(door.Secrets, []string{secret}) || door.Source.Project != "prod" {
		t.Errorf("door = %+v", door.Source)
	}
	if shown := fmt.Sprintf("%v %+v %#v", door, door, door); strings.Contains(shown, secret) {
		t.Error("a door shows its secret")
	}
	set := func(overlap time.Duration, value string) {
		t.Helper()
		must[estate.InboundSource](t)(w.Sources().Update(w.ctx, admin, made.ID, overlap, func(s *estate.InboundSource, secret *string) error {
			*secret, s.Name, s.OrganizationID = value, "renamed", 7
			return nil
		}))
	}
	set(time.Hour, "second-secret")
	if door = must[manage.Door](t)(w.Sources().Door(w.ctx, made.ID)); !slices.Equal(door.Secrets, []string{"second-secret", secret}) {
		t.Errorf("%d secrets open the door", len(door.Secrets))
	}
	set(0, "")
	if door = must[manage.Door](t)(w.Sources().Door(w.ctx, made.ID)); len(door.Secrets) != 2 || door.Source.OrganizationID != acme.ID {
		t.Errorf("%d secrets after another change", len(door.Secrets))
	}
	w.clock.advance(time.Hour)
	if door = must[manage.Door](t)(w.Sources().Door(w.ctx, made.ID)); !slices.Equal(door.Secrets, []string{"second-secret"}) {
		t.Errorf("%d secrets after the overlap", len(door.Secrets))
	}
	if err := w.Sources().MarkVerified(w.ctx, made.ID, w.clock.Now()); err != nil {
		t.Fatal(err)
	}
	for name, ref := range map[string]estate.Ref{"by ID": estate.ByID(made.ID), "by name": estate.ByName(acme.ID, "renamed")} {
		got, err := w.Sources().Get(w.ctx, as(estate.RoleReader, acme.ID, 0, 0), ref)
		if err != nil || !got.VerifiedAt.Equal(w.clock.Now()) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if list := must[[]estate.InboundSource](t)(w.Sources().List(w.ctx, admin, acme.ID)); len(list) != 1 {
		t.Errorf("list = %+v", list)
	}
	if err := w.Sources().Delete(w.ctx, admin, made.ID); err != nil {
		t.Fatal(err)
	}
	_, err = w.Sources().Door(w.ctx, made.ID)
	wantCode(t, err, fault.NotFound)
	wantCode(t, w.Sources().MarkVerified(w.ctx, made.ID, w.clock.Now()), fault.NotFound)
}

func TestSourceChecks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme := w.organization("acme")
	draft := estate.InboundSource{Common: estate.Common{Name: "in"}, OrganizationID: acme.ID, Dialect: "plain"}
	cases := map[string]struct {
		field  string
		secret string
		change func(*estate.InboundSource)
	}{
		"no name":         {"/name", "", func(s *estate.InboundSource) { s.Name = "" }},
		"unknown dialect": {"/dialect", "", func(s *estate.InboundSource) { s.Dialect = "none" }},
		"secret too long": {"/secret", strings.Repeat("s", 5000), func(*estate.InboundSource) {}},
		"project name":    {"/project", "", func(s *estate.InboundSource) { s.Project = "a\nb" }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := draft
			c.change(&s)
			_, _, err := w.Sources().Create(w.ctx, admin, s, c.secret)
			wantField(t, err, c.field)
		})
	}
	draft.Unsigned = true
	open, secret, err := w.Sources().Create(w.ctx, admin, draft, "")
	if err != nil || secret != "" {
		t.Fatalf("an unsigned source got a secret, %v", err)
	}
	_, err = w.Sources().Update(w.ctx, admin, open.ID, 0, func(s *estate.InboundSource, _ *string) error { s.Unsigned = false; return nil })
	wantField(t, err, "/secret")
	_, _, err = w.Sources().Create(w.ctx, admin, draft, "")
	wantCode(t, err, fault.Conflict)
	_, err = w.Sources().Update(w.ctx, as(estate.RoleReader, acme.ID, 0, 0), open.ID, 0, func(*estate.InboundSource, *string) error { return nil })
	wantCode(t, err, fault.Forbidden)
	wantCode(t, w.Sources().Delete(w.ctx, as(estate.RoleOwner, 42, 0, 0), open.ID), fault.NotFound)
}

func TestAuditLogSaysWhoDidWhat(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	owner := as(estate.RoleOwner, s.acme.ID, 0, 0)
	owner.Name, owner.TokenID = "ada", 77
	if err := s.Subscriptions().Delete(s.ctx, owner, s.hook.ID); err != nil {
		t.Fatal(err)
	}
	newest := must[[]manage.AuditEntry](t)(s.Audit().List(s.ctx, owner, s.acme.ID, store.Page{Newest: true, Limit: 1}))
	if len(newest) != 1 || newest[0].Actor != "ada" || newest[0].TokenID != 77 || newest[0].Action != "delete" ||
		newest[0].Kind != "subscription" || newest[0].ObjectID != s.hook.ID || newest[0].Name != "hook" || !newest[0].At.Equal(s.clock.Now()) {
		t.Errorf("newest = %+v", newest)
	}
	for _, entry := range must[[]manage.AuditEntry](t)(s.Audit().List(s.ctx, owner, s.acme.ID, store.Page{Limit: 500})) {
		if entry.OrganizationID != s.acme.ID {
			t.Errorf("a foreign entry: %+v", entry)
		}
	}
	before := s.count(store.KindAudit, 0)
	if _, err := s.Register(s.ctx, run("acme", "p", "w")); err != nil {
		t.Fatal(err)
	}
	if s.count(store.KindAudit, 0) != before {
		t.Error("what an event made known is in the log of what people did")
	}
}
