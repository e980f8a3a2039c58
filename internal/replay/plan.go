package replay

import (
	"context"
	"fmt"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/store"
)

const (
	// planLimit is how many deliveries are queued at once: as many as the engine stores in one transaction.
	planLimit = 500

	// judgeLimit is how many deliveries are judged in one step at most, so that a stretch of skipped ones does not keep a
	// step from ending.
	judgeLimit = 1000

	// searchPage is how many deliveries are chosen at a time.
	searchPage = 500
)

// plan decides what is queued next, as far as the pace and the bound on what is pending allow.
func (t *task) plan(ctx context.Context) error {
	if t.r.State != Running || t.r.Progress.Plan != nil {
		return nil
	}
	room := min(t.allowance(), t.r.MaxPending-len(t.r.Progress.Open), planLimit)
	if room <= 0 {
		return nil
	}
	plan := &Plan{}
	t.rows = nil
	for judged := 0; judged < judgeLimit && len(plan.Items) < room; judged++ {
		more, err := t.next(ctx, plan)
		if err != nil && plan.To == 0 {
			return err
		}
		if err != nil || !more {
			break // an error comes again with the next step, behind what was judged before it
		}
	}
	t.budget -= float64(len(plan.Items))
	switch {
	case len(plan.Items) > 0:
		t.r.Progress.Plan, t.dirty = plan, true
	case plan.To != 0:
		t.r.Progress.pass(plan.To, 0, plan.Skipped)
		t.dirty = true
	}
	return nil
}

// next takes one more delivery into a plan; false means that there is none.
func (t *task) next(ctx context.Context, plan *Plan) (bool, error) {
	if len(t.chosen) == 0 && !t.ended {
		if err := t.search(ctx, plan); err != nil {
			return false, err
		}
	}
	if len(t.chosen) == 0 {
		return false, nil
	}
	if err := t.consider(ctx, plan, &t.chosen[0]); err != nil {
		return false, err
	}
	t.chosen = t.chosen[1:]
	return true, nil
}

// consider judges one delivery. What is sent again is due at the pace, so that it does not come in bursts.
func (t *task) consider(ctx context.Context, plan *Plan, chosen *store.Summary) error {
	judged, err := t.s.judge(ctx, t.r.Filter, chosen)
	if err != nil {
		return err
	}
	plan.To = chosen.Delivery.ID
	if judged.skips() {
		plan.Skipped = plan.Skipped.plus(judged.skipped)
		return nil
	}
	due := t.s.utcNow().Add(time.Duration(len(plan.Items)) * time.Second / time.Duration(t.r.Pace))
	sub := judged.subscription
	again := chosen.Delivery.Again(t.s.IDs.New(), delivery.CauseReplay, sub, due, t.s.unordered(sub))
	plan.Items = append(plan.Items, Item(again.Key()))
	t.rows = append(t.rows, again)
	return nil
}

// search chooses the next deliveries. That may take a while where few of many are chosen; the lease is kept meanwhile.
func (t *task) search(ctx context.Context, plan *Plan) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	page := store.Page{After: max(t.r.Progress.Cursor, plan.To), Limit: searchPage}
	type answer struct {
		found []store.Summary
		err   error
	}
	answered := make(chan answer, 1)
	go func() {
		found, err := t.s.Store.ListDeliveries(ctx, t.r.Filter, page)
		answered <- answer{found, err}
	}()
	renewal := time.NewTicker(leaseTTL / 5)
	defer renewal.Stop()
	for {
		select {
		case a := <-answered:
			if a.err != nil {
				return fmt.Errorf("choose deliveries: %w", a.err)
			}
			t.chosen, t.ended = a.found, len(a.found) < searchPage
			return nil
		case <-renewal.C:
			if err := t.save(ctx); err != nil {
				cancel()
				<-answered
				return err
			}
		}
	}
}

// allowance is how many deliveries the pace allows now.
func (t *task) allowance() int {
	now := t.s.Now()
	t.budget = min(t.most(), t.budget+now.Sub(t.budgetAt).Seconds()*float64(t.r.Pace))
	t.budgetAt = now
	return int(t.budget)
}

// most is how many deliveries one beat allows.
func (t *task) most() float64 { return max(1, float64(t.r.Pace)*t.beat().Seconds()) }
