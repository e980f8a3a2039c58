package dispatch

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// landing is how an attempt ended, as its lane must know.
type landing struct {
	state delivery.State
	due   int64 // when state is Pending

	// aborted says that nothing is to be recorded: we were stopped in the middle, or could not begin for a reason of our
	// own. The delivery is due again at due.
	aborted bool
	stopped bool // of those: something may have been sent

	result   delivery.Result
	charged  bool // the result says something about the destination
	notifier bool // a delivery of one of our own notifier events: it causes no further ones
	hash     uint64

	cause        delivery.Cause
	subscription ident.ID
	disable      string // why the subscription is to be switched off, "" otherwise
	disableAfter int
}

// verdict is what follows from a landing beyond the delivery itself.
type verdict struct {
	lost      bool           // the shard is not ours any more: nothing may be recorded
	state     delivery.State // final word: a delivery that was cancelled in flight is not tried again
	failing   bool           // people are to be told
	recovered bool
	since     int64 // since when the destination was failing
	off       []switchOff
	remember  bool // what is remembered of the destination changed
}

// switchOff names a subscription that is to be switched off.
type switchOff struct {
	subscription ident.ID
	reason       string
}

// busy reports whether the verdict asks for anything that takes time.
func (v *verdict) busy() bool { return v.failing || v.recovered || v.remember || len(v.off) > 0 }

// land takes an attempt back: it frees the destination's slot, moves the run and the back-off state on, and says what
// else follows.
func (s *scheduler) land(f *flight, o landing, now int64) (v verdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	home, l, e := f.shard, f.lane, f.entry
	if !home.held || home.tenure != f.tenure {
		return verdict{lost: true}
	}
	home.inflight--
	l.inflight--
	if e.chain != nil && e.chain.active == e {
		e.chain.active = nil
	}
	v.state = o.state
	if o.aborted {
		s.abort(f, o, now)
	} else {
		s.settle(f, o, &v, now)
	}
	s.touch(l, now)
	s.checkDrained(home)
	if v.busy() {
		s.pump(now)
	} else {
		s.rearm(now)
	}
	return v
}

// abort puts a delivery back whose attempt came to nothing.
func (s *scheduler) abort(f *flight, o landing, now int64) {
	e := f.entry
	if o.stopped {
		f.shard.tainted = true
	} else {
		e.stumbles++
	}
	e.due = o.due
	f.lane.arrange(e, now)
	if e.chain != nil {
		f.lane.promote(e.chain, now)
	}
}

// settle notes what the attempt led to; its record is about to be made.
func (s *scheduler) settle(f *flight, o landing, v *verdict, now int64) {
	l, e := f.lane, f.entry
	if e.cancelled && v.state == delivery.Pending {
		v.state = delivery.Cancelled
	}
	e.stage, e.stumbles = settling, 0
	l.clear(e)
	if e.hash == 0 {
		e.hash = o.hash
	}
	f.shard.settling++
	s.settling++
	l.shed(e) // the record has it
	l.judge(f, o, v, now)
	if v.state != delivery.Pending {
		l.owe(-1)
		l.leave(e, now)
	} else if e.chain != nil {
		l.promote(e.chain, now)
	}
}

// judge moves the lane's back-off state and its subscriptions' counts.
func (l *lane) judge(f *flight, o landing, v *verdict, now int64) {
	p := l.profile(o.subscription)
	if o.result.Class != "" && o.result.Class != delivery.ClassCancelled {
		l.last = o.result
		l.last.Response = nil
	}
	v.since = l.circuit.since
	switch {
	case o.state == delivery.Delivered:
		l.succeed(p, o.notifier, v)
	case o.charged:
		l.circuit.fail(now, f.probe)
		v.since = l.circuit.since
		if o.result.Status == 429 {
			l.circuit.hold(now, o.result.RetryAfter)
		}
		v.remember = l.circuit.failures == failingAfter
		if l.circuit.failing() && l.circuit.told == 0 && !o.notifier {
			l.circuit.told, v.failing, v.remember = l.circuit.since, true, true
		}
	}
	if v.state == delivery.Exhausted && o.charged && o.disableAfter > 0 && (o.cause == delivery.CauseEvent || o.cause == delivery.CauseFallback) {
		p.ended++
		v.remember = true
	}
	l.condemn(p, o, v, now)
}

// succeed notes a success: the destination is well again.
func (l *lane) succeed(p *profile, notifier bool, v *verdict) {
	told := l.circuit.told
	v.remember = l.circuit.failing() || p.ended > 0
	l.circuit.reset()
	p.ended = 0
	switch {
	case told != 0 && notifier:
		l.circuit.told = told
	case told != 0:
		v.recovered, v.remember, v.since = true, true, told
	}
}

// condemn decides which subscriptions are switched off.
func (l *lane) condemn(p *profile, o landing, v *verdict, now int64) {
	off := func(id ident.ID, p *profile, reason string) {
		if !p.switching && p.enabled {
			p.switching = true
			v.off = append(v.off, switchOff{id, reason})
		}
	}
	if o.disable != "" {
		off(o.subscription, p, o.disable)
	}
	if o.disableAfter > 0 && p.ended >= o.disableAfter {
		off(o.subscription, p, "too many deliveries in a row failed")
	}
	if !o.charged || l.circuit.since == 0 {
		return
	}
	for id, each := range l.profiles {
		if each.failing > 0 && time.Duration(now-l.circuit.since) >= each.failing {
			off(id, each, "the destination has been failing for too long")
		}
	}
	slices.SortFunc(v.off, func(a, b switchOff) int { return cmp.Compare(a.subscription, b.subscription) })
}

// settled ends what land began, once the record is durable or is known not to become so.
func (s *scheduler) settled(f *flight, row *delivery.Delivery, state delivery.State, err error, now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	home, l, e := f.shard, f.lane, f.entry
	home.settling--
	s.settling--
	if home.held && home.tenure == f.tenure {
		switch {
		case errors.Is(err, store.ErrFenced):
			s.drop(home)
			s.fenced()
		case err != nil:
			home.tainted = true
		case state != delivery.Pending:
			l.forget(e)
		default:
			e.due = row.Due.UnixNano()
			if e.cancelled {
				e.due = now // it was cancelled meanwhile: its next turn ends it
			}
			if !l.full() {
				l.keep(e, row)
			}
			l.arrange(e, now)
		}
		s.touch(l, now)
		s.checkDrained(home)
	}
	s.checkIdle()
	s.pump(now)
}

// after ends an attempt's part in the whole and hands the next one to the same goroutine.
func (s *scheduler) after(now int64) *flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inflight--
	f := s.take(now)
	s.rearm(now)
	s.checkIdle()
	return f
}

// checkDrained reports a shard that is to be released and has nothing in flight left.
func (s *scheduler) checkDrained(home *shard) {
	if home.held && home.draining && home.idle() {
		s.drain()
	}
}

// checkIdle closes idle when the scheduler is stopping and has come to rest.
func (s *scheduler) checkIdle() {
	if s.stopping && s.inflight == 0 && s.settling == 0 {
		select {
		case <-s.idle:
		default:
			close(s.idle)
		}
	}
}
