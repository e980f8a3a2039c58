package scalr

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"carillon/internal/dialect"
	"carillon/internal/event"
)

// payloadTime is the form of times in payloads: UTC without a zone (§3). Neither the API nor the Date header has it (§8).
const payloadTime = "2006-01-02T15:04:05"

const payloadVersion = 1

// facts are what both generations of payloads say.
type facts struct {
	event     string
	id        string // of the run
	message   string
	status    string
	source    string
	url       string
	createdAt string
	updatedAt string
	creator   event.Actor

	webhookID, webhookName                         string
	workspaceID, workspaceName, workspaceURL       string
	environmentID, environmentName, environmentURL string

	variables map[string]string
}

func factsOf(in dialect.Input) facts {
	e, r, s := in.Event, in.Event.Run, in.Subscription
	f := facts{
		event: in.Notice.Name, id: runID(r), message: r.Message, status: shownStatus(e), source: runSource(e), url: runPage(in.Site, e),
		createdAt: stamp(r.CreatedAt, happened(e)), updatedAt: stamp(happened(e), r.CreatedAt),
		webhookID: webhookID(s), webhookName: s.Name,
		workspaceID: workspaceID(e.Workspace), workspaceName: e.Workspace.Name, workspaceURL: workspacePage(in.Site, e),
		environmentURL: environmentPage(in.Site, e), variables: r.Variables,
	}
	if r.CreatedBy != nil {
		f.creator = *r.CreatedBy
	}
	if e.Project != nil {
		f.environmentID, f.environmentName = environmentID(e.Project), e.Project.Name
	}
	if f.variables == nil {
		f.variables = map[string]string{}
	}
	return f
}

// sources are the channels that the platform knows a run to come through.
var sources = []string{"api", "configuration-version", "ui", "vcs", "cli"}

// runSource is the platform's word for where a run came from: "api" where it has none (§3).
func runSource(e *event.Event) string {
	switch {
	case slices.Contains(sources, e.Run.Origin):
		return e.Run.Origin
	case e.Source.Kind == "cli":
		return "cli"
	}
	return "api"
}

// happened is when an event happened, as far as that is known.
func happened(e *event.Event) time.Time {
	if e.OccurredAt.IsZero() {
		return e.AcceptedAt
	}
	return e.OccurredAt
}

// stamp spells the first moment that is known.
func stamp(first, second time.Time) string {
	if first.IsZero() {
		first = second
	}
	return first.UTC().Format(payloadTime)
}

// encode writes a payload without escaping for HTML. The first generation is indented and ends its last line, the second
// is compact (§2).
func encode(payload any, indented bool) ([]byte, error) {
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false)
	if indented {
		e.SetIndent("", "  ")
	}
	if err := e.Encode(payload); err != nil {
		return nil, fmt.Errorf("encode payload: %w", err)
	}
	if !indented {
		return bytes.TrimSuffix(body.Bytes(), []byte("\n")), nil
	}
	return body.Bytes(), nil
}
