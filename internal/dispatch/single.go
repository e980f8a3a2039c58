package dispatch

import (
	"context"
	"fmt"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/fault"
	"carillon/internal/store"
	"carillon/internal/transport"
)

// Send makes one attempt that somebody waits for: a verification, a ping, a redelivery at once. It takes the same road as
// every other attempt from signing on, waits in no lane, is tried once, and is recorded. That the receiver failed is not
// an error: the attempt says so.
func (d *Dispatcher) Send(ctx context.Context, s dialect.Single) (delivery.Attempt, error) {
	if err := d.open(); err != nil {
		return delivery.Attempt{}, err
	}
	speaker := d.dialects[s.Subscription.Dialect]
	if speaker == nil || s.Message == nil {
		return delivery.Attempt{}, fault.New(fault.Unsupported, "Nothing can be sent in the dialect %q.", s.Subscription.Dialect)
	}
	row := s.Delivery
	result := d.sendSingle(ctx, speaker, s, &row)
	if err := ctx.Err(); err != nil && result.Class != delivery.ClassAnswered {
		return delivery.Attempt{}, err
	}
	row.Attempts++
	node, _ := d.lease.joined()
	a := delivery.Attempt{
		Delivery: row, Number: row.Attempts, State: delivery.Exhausted, Result: result, Trigger: s.Message.Trigger,
		Address: s.Subscription.Address, Node: node,
	}
	if result.OK() {
		a.State = delivery.Delivered
		d.scheduler.well(&row, d.nano())
	}
	a.BodyHash, a.BodySize = fingerprint(s.Message)
	if row.Event != 0 {
		if o, err := d.occurrence(ctx, row.Event); err == nil {
			a.Workspace = o.workspace()
		}
	}
	d.metrics.attempts(speaker.Name(), s.Message.Channel, a.State, result)
	// The attempt is history alone: it was never in the queue, and its shard may be another node's. So it is not fenced.
	batch := &store.Batch{Attempts: []delivery.Attempt{a}, Owner: node}
	if _, err := d.deps.Store.Commit(context.WithoutCancel(ctx), batch); err != nil {
		return a, fmt.Errorf("record the attempt: %w", err)
	}
	return a, nil
}

// sendSingle signs and sends.
func (d *Dispatcher) sendSingle(ctx context.Context, speaker dialect.Dialect, s dialect.Single, row *delivery.Delivery) delivery.Result {
	at := d.deps.Now()
	carrier := d.deps.Transports[s.Subscription.Channel]
	if carrier == nil {
		return delivery.Result{
			Class: delivery.ClassConfig, StartedAt: at.UTC(), Detail: "nothing is set up here that carries " + string(s.Subscription.Channel),
		}
	}
	limitTime(s.Message, d.policy(s.Subscription))
	if err := d.seal(s.Message, speaker, s.Subscription, given(s.Subscription, s.Secrets), row, at); err != nil {
		return delivery.Result{Class: delivery.ClassRender, StartedAt: at.UTC(), Detail: "the message could not be signed"}
	}
	destination := s.Subscription.Destination
	if destination == 0 {
		destination = row.Destination
	}
	lane := transport.Lane{Key: destination.String(), Concurrency: max(s.Subscription.Delivery.Concurrency, defaultConcurrency)}
	result := carrier.Send(ctx, lane, s.Message)
	d.metrics.sent(speaker.Name(), s.Subscription.Channel, result)
	return result
}

// well notes that a destination answered with success to something that was not in its lane.
func (s *scheduler) well(row *delivery.Delivery, now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.shards[row.Shard()].lanes[row.Destination]
	if l == nil {
		return
	}
	told := l.circuit.told
	l.circuit.reset()
	l.circuit.told = told // people are told with the next delivery
	if p := l.profiles[row.Subscription]; p != nil {
		p.ended = 0
	}
	s.touch(l, now)
	s.pump(now)
}
