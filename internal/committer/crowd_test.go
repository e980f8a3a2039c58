package committer

import (
	"testing"
	"time"
)

func TestACrowdIsAwaited(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	for _, test := range []struct {
		name             string
		taken, meanwhile int
		took, since      time.Duration
		waiting          int
		complete         bool
		wait             time.Duration
	}{
		{name: "nobody was there yet", waiting: 1, complete: true},
		{name: "one caller", taken: 1, took: time.Millisecond, waiting: 1, complete: true},
		{name: "two callers in turn", taken: 1, meanwhile: 1, took: time.Millisecond, waiting: 1, complete: true},
		{name: "the first of many", taken: 40, meanwhile: 24, took: time.Millisecond, waiting: 25, wait: time.Millisecond},
		{name: "all of them", taken: 40, meanwhile: 24, took: time.Millisecond, waiting: 64, complete: true},
		{name: "some went away", taken: 40, meanwhile: 24, took: time.Millisecond, since: 3 * time.Millisecond, waiting: 63},
		{name: "half of the time is over", taken: 9, took: time.Millisecond, since: 400 * time.Microsecond, waiting: 2, wait: 600 * time.Microsecond},
		{name: "a slow disk", taken: 9, took: time.Second, waiting: 2, wait: longestGathering},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var c crowd
			if test.taken > 0 {
				c.took(test.taken)
				c.committed(test.meanwhile, now, test.took)
			}
			c.took(0) // records alone say nothing about callers
			if got := c.complete(test.waiting); got != test.complete {
				t.Errorf("complete(%d) = %v", test.waiting, got)
			}
			if got := c.wait(test.waiting, now.Add(test.since)); got != test.wait {
				t.Errorf("wait(%d) = %v, want %v", test.waiting, got, test.wait)
			}
		})
	}
}
