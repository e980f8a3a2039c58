package spacelift

import (
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

// secret signs most of the platform's vectors.
const secret = "very-very-secret"

// Identifiers of the estate that the sample events lie in.
const (
	sampleOrganization = ident.ID(11 << 13)
	sampleProject      = ident.ID(12 << 13)
	sampleWorkspace    = ident.ID(13 << 13)
)

var sampleSite = dialect.Site{BaseURL: "https://relay.example.test", Product: "PRODUCT", Version: "1.2.3"}

func atMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func atSecond(s int64) time.Time { return time.Unix(s, 0).UTC() }

// hookAt is a webhook of the sample stack, or of the place that the level names.
func hookAt(level subscription.Level, triggers ...string) *subscription.Subscription {
	scope := map[subscription.Level]ident.ID{
		subscription.LevelWorkspace: sampleWorkspace, subscription.LevelProject: sampleProject,
		subscription.LevelOrganization: sampleOrganization,
	}[level]
	return &subscription.Subscription{
		ID: 99 << 13, Version: 1, OrganizationID: sampleOrganization, Dialect: Name, Channel: subscription.ChannelWebhook,
		Name: "hook", Enabled: true, Scopes: []subscription.Scope{{Level: level, ID: scope}}, Triggers: triggers, All: len(triggers) == 0,
	}
}

// sample is an event of the kind in the sample stack "network".
func sample(kind event.Kind) *event.Event {
	return &event.Event{
		ID: 77 << 13, Kind: kind,
		Organization: event.Organization{ID: sampleOrganization, Name: "acme"},
		Project:      &event.Project{ID: sampleProject, Name: "legacy"},
		Workspace: &event.Workspace{
			ID: sampleWorkspace, Name: "Network", Tags: []string{"env:prod", "team:net"}, Repository: "octo/infra", VCS: "github",
		},
	}
}

// sampleRun is a run's event as the engine accepted it: at a moment in milliseconds, as the step of the number.
func sampleRun(id string, status event.Status, ms int64, word string, number int64) *event.Event {
	e := sample(event.KindRun)
	e.OccurredAt = atMillis(ms)
	e.Run = &event.Run{
		ID: 55 << 13, SourceID: id, Status: status, Branch: "main",
		Commit: &event.Commit{
			AuthorLogin: "octo", AuthorName: "Octo Example", Hash: "0f1e2d3c4b5a69788796a5b4c3d2e1f001020304", Message: "Fix cache",
			At: atSecond(1745600001), URL: "https://github.com/octo/infra/commit/0f1e2d3c4b5a69788796a5b4c3d2e1f001020304",
		},
		Steps: map[string]event.Step{Name: {Word: word, Number: number}},
	}
	return e
}

// samples are the events of the run payloads of testdata, by file.
func samples() map[string]*event.Event {
	finished := sampleRun("01JSPXRQR2F3Y06HD85YYXRSZ7", event.StatusPlannedAndFinished, 1745599888383, stateFinished, 5)
	finished.Workspace = &event.Workspace{ID: sampleWorkspace, Name: "ai-agent", Description: "here is the node", Tags: []string{"node"}, Repository: "octo/argocd-app", VCS: "github"}
	finished.Run.Trigger, finished.Run.CreatedAt = "api::01JSMHTFM9TXWW1XK4AZN1SA8K", atSecond(1745599880)
	finished.Run.Changes = &event.Changes{}
	finished.Run.Commit = &event.Commit{AuthorLogin: "octo", AuthorName: "Octo Example", Hash: "87c5ffdcf063445657c7082a447cb6a7d60f2c9d", Message: "Merge pull request #2 from octo/patch-2", At: atSecond(1745516998), URL: "https://github.com/octo/argocd-app/commit/87c5ffdcf063445657c7082a447cb6a7d60f2c9d"}

	confirmed := sampleRun("01JSPY0V4N8M6K2W9RZ1Q3T5B7", event.StatusConfirmed, 1745600100007, stateConfirmed, 6)
	confirmed.Run.Note, confirmed.Run.CreatedAt = "ok by Zoë <ops> & team", atSecond(1745600010)
	confirmed.Run.CreatedBy, confirmed.Run.Commit.Message = &event.Actor{Name: "zoe", Email: "zoe@acme.test"}, "Fix <db> & cache → v2\n\nSecond paragraph."
	confirmed.Run.Changes = &event.Changes{Add: 2, Change: 1, Destroy: 3, Total: 41}

	queued := sampleRun("ci-4711", event.StatusPending, 1745600200000, stateQueued, 0)
	queued.Workspace = &event.Workspace{ID: sampleWorkspace, Name: "laptop"}
	queued.Run.Branch, queued.Run.Commit = "", nil

	task := sampleRun("01JSPY6A2Q7D4E5F6G7H8J9K0M", event.StatusApplying, 1745600300250, statePerforming, 4)
	task.Run.Operation, task.Run.Command = event.OperationTask, "terraform taint 'aws_instance.web[0]'"
	task.Run.Trigger, task.Run.CreatedAt = "zoe@acme.test", atSecond(1745600290)
	task.Run.WorkerPool = &event.WorkerPool{Labels: []string{"eu"}, ID: "01JSPWPOOL00000000000000EU", Name: "eu-pool"}

	drift := sampleRun("01JSPY9C3R5T7V9X1Z2B4D6F8H", event.StatusPlannedAndFinished, 1745600400901, stateFinished, 5)
	drift.Run.Drift, drift.Run.CreatedAt, drift.Run.Changes = true, atSecond(1745600380), &event.Changes{Change: 1, Total: 41}

	module := sampleRun("01JSPYBD5E7F9G1H3J5K7M9N1P", event.StatusApplying, 1745600500420, stateDestroying, 6)
	module.Workspace = &event.Workspace{
		ID: sampleWorkspace, Name: "vpc", Tags: []string{"registry"}, Repository: "octo/terraform-default-vpc", VCS: "github",
		Module: true, ExternalIDs: map[string]string{Name: "terraform-default-vpc"},
	}
	module.Run.CreatedAt, module.Run.Changes = atSecond(1745600455), &event.Changes{Add: 4, Total: 4}
	module.Run.Commit = moduleCommit()
	return map[string]*event.Event{
		"run-tracked-finished.json": finished, "run-tracked-confirmed-note.json": confirmed, "run-queued-minimal.json": queued,
		"run-task-performing.json": task, "run-proposed-drift.json": drift, "run-module-testing.json": module,
	}
}

func moduleCommit() *event.Commit {
	return &event.Commit{
		AuthorLogin: "octo", AuthorName: "Octo Example", Hash: "a1b2c3d4e5f60718293a4b5c6d7e8f9001122334", Message: "Add output",
		At: atSecond(1745600450), URL: "https://github.com/octo/terraform-default-vpc/commit/a1b2c3d4e5f60718293a4b5c6d7e8f9001122334",
	}
}

// sampleOf2021 is the event of the documentation's sample of 2021.
func sampleOf2021() *event.Event {
	e := sampleRun("01EF9PFPNFFM2MQXTJKHK1B869", event.StatusPlannedAndFinished, 1596979684000, stateFinished, 4)
	e.Organization.Name = "spacelift-io"
	e.Workspace = &event.Workspace{ID: sampleWorkspace, Name: "Spacelift demo", Repository: "spacelift-io/demo", VCS: "github"}
	e.Run.Branch, e.Run.Trigger, e.Run.CreatedAt, e.Run.Note = "master", "marcinw@spacelift.io", atSecond(1596979665), "not in this form"
	e.Run.Changes = &event.Changes{Total: 1}
	e.Run.Commit = &event.Commit{
		AuthorLogin: "marcinwyszynski", AuthorName: "Marcin Wyszynski", Hash: "0ee3a3b7266daf5a1d44a193a0f48ce995fa75eb", Message: "Update demo.tf",
		At: atSecond(1596705932), URL: "https://github.com/spacelift-io/demo/commit/0ee3a3b7266daf5a1d44a193a0f48ce995fa75eb",
	}
	return e
}
