package ingest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/ingest"
	"carillon/internal/subscription"
)

func TestDeliveriesFollowTheirEvent(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := h.subscribe(7, "alpha", subscription.LevelWorkspace, workspaceID("net"), "run:planning")
	h.subscribe(8, "beta", subscription.LevelOrganization, acme)
	h.accept(t, step("pending"))
	receipt := h.accept(t, step("planning"))[0]
	if receipt.Deliveries != 2 || h.ledger.events[1].Deliveries != 2 || receipt.Run != ingest.RunID(workspaceID("net"), "r1") {
		t.Errorf("receipt %+v, event %+v", receipt, h.ledger.events[1])
	}
	owed := h.ledger.owed[1:]
	for n, d := range owed {
		if d.ID != receipt.Event+ident.ID(n+1)*ident.Step || d.Event != receipt.Event || d.Organization != acme || d.Sequence != 1 ||
			d.Run != receipt.Run || !d.Due.Equal(now) || d.Version != 3 || d.Pinned {
			t.Errorf("delivery %d: %+v", n, d)
		}
	}
	if owed[0].Subscription != 7 || owed[0].Destination != s.Destination || owed[0].Unordered || owed[1].Subscription != 8 || !owed[1].Unordered {
		t.Errorf("got %+v", owed)
	}
	if fmt.Sprint(h.offered.owed) != fmt.Sprint(h.ledger.owed) || h.offered.events[1].ID != receipt.Event {
		t.Errorf("offered %+v, stored %+v", h.offered.owed, h.ledger.owed)
	}
}

func TestWhoGetsWhat(t *testing.T) {
	t.Parallel()
	assessment := event.Event{
		Kind: event.KindAssessment, Organization: event.Organization{Name: "acme"}, Workspace: &event.Workspace{Name: "net"},
		Project: &event.Project{Name: "p"}, Assessment: &event.Assessment{},
	}
	of := func(kind event.Kind, action string) event.Event {
		return event.Event{Kind: kind, Action: action, Organization: event.Organization{Name: "acme"}, Workspace: &event.Workspace{Name: "net"}}
	}
	tests := map[string]struct {
		event event.Event
		want  string // subscription/notice
	}{
		"a step":              {step("planned"), "1/0 2/0 4/0"},
		"a named step":        {step("applied"), "1/0 2/0 3/0 4/0"},
		"local execution":     {step("planned", func(e *event.Event) { e.Workspace.ExecutionMode = "local" }), "1/0 2/0"},
		"two notices":         {assessment, "1/0 2/0 6/0 6/1 4/0"},
		"a test reaches none": {of(event.KindTest, ""), ""},
		"nothing to say":      {of(event.KindAccount, ""), ""},
		"a workspace goes":    {of(event.KindWorkspace, "deleted"), "1/0 pinned 2/0 pinned 4/0 pinned"},
		"a workspace comes":   {of(event.KindWorkspace, "created"), "1/0 2/0 4/0"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.subscribe(1, "alpha", subscription.LevelOrganization, acme)
			h.subscribe(2, "alpha", subscription.LevelWorkspace, workspaceID("net"))
			h.subscribe(3, "alpha", subscription.LevelWorkspace, workspaceID("net"), "run:applied")
			h.subscribe(4, "beta", subscription.LevelOrganization, acme)
			h.subscribe(5, "beta", subscription.LevelWorkspace, workspaceID("other"))
			h.subscribe(6, "alpha", subscription.LevelProject, ident.Derive("project", "p"), "drift", "checks")
			unordered := h.subscribe(7, "alpha", subscription.LevelOrganization, acme, "never").Clone()
			unordered.Delivery.Unordered = true
			h.index.Put(unordered)
			h.accept(t, test.event)
			var got []string
			for _, d := range h.ledger.owed {
				got = append(got, fmt.Sprintf("%d/%d", d.Subscription, d.Notice))
				if d.Pinned {
					got = append(got, "pinned")
				}
				if (d.Run != 0) != (test.event.Kind == event.KindRun) {
					t.Errorf("run %s of an event of kind %s", d.Run, test.event.Kind)
				}
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("got %s, want %s", strings.Join(got, " "), test.want)
			}
		})
	}
}

func TestASubscriptionCanGiveUpOrder(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := h.subscribe(7, "alpha", subscription.LevelOrganization, acme).Clone()
	s.Delivery.Unordered = true
	h.index.Put(s)
	h.accept(t, step("pending"))
	if !h.ledger.owed[0].Unordered {
		t.Errorf("got %+v", h.ledger.owed[0])
	}
}

