package runner

import (
	"context"
	"crypto/rand"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"carillon/internal/event"
)

// messageDefault is what a run is called when nobody said anything.
const messageDefault = "Triggered via CLI"

// messageLimit bounds a message taken from a commit.
const messageLimit = 1000

// Facts is what is known about a run beside its output: where it belongs, who started it, of which commit.
type Facts struct {
	RunID   string // names the run; the same for all its events
	Place   Place
	Message string
	URL     string // of the job that the run is part of
	Actor   *event.Actor
	Trigger string // what asked for the run, in the job's words
	Branch  string
	Commit  *event.Commit
	Labels  []string

	Repository string // owner/name
	VCS        string // "github", "gitlab", …
	Job        string // the service that runs the job: "github", "jenkins", …; "" outside of one
	Tool       string
}

// Given is what the user said. It goes before everything that is found out.
type Given struct {
	RunID   string
	Place   Place
	Message string
	URL     string
	Actor   string
	Labels  []string
}

// Gather finds out the facts of a run: first what was given, then the variables that a CI service sets, then git, then the
// operating system. dir is where the configuration lies: inv.Dir for a wrapped command. It waits for git no longer than a
// moment and never fails: what can not be found stays empty.
func Gather(ctx context.Context, given Given, inv Invocation, dir string, env Environment) Facts {
	if dir == "" {
		dir = "."
	}
	var located Place
	if inv.Locate != nil {
		located = inv.Locate(dir, env)
	}
	job, checkout := ReadJob(env), readCheckout(ctx, dir, env)
	f := Facts{
		RunID:      first(given.RunID, env.Get("CARILLON_RUN_ID"), newRunID()),
		Place:      given.Place.Or(placeFrom(env)).Or(located),
		Message:    first(given.Message, env.Get("CARILLON_MESSAGE"), subject(job.Message)),
		URL:        first(given.URL, env.Get("CARILLON_RUN_URL"), job.URL),
		Trigger:    job.Trigger,
		Branch:     first(job.Branch, checkout.branch),
		Commit:     job.commit(checkout.commit),
		Labels:     given.Labels,
		Repository: first(job.Repository, checkout.repository),
		VCS:        first(job.VCS, checkout.vcs),
		Job:        job.Service,
		Tool:       inv.Tool,
	}
	f.Actor = actor(first(given.Actor, env.Get("CARILLON_ACTOR")), job, inv, env)
	if f.Trigger == "" && f.Actor != nil {
		f.Trigger = f.Actor.Name
	}
	if f.Message == "" && job.Service != "" && f.Commit != nil {
		f.Message = subject(f.Commit.Message)
	}
	f.Message = first(f.Message, messageDefault)
	if f.Place.Name == "" {
		f.Place.Name = directoryName(dir)
	}
	return f.fit()
}

// envelope returns an event with everything that all events of the facts share.
func (f Facts) envelope(kind event.Kind, at time.Time) event.Event {
	e := event.Event{
		Kind:         kind,
		OccurredAt:   at.UTC(),
		Organization: event.Organization{Name: f.Place.Organization},
		Workspace:    &event.Workspace{Name: f.Place.Name, Repository: f.Repository, VCS: f.VCS},
		Source:       event.Source{Kind: "cli"},
	}
	if f.Place.Project != "" {
		e.Project = &event.Project{Name: f.Place.Project}
	}
	for name, value := range map[string]string{"tool": f.Tool, "job": f.Job} {
		if value == "" {
			continue
		}
		if e.Source.Metadata == nil {
			e.Source.Metadata = map[string]string{}
		}
		e.Source.Metadata[name] = value
	}
	return e
}

// AssessmentEvent returns the event of a health assessment.
func (f Facts) AssessmentEvent(a event.Assessment, at time.Time) event.Event {
	e := f.envelope(event.KindAssessment, at)
	e.Key = "cli:" + f.RunID + ":assessment"
	e.Assessment = &a
	return e
}

func placeFrom(env Environment) Place {
	place, err := ParsePlace(env.Get("CARILLON_WORKSPACE"))
	if err != nil {
		return Place{}
	}
	return place
}

// actor names who started the run: whom the user named, whom the job names, for whom the tool acts, or the operating
// system's user.
func actor(given string, job Job, inv Invocation, env Environment) *event.Actor {
	if given != "" {
		return &event.Actor{Name: given}
	}
	if job.Service != "" {
		if job.Actor == (event.Actor{}) {
			return nil
		}
		return new(job.Actor)
	}
	if inv.Actor != nil {
		if found := inv.Actor(env); found != nil {
			return found
		}
	}
	current, err := user.Current()
	if err != nil {
		return nil
	}
	full, _, _ := strings.Cut(current.Name, ",") // the rest of the GECOS field is room and telephone
	if full == current.Username {
		full = ""
	}
	return &event.Actor{Name: current.Username, FullName: full}
}

func newRunID() string { return "run-" + strings.ToLower(rand.Text()) }

func directoryName(dir string) string {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	if name := filepath.Base(absolute); name != string(filepath.Separator) {
		return name
	}
	return "root"
}

func first(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}

// subject is the first line of a commit message.
func subject(message string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(message), "\n")
	return cut(strings.TrimSpace(line), messageLimit)
}

// cut shortens text to at most limit bytes without splitting a character.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "")
}
