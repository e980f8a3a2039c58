package replay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/store"
)

// task is this node's work on one replay. Its goroutine alone touches it.
type task struct {
	s    *Service
	r    *Replay // as it is written, but for progress that is not yet
	wake chan struct{}

	dirty  bool            // there is such progress
	chosen []store.Summary // what the filter chose behind the cursor, to be judged next
	ended  bool            // nothing is behind that

	rows     []delivery.Delivery // of the plan
	budget   float64             // how many deliveries the pace allows now
	budgetAt time.Time
}

func newTask(s *Service, r *Replay) *task {
	t := &task{s: s, r: r, wake: make(chan struct{}, 1), budgetAt: s.Now()}
	t.budget = t.most()
	return t
}

// errLost says that the replay is another node's now, or was removed.
var errLost = errors.New("another node works on the replay")

// run works until the replay is finished or lost, or until the service stops.
func (t *task) run() {
	s := t.s
	if s.Refresh != nil {
		if err := s.Refresh(s.working); err != nil {
			s.Log.Error("refresh before a replay", "replay", t.r.ID.String(), "err", err)
		}
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-s.running.Done():
			t.release()
			return
		case <-timer.C:
		case <-t.wake:
		}
		wait := t.beat()
		switch err := t.step(s.working); {
		case errors.Is(err, errLost):
			s.Log.Info("a replay was taken over by another node, or removed", "replay", t.r.ID.String(), "org", t.r.OrganizationID.String())
			return
		case errors.Is(err, store.ErrRevision):
			wait = 0 // somebody changed it at the same moment: at once again
		case err != nil && s.working.Err() == nil:
			s.Log.Error("replay", "replay", t.r.ID.String(), "org", t.r.OrganizationID.String(), "err", err)
			wait = troublePause
		case t.r.finished():
			p := &t.r.Progress
			s.Log.Info("a replay is finished", "replay", t.r.ID.String(), "org", t.r.OrganizationID.String(), "state", string(t.r.State),
				"queued", p.Queued, "delivered", p.Delivered, "exhausted", p.Exhausted, "cancelled", p.Cancelled, "skipped", p.Skipped.Total())
			return
		}
		timer.Reset(wait)
	}
}

// beat is how long the steps are apart: short where many deliveries are asked for, because a step queues a bounded number.
func (t *task) beat() time.Duration {
	if t.r.Pace > planLimit {
		return time.Second / 4
	}
	return time.Second
}

// step brings the replay forward by one beat: it sees what ended, queues what the pace allows, and writes down how far it
// is.
func (t *task) step(ctx context.Context) error {
	for _, part := range []func(context.Context) error{t.read, t.resolve, t.settle, t.withdraw, t.plan, t.save} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return t.carryOut(ctx)
}

// read takes over what people changed: they may have cancelled the replay.
func (t *task) read(ctx context.Context) error {
	now, err := t.s.load(ctx, t.r.ID)
	if errors.Is(err, store.ErrNotFound) {
		return errLost
	}
	if err != nil {
		return err
	}
	if now.Lease.Holder != t.s.holder {
		return errLost
	}
	now.Progress = t.r.Progress
	t.r = now
	return nil
}

// save writes the progress, or only renews the lease, when either is due. A replay of which nothing is left ends with it.
func (t *task) save(ctx context.Context) error {
	now := t.s.utcNow()
	next := *t.r
	settled := next.Progress.Plan == nil && len(next.Progress.Open) == 0
	if next.State == Running && settled && t.ended && len(t.chosen) == 0 {
		next.State = Done
	}
	switch next.Lease = (Lease{Holder: t.s.holder, Until: now.Add(leaseTTL)}); {
	case next.State != Running && settled:
		next.FinishedAt, next.Lease = now, Lease{}
	case !t.dirty && t.r.Lease.Until.Sub(now) > renewWhen:
		return nil
	}
	if next.Progress.Plan != nil {
		t.s.Failpoint("replay.before-plan")
	}
	if err := t.s.write(ctx, &next); err != nil {
		t.drop()
		return err
	}
	t.r, t.dirty = &next, false
	return nil
}

// drop forgets a plan that is not carried out: what it held is chosen anew.
func (t *task) drop() {
	if t.r.Progress.Plan != nil {
		t.r.Progress.Plan, t.rows = nil, nil
		t.chosen, t.ended = nil, false
	}
}

// release lets other nodes go on at once, unless it is uncertain whether the plan was carried out: then the lease must end
// first, for until then it may be.
func (t *task) release() {
	next := *t.r
	if next.finished() || next.Progress.Plan != nil {
		return
	}
	next.Lease = Lease{}
	if err := t.s.write(t.s.working, &next); err != nil && !errors.Is(err, store.ErrRevision) {
		t.s.Log.Error("release a replay", "replay", next.ID.String(), "err", err)
	}
}

// carryOut queues what is planned.
func (t *task) carryOut(ctx context.Context) error {
	if t.r.Progress.Plan == nil {
		return nil
	}
	if !t.s.Now().Before(t.r.Lease.Until) {
		return errLost // too much time has passed since the plan was written: another node may have begun
	}
	t.s.Failpoint("replay.before-enqueue")
	if err := t.s.Engine.Enqueue(ctx, t.rows); err != nil {
		return fmt.Errorf("queue deliveries: %w", err)
	}
	t.s.Failpoint("replay.after-enqueue")
	t.r.Progress.carried()
	t.rows, t.dirty = nil, true
	return nil
}
