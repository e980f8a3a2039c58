package ingest

import (
	"slices"
	"sync"

	"carillon/internal/event"
	"carillon/internal/ident"
)

// state is what is remembered of a run: how far it is, and its facts. It is never changed once made.
type state struct {
	event      ident.ID
	sequence   int64
	deliveries int
	status     event.Status
	awaiting   bool
	run        *event.Run
	workspace  *event.Workspace
	project    *event.Project
	numbers    map[string]int64
}

func stateOf(e *event.Event, deliveries int) *state {
	return &state{
		event: e.ID, sequence: e.Run.Sequence, deliveries: deliveries, status: e.Run.Status, awaiting: e.Run.Awaiting,
		run: e.Run, workspace: e.Workspace, project: e.Project, numbers: e.Numbers,
	}
}

// runs remembers the runs that were used last. It keeps two generations: what is used moves to the young one, and when
// that is full the old one is dropped. That forgets like a list in the order of use does, without one.
type runs struct {
	half int

	mu         sync.Mutex
	young, old map[ident.ID]*state
}

func newRuns(size int) *runs {
	return &runs{half: max(1, size/2), young: make(map[ident.ID]*state)}
}

func (r *runs) get(run ident.ID) *state {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.young[run]; s != nil {
		return s
	}
	s := r.old[run]
	if s != nil {
		delete(r.old, run)
		r.keep(run, s)
	}
	return s
}

func (r *runs) put(run ident.ID, s *state) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.old, run)
	r.keep(run, s)
}

func (r *runs) keep(run ident.ID, s *state) {
	if len(r.young) >= r.half && r.young[run] == nil {
		r.old, r.young = r.young, make(map[ident.ID]*state, r.half)
	}
	r.young[run] = s
}

func (r *runs) forget(run ident.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.young, run)
	delete(r.old, run)
}

// stripes is how many locks the runs share. Two runs on one lock wait for each other's commit: with this many that is
// rare, and only costs time.
const stripes = 4096

// locks let the steps of one run in one after the other.
type locks [stripes]sync.Mutex

// lock locks the runs of all items, in an order that is the same for everybody.
func (l *locks) lock(items []*item) (unlock func()) {
	if len(items) == 1 {
		if items[0].run == 0 {
			return func() {}
		}
		mu := &l[stripe(items[0].run)]
		mu.Lock()
		return mu.Unlock
	}
	var held []int
	for _, it := range items {
		if it.run != 0 {
			held = append(held, stripe(it.run))
		}
	}
	slices.Sort(held)
	held = slices.Compact(held)
	for _, n := range held {
		l[n].Lock()
	}
	return func() {
		for _, n := range held {
			l[n].Unlock()
		}
	}
}

// stripe spreads runs over the locks; their identifiers are hashes already.
func stripe(run ident.ID) int { return int(uint64(run) % stripes) }
