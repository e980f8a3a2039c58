package dispatch

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// lateIndex is how long after its making a delivery's subscription may be unknown here because the index lags behind.
const lateIndex = time.Minute

// refresher keeps many deliveries from refreshing the index one after the other: one refresh that began after all of
// them asked serves them all.
type refresher struct {
	mu    sync.Mutex
	begun time.Time
}

// refresh brings the index up to date with other nodes.
func (d *Dispatcher) refresh(ctx context.Context) error {
	if d.deps.Refresh == nil {
		return nil
	}
	asked := time.Now()
	d.refreshing.mu.Lock()
	defer d.refreshing.mu.Unlock()
	if d.refreshing.begun.After(asked) {
		return nil
	}
	begun := time.Now()
	if err := d.deps.Refresh(ctx); err != nil {
		return fmt.Errorf("bring the index up to date: %w", err)
	}
	d.refreshing.begun = begun
	return nil
}
