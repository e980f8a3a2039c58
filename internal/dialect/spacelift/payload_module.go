package spacelift

import (
	"cmp"
	"strings"

	"carillon/internal/dialect"
	"carillon/internal/event"
)

// moduleBody is §3.4. It has neither "state" nor "run", so that receivers do not take it for a run event.
type moduleBody struct {
	Account     string      `json:"account"`
	Timestamp   int64       `json:"timestamp"`
	Millis      int64       `json:"timestamp_millis"`
	Module      modulePart  `json:"module"`
	Version     versionPart `json:"version"`
	EventSource string      `json:"event_source"`
	EventType   string      `json:"event_type"`
}

type modulePart struct {
	ID                string   `json:"id"`
	Name              string   `json:"name"`
	Description       string   `json:"description"`
	Labels            []string `json:"labels"`
	TerraformProvider string   `json:"terraformProvider"`
	Branch            string   `json:"branch"`
	Repository        string   `json:"repository"`
	URL               string   `json:"url"`
	VCS               string   `json:"vcs"`
}

type versionPart struct {
	ID        string        `json:"id"`
	Number    string        `json:"number"`
	State     string        `json:"state"`
	Latest    bool          `json:"latest"`
	CreatedAt int64         `json:"createdAt"`
	Commit    commitPart    `json:"commit"`
	TestRuns  []testRunPart `json:"testRuns"`
}

type testRunPart struct {
	ID        string `json:"id"`
	Title     string `json:"title"`
	State     string `json:"state"`
	CreatedAt int64  `json:"createdAt"`
	UpdatedAt int64  `json:"updatedAt"`
}

// defaultProvider is the provider part of a module that names none (§6).
const defaultProvider = "default"

func newModuleBody(e *event.Event, site dialect.Site) moduleBody {
	module := *e.Workspace
	module.Module = true
	v := e.ModuleVersion
	body := moduleBody{
		Account: e.Organization.Name, Timestamp: seconds(e.OccurredAt), Millis: millis(e.OccurredAt),
		Module: modulePart{
			ID: stackID(&module), Name: module.Name, Description: module.Description, Labels: list(module.Tags),
			TerraformProvider: cmp.Or(v.Provider, defaultProvider), Branch: v.Branch, Repository: module.Repository,
			URL: stackURL(site, &module), VCS: vcsWord(module.VCS),
		},
		Version: versionPart{
			ID: v.ID, Number: v.Number, State: strings.ToUpper(v.State), Latest: v.Latest, CreatedAt: seconds(v.CreatedAt),
			Commit: newCommitPart(v.Commit), TestRuns: []testRunPart{},
		},
		EventSource: eventSource, EventType: triggerModuleVersion,
	}
	for _, r := range v.TestRuns {
		body.Version.TestRuns = append(body.Version.TestRuns, testRunPart{
			ID: r.ID, Title: r.Title, State: strings.ToUpper(r.State), CreatedAt: seconds(r.CreatedAt), UpdatedAt: seconds(r.UpdatedAt),
		})
	}
	return body
}
