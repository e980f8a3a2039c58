package pulumi

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// file reads a file of testdata.
func file(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// fileAs reads a JSON file of testdata.
func fileAs[T any](t testing.TB, name string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(file(t, name), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// Identifiers of the estate that the sample events lie in.
const (
	sampleOrganization = ident.ID(11 << 13)
	sampleProject      = ident.ID(12 << 13)
	sampleStack        = ident.ID(13 << 13)
	otherStack         = ident.ID(14 << 13)
)

var (
	sampleSite   = dialect.Site{BaseURL: "https://hooks.example.com", Product: "PRODUCT", Version: "1.2.3"}
	sampleMoment = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
)

// hook is a webhook of the organization in a format.
func hook(channel subscription.Channel, triggers ...string) *subscription.Subscription {
	return &subscription.Subscription{
		ID: 99 << 13, Version: 1, OrganizationID: sampleOrganization, Dialect: Name, Channel: channel, Name: "Ops channel",
		Enabled: true, Scopes: []subscription.Scope{{Level: subscription.LevelOrganization, ID: sampleOrganization}},
		Triggers: triggers, All: len(triggers) == 0, Settings: json.RawMessage(`{"organization":"crazy-adventures"}`),
	}
}

// sample is an event of the kind as the sample payloads have it.
func sample(kind event.Kind) *event.Event {
	return &event.Event{
		ID: 77 << 13, Kind: kind, OccurredAt: sampleMoment, AcceptedAt: sampleMoment,
		Actor: &event.Actor{Name: "morty", FullName: "Morty Smith", AvatarURL: "https://crazy-adventures.net/morty.png"},
		Organization: event.Organization{
			ID: sampleOrganization, Name: "crazy-adventures", DisplayName: "Crazy Adventures",
			AvatarURL: "https://crazy-adventures.net/logo.png",
		},
		Project:   &event.Project{ID: sampleProject, Name: "website"},
		Workspace: &event.Workspace{ID: sampleStack, Name: "website-prod"},
		Numbers:   map[string]int64{seriesUpdates: 42, seriesDeployments: 127},
	}
}

// given are the facts of a case of render-vectors.json.
type given struct {
	Event    string           `json:"event"`
	Service  bool             `json:"service_run"`
	PlanOnly bool             `json:"plan_only"`
	Word     string           `json:"operation"`
	Number   int64            `json:"run_number"`
	Changes  map[string]int64 `json:"changes"`
	Phase    event.Phase      `json:"phase"`
	Actor    json.RawMessage  `json:"actor"`
	URL      string           `json:"run_url"`
	BodyFile string           `json:"body_file"`
	Drifted  bool             `json:"drifted"`
	Status   string           `json:"status"`
	Level    string           `json:"level"`
}

const samplePreview = "11bf162b-d9d5-4715-8f88-20dcd0e0b167"

// neutral is the event that the facts describe.
func (g given) neutral(t testing.TB) *event.Event {
	t.Helper()
	switch g.Event {
	case "workspace created", "workspace deleted":
		e := sample(event.KindWorkspace)
		e.Action = g.Event[len("workspace "):]
		return e
	case "drift checked", "drift remediated":
		e := sample(event.KindAssessment)
		e.Assessment = &event.Assessment{New: event.AssessmentResult{
			RunSourceID: samplePreview, Succeeded: g.Status == statusSucceeded, Drifted: g.Drifted, AllChecksSucceeded: true,
			RemediatesDrift: g.Event == "drift remediated", Changes: &event.Changes{Operations: g.Changes},
		}}
		return e
	case "policy violated":
		e := sample(event.KindPolicy)
		c, _ := readContent(kindPolicy, file(t, g.BodyFile))
		e.Run = &event.Run{SourceID: "r", Status: event.StatusPlanned}
		e.Policy = &event.Policy{Blocking: g.Level == "mandatory"}
		for _, v := range c.violations {
			e.Policy.Violations = append(e.Policy.Violations, event.Violation{
				Pack: v.Pack, PackVersion: v.Version, Policy: v.Policy, Message: v.Message, Resource: v.Resource, Severity: v.Severity,
			})
		}
		return e
	}
	return g.run(t)
}

func (g given) run(t testing.TB) *event.Event {
	t.Helper()
	e := sample(event.KindRun)
	r := &event.Run{
		SourceID: samplePreview, Service: g.Service, Number: g.Number, Phase: g.Phase, URL: g.URL,
		Operation: map[string]event.Operation{
			"apply": event.OperationApply, "destroy": event.OperationDestroy, "refresh": event.OperationRefresh, "import": event.OperationImport,
		}[g.Word],
		Status: map[string]event.Status{
			"run queued": event.StatusPending, "run started": event.StatusPlanning, "plan finished": event.StatusPlanned,
			"run completed": event.StatusApplied, "run errored": event.StatusErrored, "run canceled": event.StatusCanceled,
		}[g.Event],
	}
	if g.PlanOnly {
		r.Operation = event.OperationPlan
	}
	if g.Changes != nil {
		r.Changes = &event.Changes{Operations: g.Changes}
	}
	if string(g.Actor) == "null" {
		e.Actor = nil
	}
	if r.Operation == "" || r.Status == "" {
		t.Fatalf("no such facts: %+v", g)
	}
	e.Run = r
	if g.BodyFile != "" {
		g.borrow(t, e)
	}
	return e
}

// borrow takes the names of an event from a payload.
func (g given) borrow(t testing.TB, e *event.Event) {
	c, _ := readContent(kindUpdate, file(t, g.BodyFile))
	e.Actor = &event.Actor{Name: c.user.Login, FullName: c.user.Name, AvatarURL: c.user.Avatar}
	e.Organization = event.Organization{ID: sampleOrganization, Name: c.organization.Login, DisplayName: c.organization.Name}
	e.Project.Name, e.Workspace.Name, e.Run.Changes = c.project, c.stack, &event.Changes{Operations: c.changes}
}
