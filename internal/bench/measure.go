package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// drainTime is how long a measurement waits for what is still pending.
const drainTime = 60 * time.Second

// look is how often a measurement looks whether everything has arrived.
const look = 50 * time.Millisecond

// measurement is one scenario on a fresh database.
type measurement struct {
	o       Options
	s       Scenario
	sink    *process
	cluster *cluster
	db      *database
	node    *process
	figures Figures
}

// run prepares, measures and cleans up.
func (m *measurement) run(ctx context.Context) (err error) {
	if m.db, err = m.cluster.newDatabase(ctx, m.o.Dir, m.s.Name); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.db.remove(context.WithoutCancel(ctx))) }()
	if err := m.start(ctx); err != nil {
		return err
	}
	defer func() { m.node.stop() }()
	dialect, triggers, err := spoken(ctx, m.node, m.o.Dialect)
	if err != nil {
		return err
	}
	if err := prepare(ctx, m.node, m.sink.url, m.s, dialect, triggers); err != nil {
		return err
	}
	if m.s.Backlog+m.s.History > 0 {
		templates, err := learn(ctx, m.db, m.node, m.s)
		if err != nil {
			return err
		}
		if err := fill(ctx, m.db, templates, m.s.Backlog, m.s.History); err != nil {
			return err
		}
		if err := m.restart(ctx); err != nil {
			return err
		}
	}
	if err := m.load(ctx); err != nil {
		return fmt.Errorf("%w\n%s", err, m.node.log)
	}
	return nil
}

func (m *measurement) start(ctx context.Context) (err error) {
	m.node, err = start(ctx, m.o.Program, m.db.args()...)
	return err
}

// restart starts the server on a database that was filled, and notes when its first delivery arrives.
func (m *measurement) restart(ctx context.Context) error {
	if err := m.sink.ask(ctx, http.MethodDelete, "/arrivals", nil, nil); err != nil {
		return err
	}
	if err := m.start(ctx); err != nil {
		return err
	}
	if m.s.Backlog == 0 {
		return nil
	}
	arrived, err := m.await(ctx, 1)
	m.figures.First = arrived.FirstAt.Sub(m.node.began)
	return err
}

// load measures what the scenario asks for.
func (m *measurement) load(ctx context.Context) error {
	switch {
	case m.s.Backlog > 0:
		return m.drain(ctx)
	case m.s.Crash:
		return m.crash(ctx)
	}
	empty, err := m.db.emptyBytes(ctx)
	if err != nil {
		return err
	}
	l := m.generator()
	if err := m.watch(ctx, func() (int64, error) {
		l.run(ctx, m.s.Duration)
		return l.owed.Load(), nil
	}); err != nil {
		return err
	}
	m.figures.Events, m.figures.Refused = l.accepted.Load(), l.refused.Load()
	if m.s.Failing+m.s.Hanging == 0 {
		if err := settled(ctx, m.node); err != nil {
			return err
		}
	}
	return m.disk(ctx, empty)
}

func (m *measurement) generator() *load {
	workspaces := m.s.workspaces()
	return &load{
		url: m.node.url, token: token, workers: m.o.Workers, rate: m.s.Rate,
		workspace: func(n int64) string { return workspaceName(int(n % workspaces)) },
		healthy:   func(n int64) int64 { return m.s.healthy(n % workspaces) },
	}
}

// watch measures from before the work until as many deliveries arrived as the work says. Nothing before and nothing after
// it counts: no start, no preparation, no stop.
func (m *measurement) watch(ctx context.Context, work func() (owed int64, err error)) error {
	if err := m.sink.ask(ctx, http.MethodDelete, "/arrivals", nil, nil); err != nil {
		return err
	}
	before, err := m.cpu()
	if err != nil {
		return err
	}
	owed, err := work()
	if err != nil {
		return err
	}
	counted, err := m.await(ctx, owed)
	if err != nil {
		return err
	}
	after, err := m.cpu()
	if err != nil {
		return err
	}
	var arrived Arrivals
	if err := m.sink.ask(ctx, http.MethodGet, "/arrivals", nil, &arrived); err != nil {
		return err
	}
	f := &m.figures
	f.Deliveries, f.P50, f.P99, f.Max = counted.Healthy, arrived.P50, arrived.P99, arrived.Max
	f.BodyBytes = ratio(float64(arrived.Bytes), float64(arrived.Healthy))
	if span := counted.LastAt.Sub(counted.FirstAt); span > 0 {
		f.PerSecond = float64(counted.Healthy) / span.Seconds()
	}
	f.CPUPerDelivery = ratio(float64((after - before).Microseconds()), float64(counted.Healthy+counted.Failing))
	peak, err := peakBytes(m.node.pid())
	f.ResidentMB = float64(peak) / (1 << 20)
	return err
}

// cpu is what Carillon and its database have used.
func (m *measurement) cpu() (time.Duration, error) {
	own, err := cpuOf(m.node.pid())
	if err != nil {
		return 0, err
	}
	database, err := m.cluster.cpu()
	return own + database, err
}

// await waits until so many deliveries arrived at healthy destinations.
func (m *measurement) await(ctx context.Context, wanted int64) (now Arrivals, err error) {
	for deadline := time.Now().Add(drainTime); ; {
		if err := m.sink.ask(ctx, http.MethodGet, "/count", nil, &now); err != nil {
			return now, err
		}
		if now.Healthy >= wanted {
			return now, nil
		}
		if time.Now().After(deadline) {
			return now, fmt.Errorf("%d of %d deliveries arrived within %v", now.Healthy, wanted, drainTime)
		}
		if err := pause(ctx, look); err != nil {
			return now, err
		}
	}
}

// disk notes what a delivery takes in the database, beyond what was in it before the load.
func (m *measurement) disk(ctx context.Context, empty int64) error {
	if m.figures.Deliveries == 0 || m.s.History > 0 {
		return nil
	}
	m.node.stop()
	bytes, err := m.db.bytes(ctx)
	m.figures.BytesOnDisk = ratio(float64(bytes-empty), float64(m.figures.Deliveries))
	return err
}
