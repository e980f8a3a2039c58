package spacelift

import (
	"time"

	"carillon/internal/dialect"
	"carillon/internal/event"
)

// What every body of today ends with (§3.1).
const eventSource = "spacelift"

// runBody is §3.1, in the order of its table.
type runBody struct {
	Account      string     `json:"account"`
	State        string     `json:"state"`
	StateVersion int64      `json:"stateVersion"`
	Timestamp    int64      `json:"timestamp"`
	Millis       int64      `json:"timestamp_millis"`
	Note         string     `json:"note,omitempty"`
	Run          runPart    `json:"run"`
	Stack        stackPart  `json:"stack"`
	WorkerPool   workerPool `json:"workerPool"`
	EventSource  string     `json:"event_source"`
	EventType    string     `json:"event_type"`
}

type runPart struct {
	ID             string     `json:"id"`
	Branch         string     `json:"branch"`
	Command        string     `json:"command,omitempty"`
	Commit         commitPart `json:"commit"`
	CreatedAt      int64      `json:"createdAt"`
	Delta          *delta     `json:"delta,omitempty"`
	DriftDetection bool       `json:"driftDetection"`
	TriggeredBy    string     `json:"triggeredBy,omitempty"`
	Type           string     `json:"type"`
	URL            string     `json:"url"`
}

type commitPart struct {
	AuthorLogin string `json:"authorLogin,omitempty"`
	AuthorName  string `json:"authorName"`
	Hash        string `json:"hash"`
	Message     string `json:"message"`
	Timestamp   int64  `json:"timestamp"`
	URL         string `json:"url"`
}

type delta struct {
	Added     int64 `json:"added"`
	Changed   int64 `json:"changed"`
	Deleted   int64 `json:"deleted"`
	Resources int64 `json:"resources"`
}

type stackPart struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Labels      []string `json:"labels"`
	Repository  string   `json:"repository"`
	URL         string   `json:"url"`
	VCS         string   `json:"vcs"`
}

type workerPool struct {
	Public bool     `json:"public"`
	Labels []string `json:"labels"`
	ID     string   `json:"id"`
	Name   string   `json:"name"`
}

// seedBody is the form of 2021 (§3.1): the same without what came later.
type seedBody struct {
	Account      string    `json:"account"`
	State        string    `json:"state"`
	StateVersion int64     `json:"stateVersion"`
	Timestamp    int64     `json:"timestamp"`
	Run          seedRun   `json:"run"`
	Stack        seedStack `json:"stack"`
}

type seedRun struct {
	ID          string     `json:"id"`
	Branch      string     `json:"branch"`
	Commit      commitPart `json:"commit"`
	CreatedAt   int64      `json:"createdAt"`
	Delta       *delta     `json:"delta,omitempty"`
	TriggeredBy string     `json:"triggeredBy,omitempty"`
	Type        string     `json:"type"`
}

type seedStack struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Labels      []string `json:"labels"`
}

func newRunBody(e *event.Event, site dialect.Site) runBody {
	at := stepOf(e)
	return runBody{
		Account: e.Organization.Name, State: at.word, StateVersion: at.number,
		Timestamp: seconds(e.OccurredAt), Millis: millis(e.OccurredAt), Note: e.Run.Note,
		Run: newRunPart(e, site), Stack: newStackPart(site, e.Workspace), WorkerPool: newWorkerPool(e.Run.WorkerPool),
		EventSource: eventSource, EventType: triggerRun,
	}
}

func newRunPart(e *event.Event, site dialect.Site) runPart {
	r := e.Run
	p := runPart{
		ID: runID(r), Branch: r.Branch, Commit: newCommitPart(r.Commit), CreatedAt: seconds(r.CreatedAt),
		DriftDetection: r.Drift, TriggeredBy: triggeredBy(r), Type: runType(e), URL: runURL(site, e),
	}
	if p.Type == typeTask {
		p.Command = r.Command
	}
	if p.CreatedAt == 0 {
		p.CreatedAt = seconds(e.OccurredAt)
	}
	if c := r.Changes; c != nil {
		p.Delta = &delta{Added: c.Add, Changed: c.Change, Deleted: c.Destroy, Resources: c.Total}
	}
	return p
}

// triggeredBy is §3.6: what asked for the run in the source's words, else who made it; nobody for a push.
func triggeredBy(r *event.Run) string {
	switch {
	case r.Trigger != "":
		return r.Trigger
	case r.Origin == "vcs" || r.CreatedBy == nil:
		return ""
	case r.CreatedBy.Email != "":
		return r.CreatedBy.Email
	}
	return r.CreatedBy.Name
}

func newCommitPart(c *event.Commit) commitPart {
	if c == nil {
		return commitPart{}
	}
	return commitPart{
		AuthorLogin: c.AuthorLogin, AuthorName: c.AuthorName, Hash: c.Hash, Message: c.Message, Timestamp: seconds(c.At), URL: c.URL,
	}
}

func newStackPart(site dialect.Site, w *event.Workspace) stackPart {
	return stackPart{
		ID: stackID(w), Name: w.Name, Description: w.Description, Labels: list(w.Tags), Repository: w.Repository,
		URL: stackURL(site, w), VCS: vcsWord(w.VCS),
	}
}

func newWorkerPool(p *event.WorkerPool) workerPool {
	if p == nil {
		return workerPool{Public: true, Labels: []string{}}
	}
	return workerPool{Public: p.Public, Labels: list(p.Labels), ID: p.ID, Name: p.Name}
}

// seed reduces a body to the form of 2021.
func (b runBody) seed() seedBody {
	return seedBody{
		Account: b.Account, State: b.State, StateVersion: b.StateVersion, Timestamp: b.Timestamp,
		Run: seedRun{
			ID: b.Run.ID, Branch: b.Run.Branch, Commit: b.Run.Commit, CreatedAt: b.Run.CreatedAt, Delta: b.Run.Delta,
			TriggeredBy: b.Run.TriggeredBy, Type: b.Run.Type,
		},
		Stack: seedStack{ID: b.Stack.ID, Name: b.Stack.Name, Description: b.Stack.Description, Labels: b.Stack.Labels},
	}
}

// list is never null in a body (§3.1).
func list(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
