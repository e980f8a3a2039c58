package committer

import "time"

// longestGathering bounds how long an accept waits for others.
const longestGathering = 2 * time.Millisecond

// crowd foretells how many accepts the next commit will find. Callers that send one event after the other come back a
// moment after their commit, all of them; a writer that started at once would always meet the first one alone, and store
// a crowd in many small commits that each sync the disk. So it waits for as many as were there lately, at most as long
// as the last commit took. Where callers come one by one nobody waits.
type crowd struct {
	taken    int       // accepts of the last commit that had any
	size     int       // how many callers there are
	endedAt  time.Time // of the last commit
	patience time.Duration
}

// took notes how many accepts a commit takes.
func (c *crowd) took(accepts int) {
	if accepts > 0 {
		c.taken = accepts
	}
}

// committed notes that a commit ended while others waited already: those and the ones that are answered now will be
// there soon.
func (c *crowd) committed(waiting int, at time.Time, took time.Duration) {
	c.size = c.taken + waiting
	c.endedAt, c.patience = at, min(took, longestGathering)
}

// complete reports whether so many accepts need not wait any longer. Two callers are no crowd: what one of them saves
// the other one pays.
func (c *crowd) complete(waiting int) bool { return c.size < 3 || waiting >= c.size }

// wait says how long so many accepts still wait for others.
func (c *crowd) wait(waiting int, now time.Time) time.Duration {
	if c.complete(waiting) {
		return 0
	}
	return max(0, c.endedAt.Add(c.patience).Sub(now))
}
