package replay_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/replay"
	"carillon/internal/store"
)

func TestReplayQueuesTheChosenOldestFirst(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		all := w.fail(10, 12)
		w.happen(1, 0, delivery.Delivered, 200, 1)
		n := w.start("a", "", 0)
		id := w.create(n, failed())
		r := w.finish(n, id)
		if !slices.Equal(w.engine.origins(), idsOf(all)) {
			t.Errorf("sent again: %v\nwant %v", w.engine.origins(), idsOf(all))
		}
		p := r.Progress
		if r.State != replay.Done || r.Found != 120 || !r.Exact || p.Handled != 120 || p.Queued != 120 || p.Delivered != 120 || p.Pending() != 0 || p.Skipped.Total() != 0 {
			t.Errorf("%+v", r)
		}
		if r.CreatedBy != "ada" || r.FinishedAt.IsZero() || r.Lease != (replay.Lease{}) {
			t.Errorf("%+v", r)
		}
		for i, row := range w.engine.rows() {
			want := all[i]
			want.ID, want.Origin, want.Cause, want.Due = row.ID, all[i].ID, delivery.CauseReplay, row.Due
			want.Pinned, want.Unordered = false, false
			if row != want {
				t.Fatalf("row %d is %+v\nwant %+v", i, row, want)
			}
		}
	})
}

func TestPaceAndBoundHold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		pace, pending int
		auto          bool
		after         time.Duration
		want          int
	}{
		{"slow", 3, 0, true, 10 * time.Second, 33},
		{"default", 0, 0, true, 4 * time.Second, 250},
		{"fast", 1000, replay.MaxPending, true, 700 * time.Millisecond, 750},
		{"nothing ends", 50, 70, false, 30 * time.Second, 70},
		{"a bound below the pace", 50, 8, true, 10 * time.Second, 88},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in(t, func(w *world) {
				w.fail(1100, 1)
				w.engine.change(func(e *engine) { e.auto = c.auto })
				n := w.start("a", "", 0)
				d := failed()
				d.Pace, d.MaxPending = c.pace, c.pending
				began := time.Now()
				w.create(n, d)
				w.pass(c.after + 20*time.Millisecond)
				rows := w.engine.rows()
				if len(rows) > c.want || len(rows) < c.want*8/10 {
					t.Errorf("%d were queued after %v, want about %d", len(rows), c.after, c.want)
				}
				pace := time.Second / time.Duration(max(c.pace, 1))
				if c.pace == 0 {
					pace = time.Second / replay.DefaultPace
				}
				for i, row := range rows {
					if row.Due.Before(began) || (i > 0 && c.auto && row.Due.Sub(rows[i-1].Due) < pace*9/10) {
						t.Fatalf("row %d is due at %v, the one before at %v", i, row.Due, rows[max(i-1, 0)].Due)
					}
				}
			})
		})
	}
}

// TestCrashes ends a node at each step, lets another one take over, and counts: every delivery is sent again, once.
func TestCrashes(t *testing.T) {
	t.Parallel()
	for _, point := range []string{"replay.before-plan", "replay.before-enqueue", "replay.after-enqueue"} {
		for _, hit := range []int{1, 3} {
			for _, cancelled := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s:%d, cancelled %v", point, hit, cancelled), func(t *testing.T) {
					t.Parallel()
					in(t, func(w *world) { crash(w, point, hit, cancelled) })
				})
			}
		}
	}
}

func crash(w *world, point string, hit int, cancelled bool) {
	all := w.fail(40, 5)
	victim := w.start("victim", point, hit)
	id := w.create(victim, failed())
	w.pass(5 * time.Second)
	before := len(w.engine.rows())
	other := w.start("other", "", 0)
	w.pass(6 * time.Second)
	if got := len(w.engine.rows()); got != before {
		w.Errorf("%d were queued while the lease held", got-before)
	}
	if cancelled {
		if _, err := other.Cancel(w.ctx, admin, id, false); err != nil {
			w.Fatal(err)
		}
	}
	r := w.finish(other, id)
	p := r.Progress
	want := idsOf(all)
	state := replay.Done
	if cancelled {
		want, state = want[:before], replay.Cancelled
	}
	if got := w.engine.origins(); !slices.Equal(got, want) {
		w.Errorf("sent again: %d\n%v\nwant %d\n%v", len(got), got, len(want), want)
	}
	if r.State != state || p.Queued != len(want) || p.Delivered != len(want) || p.Handled != len(want) || p.Unknown != 0 {
		w.Errorf("%+v", r)
	}
}

func TestTroubleOfTheEngineLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	trouble := errors.New("no connection")
	for _, stored := range []bool{false, true} {
		t.Run(fmt.Sprintf("stored %v", stored), func(t *testing.T) {
			t.Parallel()
			in(t, func(w *world) {
				all := w.fail(60, 3)
				calls := 0
				w.engine.change(func(e *engine) {
					e.fault = func() (bool, error) {
						if calls++; calls%2 == 0 {
							return stored, trouble
						}
						return true, nil
					}
				})
				n := w.start("a", "", 0)
				r := w.finish(n, w.create(n, failed()))
				if !slices.Equal(w.engine.origins(), idsOf(all)) || r.Progress.Delivered != len(all) {
					t.Errorf("sent again: %v\nwant %v\n%+v", w.engine.origins(), idsOf(all), r)
				}
			})
		})
	}
}

