package bench

import (
	"context"
	"fmt"
	"time"
)

const (
	drainSpan  = 10 * time.Second // of draining a backlog that is watched
	crashAfter = 4 * time.Second
	crashSpan  = 20 * time.Second
)

// drain watches a server for a while that works its backlog off. How fast that goes says little, for it depends on what
// else is new; how much memory it takes is what counts.
func (m *measurement) drain(ctx context.Context) error {
	err := m.watch(ctx, func() (int64, error) { return 0, pause(ctx, drainSpan) })
	// The bodies carry the stamp of the event that they are copies of.
	m.figures.P50, m.figures.P99, m.figures.Max = 0, 0, 0
	return err
}

// crash starts a second node, hands events in there, and kills the first one. What the first one owned arrives when the
// second one has taken it over, so the longest way of a delivery is the time that takes.
func (m *measurement) crash(ctx context.Context) error {
	first := m.node
	second, err := start(ctx, m.o.Program, append(m.db.args(), "--node-name", "second")...)
	if err != nil {
		return fmt.Errorf("start a second node: %w", err)
	}
	m.node = second
	// Until the shards are shared evenly.
	if err := pause(ctx, crashSpan/2); err != nil {
		first.stop()
		return err
	}
	l := m.generator()
	return m.watch(ctx, func() (int64, error) {
		stop := time.AfterFunc(crashAfter, first.kill)
		l.run(ctx, crashSpan)
		if stop.Stop() {
			first.stop()
		}
		m.figures.Events, m.figures.Refused = l.accepted.Load(), l.refused.Load()
		return l.owed.Load(), nil
	})
}