func TestASubscriptionOfAnUnknownDialectIsNotPassedOver(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.subscribe(1, "gone", subscription.LevelOrganization, acme)
	if _, err := h.Accept(t.Context(), []event.Event{step("pending")}); err == nil || h.ledger.commits != 0 {
		t.Errorf("accepted although a delivery would be lost: %v", err)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.subscribe(1, "alpha", subscription.LevelOrganization, acme)
	h.subscribe(2, "alpha", subscription.LevelWorkspace, workspaceID("other"))
	h.subscribe(3, "alpha", subscription.LevelWorkspace, workspaceID("net"), "run:applied")
	h.subscribe(4, "beta", subscription.LevelOrganization, acme)
	off := h.subscribe(5, "alpha", subscription.LevelOrganization, acme).Clone()
	off.Enabled = false
	h.index.Put(off)
	empty := h.subscribe(6, "alpha", subscription.LevelOrganization, acme).Clone()
	empty.All = false
	h.index.Put(empty)
	stranger := h.subscribe(7, "alpha", subscription.LevelOrganization, 99).Clone()
	stranger.OrganizationID = 99
	h.index.Put(stranger)

	local := func(e *event.Event) { e.Workspace.ExecutionMode = "local" }
	tests := map[string]struct {
		event event.Event
		want  string
	}{
		"a step": {step("planned"), "1 matches[matches] 2 other_scope[other_scope] 3 not_subscribed[not_subscribed] 4 matches[matches] " +
			"5 disabled[disabled] 6 nothing_chosen[nothing_chosen]"},
		"a local step": {step("planned", local), "1 matches[matches] 2 other_scope[other_scope] 3 not_subscribed[not_subscribed] " +
			"4 suppressed[suppressed] 5 disabled[disabled] 6 nothing_chosen[nothing_chosen]"},
		"an assessment": {event.Event{Kind: event.KindAssessment, Organization: event.Organization{Name: "acme"}, Workspace: &event.Workspace{Name: "net"}},
			"1 matches[matches wrong_level] 2 other_scope[other_scope other_scope] 3 not_subscribed[not_subscribed wrong_level] " +
				"4 matches[matches wrong_level] 5 disabled[disabled disabled] 6 nothing_chosen[nothing_chosen wrong_level]"},
		"nothing to say": {event.Event{Kind: event.KindAccount, Organization: event.Organization{Name: "acme"}},
			"1 nothing_to_say[] 2 other_scope[] 3 other_scope[] 4 nothing_to_say[] 5 disabled[] 6 nothing_to_say[]"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := copies1(test.event)
			if _, err := (names{}).Register(t.Context(), &e); err != nil {
				t.Fatal(err)
			}
			explanations, err := h.Explain(t.Context(), &e)
			if err != nil {
				t.Fatal(err)
			}
			if got := spell(explanations); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
	if h.ledger.commits != 0 {
		t.Error("explaining stored something")
	}
}

func copies1(e event.Event) event.Event {
	if e.Workspace != nil {
		workspace := *e.Workspace
		e.Workspace = &workspace
	}
	return e
}

func spell(explanations []ingest.Explanation) string {
	var parts []string
	for _, x := range explanations {
		var verdicts []string
		for _, n := range x.Notices {
			verdicts = append(verdicts, string(n.Verdict))
		}
		parts = append(parts, fmt.Sprintf("%d %s[%s]", x.Subscription.ID, x.Verdict, strings.Join(verdicts, " ")))
	}
	return strings.Join(parts, " ")
}

// placing is a Registrar that knows of a project that passes its subscriptions down.
type placing struct {
	names
	parent ident.ID
}

func (p placing) Places(_ context.Context, e *event.Event) ([]subscription.Scope, error) {
	return append(subscription.Places(e), subscription.Scope{Level: subscription.LevelProject, ID: p.parent}), nil
}

func TestExplainAsksTheRegistrarForPlaces(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(d *ingest.Deps) { d.Registrar = placing{parent: 55} })
	h.subscribe(1, "alpha", subscription.LevelProject, 55)
	e := step("planned")
	e.Organization.ID = acme
	explanations, err := h.Explain(t.Context(), &e)
	if err != nil || spell(explanations) != "1 matches[matches]" {
		t.Errorf("got %s, %v", spell(explanations), err)
	}
}
