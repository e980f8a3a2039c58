package ingest

import (
	"context"
	"fmt"
	"maps"

	"carillon/internal/dialect"
	"carillon/internal/event"
)

// draw gives an event the numbers that the dialects of those who listen want and that its run does not have yet. A run
// that this node does not know is looked up before anything is drawn: known says that it was found.
func (i *Ingest) draw(ctx context.Context, it *item, e *event.Event, last *state) (known bool, err error) {
	e.Numbers = nil
	if last != nil {
		e.Numbers = last.numbers
	}
	if i.count == nil || e.Workspace == nil || e.Workspace.ID == 0 || e.Kind == event.KindTest {
		return false, nil
	}
	for _, name := range i.index.Dialects(it.places) {
		numberer, ok := i.dialects[name].(dialect.Numberer)
		if !ok || suppresses(i.dialects[name], e) {
			continue
		}
		for _, counter := range numberer.Counters(e) {
			if e.Numbers[counter] != 0 {
				continue
			}
			if last == nil && it.run != 0 {
				found, err := i.load(ctx, it.run)
				if err != nil || found != nil {
					return found != nil, err
				}
			}
			n, err := i.count(ctx, e.Workspace.ID, counter)
			if err != nil {
				return false, fmt.Errorf("number event: %w", err)
			}
			e.Numbers = with(e.Numbers, counter, n)
		}
	}
	return false, nil
}

// with adds a number and leaves the map that it is given as it is: the run's state holds it.
func with(numbers map[string]int64, counter string, n int64) map[string]int64 {
	numbers = maps.Clone(numbers)
	if numbers == nil {
		numbers = make(map[string]int64, 2)
	}
	numbers[counter] = n
	return numbers
}
