package spacelift

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"carillon/internal/dialect"
	"carillon/internal/event"
)

// receivedRun is §3.1 as leniently as it must be read: members may be missing or null (§9). Numbers may be large.
type receivedRun struct {
	Account      string
	State        string
	StateVersion *int64
	Timestamp    float64
	Millis       int64 `json:"timestamp_millis"`
	Note         string
	Run          struct {
		ID             string
		Branch         string
		Command        string
		Commit         *receivedCommit
		CreatedAt      int64
		Delta          *delta
		DriftDetection bool
		TriggeredBy    string
		Type           string
		URL            string
	}
	Stack      receivedStack
	WorkerPool *workerPool
}

type receivedCommit struct {
	AuthorLogin string
	AuthorName  string
	Hash        string
	Message     string
	Timestamp   int64
	URL         string
}

type receivedStack struct {
	ID                string
	Name              string
	Description       string
	Labels            []string
	Repository        string
	URL               string
	VCS               string
	TerraformProvider string
	Branch            string
}

// receiveRun reads a run's transition. Its number orders it: the platform counts (§9).
func receiveRun(in dialect.Inbound) (event.Event, bool) {
	var p receivedRun
	if json.Unmarshal(in.Body, &p) != nil || p.Run.ID == "" || p.State == "" {
		return event.Event{}, false
	}
	e := newEvent(in, event.KindRun, nativeRun, p.Account)
	e.OccurredAt = p.at(in.At)
	e.Workspace = p.Stack.workspace()
	e.Workspace.Module = p.Run.Type == typeTesting
	e.Run = p.run()
	if p.StateVersion != nil {
		e.Key = key(p.Account, p.Run.ID, strconv.FormatInt(*p.StateVersion, 10))
		e.Run.Sequence, e.Run.Sequenced = *p.StateVersion, true
	} else {
		e.Key = key(p.Account, p.Run.ID, p.State, bodyKey(in.Body))
	}
	return e, true
}

func (p *receivedRun) at(otherwise time.Time) time.Time {
	switch {
	case p.Millis > 0:
		return time.UnixMilli(p.Millis).UTC()
	case p.Timestamp > 0:
		return time.UnixMilli(int64(p.Timestamp * 1000)).UTC()
	}
	return otherwise
}

func (p *receivedRun) run() *event.Run {
	r := &event.Run{
		SourceID: p.Run.ID, ExternalIDs: map[string]string{Name: p.Run.ID}, URL: p.Run.URL, NativeStatus: p.State,
		NativeType: p.Run.Type, Operation: operations[p.Run.Type], CreatedAt: moment(p.Run.CreatedAt), Trigger: p.Run.TriggeredBy,
		Branch: p.Run.Branch, Command: p.Run.Command, Note: p.Note, Drift: p.Run.DriftDetection, Service: true,
	}
	r.Status, r.Awaiting = statusOf(p.State, r.Operation, p.Run.Delta)
	if by := p.Run.TriggeredBy; by != "" {
		r.CreatedBy = &event.Actor{Name: by}
		if strings.Contains(by, "@") {
			r.CreatedBy.Email = by
		}
	}
	if c := p.Run.Commit; c != nil && *c != (receivedCommit{}) {
		r.Message = c.Message
		r.Commit = &event.Commit{
			AuthorLogin: c.AuthorLogin, AuthorName: c.AuthorName, Hash: c.Hash, Message: c.Message, At: moment(c.Timestamp), URL: c.URL,
		}
	}
	if d := p.Run.Delta; d != nil {
		r.Changes = &event.Changes{Add: d.Added, Change: d.Changed, Destroy: d.Deleted, Total: d.Resources}
		if p.planned() {
			changes := d.Added+d.Changed+d.Deleted > 0
			r.HasChanges = &changes
		}
	}
	if w := p.WorkerPool; w != nil {
		r.WorkerPool = &event.WorkerPool{Public: w.Public, ID: w.ID, Name: w.Name, Labels: w.Labels}
	}
	return r
}

// planned reports whether the delta is that of a finished plan.
func (p *receivedRun) planned() bool {
	return p.State != statePlanning && p.State != stateInitializing && p.State != stateQueued
}

// workspace is the stack or module; one without a printable name is called by its identifier.
func (s *receivedStack) workspace() *event.Workspace {
	w := &event.Workspace{
		Name: cmp.Or(printable(s.Name), printable(s.ID)), URL: s.URL, Description: s.Description, Tags: s.Labels, Repository: s.Repository,
		VCS: strings.ToLower(s.VCS),
	}
	if s.ID != "" {
		w.ExternalIDs = map[string]string{Name: s.ID}
	}
	return w
}

// printable drops what a name may not have.
func printable(name string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, name))
}

// operations turns run types into operations (§9).
var operations = map[string]event.Operation{
	typeProposed: event.OperationPlan, typeTracked: event.OperationApply, typeDestroy: event.OperationDestroy,
	typeTask: event.OperationTask, typeTesting: event.OperationTest,
}

// statusOther is the neutral status of a state that is not known; its word is kept beside it (§9).
const statusOther event.Status = "other"

// statusOf is the table of §4.3 read backwards, with the states that the platform alone has.
func statusOf(state string, operation event.Operation, changed *delta) (status event.Status, awaiting bool) {
	switch state {
	case stateQueued, "READY", "PREPARING", "PENDING":
		return event.StatusPending, false
	case stateInitializing:
		return "initializing", false
	case statePlanning, "REPLAN_REQUESTED", "PREPARING_REPLAN":
		return event.StatusPlanning, false
	case stateUnconfirmed, statePendingReview:
		return event.StatusPlanned, true
	case stateConfirmed, "PREPARING_APPLY":
		return event.StatusConfirmed, false
	case stateApplying, statePerforming, stateDestroying:
		return event.StatusApplying, false
	case stateFinished:
		unchanged := changed != nil && changed.Added+changed.Changed+changed.Deleted == 0
		if operation == event.OperationPlan || (operation == event.OperationApply && unchanged) {
			return event.StatusPlannedAndFinished, false
		}
		return event.StatusApplied, false
	case stateFailed:
		return event.StatusErrored, false
	case stateCanceled, stateStopped:
		return event.StatusCanceled, false
	case stateDiscarded:
		return event.StatusDiscarded, false
	case stateSkipped:
		return event.StatusSkipped, false
	}
	return statusOther, false
}

// moment is a time of the body; 0 is none.
func moment(seconds int64) time.Time {
	if seconds <= 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
