package dispatch

import "time"

// Condition is how a destination fares, as people see it.
type Condition string

// The conditions.
const (
	Healthy  Condition = "healthy"  // the last attempt succeeded, or there was none
	Degraded Condition = "degraded" // some attempts in a row failed
	Failing  Condition = "failing"  // many in a row: it is probed by one request at a time
	Disabled Condition = "disabled" // every subscription that is known to use it is switched off
)

// Conditions lists every condition.
func Conditions() []Condition { return []Condition{Healthy, Degraded, Failing, Disabled} }

const (
	failingAfter = 5 // attempts in a row

	firstProbe = 2 * time.Second // after the failure that made a destination failing
	lastProbe  = time.Minute     // the longest distance of two probes

	// longestHold bounds how long one answer of "too many requests" stops a whole lane; the delivery that got it honours
	// the receiver's wish by its policy.
	longestHold = time.Minute
)

// circuit is a lane's back-off state: it says when the lane may send at all, whatever is due in it.
type circuit struct {
	failures  int   // attempts in a row that failed
	since     int64 // when the first of them ended; 0 when healthy
	probeAt   int64 // when a failing destination is tried next
	probeWait time.Duration
	holdUntil int64 // a receiver that asked for patience

	// told is since when people were told that the destination is failing; 0 when they were not.
	told int64
}

// condition says how the destination fares.
func (c *circuit) condition() Condition {
	switch {
	case c.failures == 0:
		return Healthy
	case c.failures < failingAfter:
		return Degraded
	}
	return Failing
}

// failing reports whether the destination is probed only.
func (c *circuit) failing() bool { return c.failures >= failingAfter }

// fail notes a failed attempt. Only a probe makes the distance to the next one grow: what was in flight when the
// destination began to fail says nothing new.
func (c *circuit) fail(now int64, probe bool) {
	if c.failures == 0 {
		c.since = now
	}
	c.failures++
	switch {
	case c.failures == failingAfter:
		c.probeWait = firstProbe
	case c.failing() && probe:
		c.probeWait = min(2*c.probeWait, lastProbe)
	}
	if c.failing() {
		c.probeAt = max(c.probeAt, now+int64(c.probeWait))
	}
}

// hold stops the lane for as long as a receiver asked, within bounds.
func (c *circuit) hold(now int64, wish time.Duration) {
	if wish > 0 {
		c.holdUntil = max(c.holdUntil, now+int64(min(wish, longestHold)))
	}
}

// reset forgets every failure.
func (c *circuit) reset() { *c = circuit{} }

// opensAt returns when the lane may send. A delivery that is over its time is not held by the probing: it is due to end.
func (c *circuit) opensAt(overdue bool) int64 {
	if c.failing() && !overdue {
		return max(c.probeAt, c.holdUntil)
	}
	return c.holdUntil
}