func TestOneNodeWorksAtATimeAndASoftStopHandsOver(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		all := w.fail(100, 4)
		nodes := []*node{w.start("a", "", 0), w.start("b", "", 0), w.start("c", "", 0)}
		id := w.create(nodes[1], failed())
		w.pass(2500 * time.Millisecond)
		if got := len(w.engine.rows()); got != 150 {
			t.Errorf("%d were queued by three nodes in the time of one", got)
		}
		w.stop(nodes[1])
		w.pass(5100 * time.Millisecond)
		if got := len(w.engine.rows()); got <= 150 {
			t.Errorf("nobody went on: %d", got)
		}
		w.finish(nodes[0], id)
		if !slices.Equal(w.engine.origins(), idsOf(all)) {
			t.Errorf("sent again: %v\nwant %v", w.engine.origins(), idsOf(all))
		}
	})
}

func TestCounters(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		w.fail(120, 1)
		w.engine.change(func(e *engine) { e.state = delivery.Exhausted })
		n := w.start("a", "", 0)
		d := failed()
		id := w.create(n, d)
		w.pass(1500 * time.Millisecond)
		if p := w.get(n, id).Progress; p.Queued != 50 || p.Exhausted+p.Pending() != 50 || p.Handled != 50 {
			t.Errorf("half-way: %+v", p)
		}
		w.engine.change(func(e *engine) { e.state = delivery.Delivered })
		p := w.finish(n, id).Progress
		if p.Queued != 120 || p.Delivered+p.Exhausted != 120 || p.Exhausted < 50 || p.Delivered < 20 {
			t.Errorf("%+v", p)
		}
	})
}

func TestCancel(t *testing.T) {
	t.Parallel()
	for _, pending := range []bool{false, true} {
		t.Run(fmt.Sprintf("pending %v", pending), func(t *testing.T) {
			t.Parallel()
			in(t, func(w *world) {
				w.fail(300, 1)
				w.engine.change(func(e *engine) { e.auto = false })
				worker, other := w.start("a", "", 0), w.start("b", "", 0)
				id := w.create(worker, failed())
				w.pass(1100 * time.Millisecond)
				r, err := other.Cancel(w.ctx, admin, id, pending)
				w.must(err)
				if r.State != replay.Cancelled || r.CancelledBy != "ada" || r.CancelledAt.IsZero() || r.Withdraw != pending {
					t.Errorf("%+v", r)
				}
				w.pass(3 * time.Second)
				rows := w.engine.rows()
				if len(rows) != 100 {
					t.Errorf("%d were queued", len(rows))
				}
				if !pending {
					if r := w.get(other, id); !r.FinishedAt.IsZero() || r.Progress.Pending() != 100 {
						t.Errorf("%+v", r)
					}
					for _, row := range rows {
						w.engine.deliver(row)
					}
				}
				p := w.finish(other, id).Progress
				if want := map[bool]int{true: 100}[pending]; p.Cancelled != want || p.Delivered != 100-want {
					t.Errorf("%+v", p)
				}
				again, err := worker.Cancel(w.ctx, admin, id, true)
				if err != nil || again.State != replay.Cancelled {
					t.Errorf("cancelled twice: %+v, %v", again, err)
				}
			})
		})
	}
}

func TestAReplayOfARemovedOrganizationIsLetGo(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		w.fail(200, 1)
		n := w.start("a", "", 0)
		id := w.create(n, failed())
		w.pass(1100 * time.Millisecond)
		_, err := w.store.Apply(w.ctx, []store.Change{store.Delete(store.KindReplay, id)})
		w.must(err)
		w.pass(time.Minute)
		if got := len(w.engine.rows()); got != 100 {
			t.Errorf("%d were queued", got)
		}
	})
}

func TestARestartAloneGoesOnAtOnce(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		all := w.fail(120, 1)
		victim := w.start("a", "replay.after-enqueue", 1)
		w.create(victim, failed())
		w.pass(1100 * time.Millisecond)
		s, err := replay.New(replay.Deps{Store: w.store, Engine: w.engine, Index: w.index, IDs: w.ids, NodeName: "a", Alone: true})
		w.must(err)
		s.Start()
		defer func() { w.must(s.Stop(w.ctx)) }()
		w.pass(3 * time.Second)
		if got := w.engine.origins(); !slices.Equal(got, idsOf(all)) {
			t.Errorf("sent again: %d of %d", len(got), len(all))
		}
	})
}

func TestHistoryThatIsGoneIsCounted(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		w.fail(3, 1)
		n := w.start("a", "", 0)
		id := w.create(n, failed())
		w.pass(500 * time.Millisecond)
		if _, err := w.store.Prune(w.ctx, time.Now().Add(time.Hour), 100); err != nil {
			t.Fatal(err)
		}
		if p := w.finish(n, id).Progress; p.Unknown != 3 || p.Queued != 3 {
			t.Errorf("%+v", p)
		}
	})
}

func TestSweep(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		w.fail(3, 1)
		n := w.start("a", "", 0)
		old := w.create(n, failed())
		w.finish(n, old)
		time.Sleep(48 * time.Hour)
		w.engine.change(func(e *engine) { e.auto = false })
		w.fail(3, 2)
		running := w.create(n, failed())
		w.pass(2 * time.Second)
		removed, err := n.Sweep(w.ctx, time.Now().Add(-24*time.Hour))
		if err != nil || removed != 1 {
			t.Errorf("%d, %v", removed, err)
		}
		all, err := n.List(w.ctx, admin, organization, store.Page{})
		if err != nil || len(all) != 1 || all[0].ID != running {
			t.Errorf("%v, %v", all, err)
		}
	})
}
