package dispatch

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"carillon/internal/committer"
	"carillon/internal/delivery"
	"carillon/internal/transport"
)

// fly makes attempts, one after the other, as long as some lane has one to make.
func (d *Dispatcher) fly(f *flight) {
	for f != nil {
		d.attempt(f)
		f = d.scheduler.after(d.nano())
	}
}

// attempt makes one attempt of a delivery: it sends, decides what follows, and records it.
func (d *Dispatcher) attempt(f *flight) {
	row := &f.row
	c, o := d.compose(d.flying, row)
	if f.cancelled {
		o = &obstacle{class: delivery.ClassCancelled, detail: reasonCancelled}
	}
	started := d.deps.Now()
	var result delivery.Result
	switch {
	case o == nil:
		result, o = d.send(d.flying, f, &c)
	case o.class != "":
		result = delivery.Result{Class: o.class, Detail: o.detail, StartedAt: started.UTC()}
		if o.err != nil {
			d.deps.Log.Warn("a delivery can not be sent", "delivery", row.ID, "subscription", row.Subscription, "err", o)
		}
		o = nil
	}
	if o != nil {
		d.postpone(f, o)
		return
	}
	d.conclude(f, &c, result)
}

// send signs the message and sends it. Its obstacle is a reason of our own to try again without recording anything.
func (d *Dispatcher) send(ctx context.Context, f *flight, c *composition) (delivery.Result, *obstacle) {
	carrier := d.deps.Transports[c.version.Channel]
	if carrier == nil {
		return delivery.Result{
			Class: delivery.ClassConfig, StartedAt: d.deps.Now().UTC(), Detail: "nothing is set up here that carries " + string(c.version.Channel),
		}, nil
	}
	at := d.deps.Now()
	if err := d.seal(c.message, c.speaker, c.target, c.secrets, &f.row, at); err != nil {
		d.deps.Log.Warn("a delivery can not be signed", "delivery", f.row.ID, "dialect", c.speaker.Name(), "err", err)
		return delivery.Result{Class: delivery.ClassRender, StartedAt: at.UTC(), Detail: "the message could not be signed"}, nil
	}
	if first := f.entry.hash; first != 0 && first != c.hash {
		d.deps.Log.Warn("a delivery is not rendered as it was at its first attempt", "delivery", f.row.ID, "dialect", c.speaker.Name())
	}
	d.deps.Failpoint("dispatch.before-send")
	d.metrics.sending(&f.row, at)
	result := carrier.Send(ctx, transport.Lane{Key: c.target.Destination.String(), Concurrency: f.concurrency}, c.message)
	d.metrics.sent(c.speaker.Name(), c.version.Channel, result)
	d.deps.Failpoint("dispatch.after-send")
	if result.Class == delivery.ClassStopped || (ctx.Err() != nil && result.Class != delivery.ClassAnswered) {
		return result, &obstacle{class: delivery.ClassStopped}
	}
	return result, nil
}

// postpone puts a delivery back that could not be sent for a reason of our own: nothing is recorded, and it is tried
// again soon. One that was stopped in the middle may have been sent.
func (d *Dispatcher) postpone(f *flight, o *obstacle) {
	stopped := o.class == delivery.ClassStopped
	wait := min(time.Second<<min(f.entry.stumbles, 6), time.Minute)
	if !stopped && d.flying.Err() == nil {
		d.deps.Log.Error("a delivery has to wait", "delivery", f.row.ID, "subscription", f.row.Subscription, "err", o)
	}
	now := d.nano()
	d.scheduler.land(f, landing{aborted: true, stopped: stopped, due: now + int64(wait)}, now)
}

// conclude decides what follows from a result, frees the lane, and records it.
func (d *Dispatcher) conclude(f *flight, c *composition, result delivery.Result) {
	row := f.row
	ended := d.deps.Now().UTC()
	number, decision := 0, delivery.Decision{State: delivery.Cancelled}
	if result.Class != delivery.ClassCancelled {
		number = row.Attempts + 1
		decision = c.policy.Decide(number, result, row.ID.Time(), ended, rand.Float64())
		row.Attempts = number
	}
	if decision.State == delivery.Pending {
		row.Due = decision.Due
	}
	l := landing{
		state: decision.State, due: row.Due.UnixNano(), result: result, charged: charged(result),
		notifier: c.occurrence.isNotifier(), hash: c.hash,
		cause: row.Cause, subscription: row.Subscription, disableAfter: c.policy.DisableAfter,
	}
	if decision.Disable {
		l.disable = "the destination answered that it is gone"
	}
	v := d.scheduler.land(f, l, ended.UnixNano())
	if v.lost {
		d.deps.Log.Warn("an attempt ended after its shard was lost: it is not recorded", "delivery", row.ID)
		return
	}
	node, _ := d.lease.joined()
	a := delivery.Attempt{
		Delivery: row, Number: number, State: v.state, Result: result, Trigger: c.trigger(), Repeat: f.repeat && number > 0,
		BodyHash: c.hash, BodySize: c.size, Workspace: c.occurrence.workspace(), Node: node,
	}
	if c.target != nil {
		a.Address = c.target.Address
	}
	d.metrics.concluded(c, &a)
	d.answerFor(c, &a, v, decision.Reason)
	d.record(f, c, a)
}

// record hands an attempt to the committer, with what else belongs into its transaction.
func (d *Dispatcher) record(f *flight, c *composition, a delivery.Attempt) {
	r := committer.Record{Attempts: []delivery.Attempt{a}}
	if a.State == delivery.Pending {
		r.Moves = []delivery.Delivery{a.Delivery}
	}
	if a.State == delivery.Exhausted {
		r.Queue = d.fallback(c, &a.Delivery)
	}
	queued := slices.Clone(r.Queue)
	r.Done = func(err error) {
		if err == nil {
			d.deps.Failpoint("dispatch.after-record")
		}
		now := d.nano()
		d.scheduler.settled(f, &a.Delivery, a.State, err, now)
		if err == nil && len(queued) > 0 {
			d.offerRows(queued)
		}
	}
	d.deps.Failpoint("dispatch.before-record")
	d.deps.Committer.Record(r)
}

// trigger is what the notice was called, as far as that is known.
func (c *composition) trigger() string {
	if c.message != nil {
		return c.message.Trigger
	}
	return c.notice
}

// charged reports whether a failure says something about the destination, rather than about us.
func charged(r delivery.Result) bool {
	switch r.Class {
	case delivery.ClassAnswered:
		return !r.OK()
	case delivery.ClassRefused, delivery.ClassTimeout, delivery.ClassClosed, delivery.ClassDNS, delivery.ClassTLS, delivery.ClassForbidden:
		return true
	}
	return false
}
