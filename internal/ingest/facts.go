package ingest

import (
	"maps"
	"time"

	"carillon/internal/event"
)

// carry fills in what an event leaves out and an earlier event of the run said, so that every event is complete: sources
// often tell who started a run only once. What belongs to one step (its note, its error, its phase) is not carried.
func carry(e *event.Event, last *state) {
	r, known := e.Run, last.run
	r.ExternalIDs = union(known.ExternalIDs, r.ExternalIDs)
	fill(&r.Number, known.Number)
	fill(&r.Message, known.Message)
	fill(&r.URL, known.URL)
	fill(&r.Operation, known.Operation)
	fill(&r.NativeType, known.NativeType)
	fillTime(&r.CreatedAt, known.CreatedAt)
	fill(&r.CreatedBy, known.CreatedBy)
	fill(&r.Trigger, known.Trigger)
	fill(&r.Origin, known.Origin)
	fill(&r.Branch, known.Branch)
	fill(&r.Commit, known.Commit)
	fill(&r.Command, known.Command)
	fill(&r.HasChanges, known.HasChanges)
	fill(&r.AutoApply, known.AutoApply)
	fill(&r.Changes, known.Changes)
	fill(&r.Drift, known.Drift)
	fill(&r.Service, known.Service)
	fill(&r.WorkerPool, known.WorkerPool)
	if len(r.Labels) == 0 {
		r.Labels = known.Labels
	}
	if len(r.Variables) == 0 {
		r.Variables = known.Variables
	}
	if e.Workspace != nil && last.workspace != nil {
		carryWorkspace(e.Workspace, last.workspace)
	}
	if e.Project != nil && last.project != nil && e.Project.Name == last.project.Name {
		fill(&e.Project.URL, last.project.URL)
		e.Project.ExternalIDs = union(last.project.ExternalIDs, e.Project.ExternalIDs)
	}
}

func carryWorkspace(w, known *event.Workspace) {
	fill(&w.URL, known.URL)
	fill(&w.Description, known.Description)
	fill(&w.ExecutionMode, known.ExecutionMode)
	fill(&w.Module, known.Module)
	fill(&w.Repository, known.Repository)
	fill(&w.VCS, known.VCS)
	if len(w.Tags) == 0 {
		w.Tags = known.Tags
	}
	w.ExternalIDs = union(known.ExternalIDs, w.ExternalIDs)
}

func fill[T comparable](to *T, from T) {
	var zero T
	if *to == zero {
		*to = from
	}
}

func fillTime(to *time.Time, from time.Time) {
	if to.IsZero() {
		*to = from
	}
}

// union merges two maps without changing either; the newer one counts.
func union(known, newer map[string]string) map[string]string {
	switch {
	case len(known) == 0:
		return newer
	case len(newer) == 0:
		return known
	}
	merged := maps.Clone(known)
	maps.Copy(merged, newer)
	return merged
}
