package storetest

import (
	"math"
	"strings"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

var attemptParts = []part{
	{"attempts/every field is kept", keepsAttemptFields},
	{"attempts/they are listed in the order they were made", attemptOrder},
	{"attempts/those that repeat a delivery belong to it", attemptsOfRepeats},
	{"attempts/the last one that was answered", lastAnswered},
}

func keepsAttemptFields(w *world) {
	a := w.accept(3, inRun(w.id(), 4))
	w.commit(store.Batch{Accepts: []store.Accept{a}})
	full := w.attempt(a.Deliveries[0], delivery.Pending, 503)
	full.Delivery.Due = w.tick().Add(90 * time.Second)
	full.Repeat, full.Node, full.BodyHash, full.BodySize = true, 63, math.MaxUint64-5, 1<<30
	full.Trigger, full.Address = "run:näh'; --", "https://receiver.test/…?x=\"y\""
	full.Result.Detail, full.Result.RetryAfter = "the receiver is overloaded", 90*time.Second
	full.Result.Response = &delivery.Response{
		Status:    503,
		Header:    map[string][]string{"Content-Type": {"text/plain"}, "Set-Cookie": {"a=1", "b=2"}, "X-Empty": {""}},
		Body:      append([]byte{0, 255, '\n'}, strings.Repeat("body ", 3000)...),
		Truncated: true,
	}
	bare := delivery.Attempt{Delivery: delivery.Delivery{ID: a.Deliveries[1].ID, Destination: 5}, State: delivery.Exhausted}
	empty := w.attempt(a.Deliveries[2], delivery.Delivered, 204)
	empty.Result.Response = &delivery.Response{Status: 204}
	w.commit(store.Batch{Attempts: []delivery.Attempt{full, bare, empty}})
	for name, want := range map[string]delivery.Attempt{"full": full, "bare": bare, "empty": empty} {
		got, err := w.Attempts(w.ctx, want.Delivery.ID)
		w.must(err)
		w.equal(name, got, []delivery.Attempt{want})
	}
	for _, class := range delivery.Classes() {
		d := w.again(a.Deliveries[0], delivery.CauseVerification)
		one := w.attempt(d, delivery.Exhausted, 0)
		one.Result.Class = class
		w.commit(store.Batch{Attempts: []delivery.Attempt{one}})
		got, err := w.Attempts(w.ctx, d.ID)
		w.must(err)
		w.equal(string(class), got, []delivery.Attempt{one})
	}
}

func attemptOrder(w *world) {
	a := w.accept(2)
	w.commit(store.Batch{Accepts: []store.Accept{a}})
	var want []delivery.Attempt
	d := a.Deliveries[0]
	for range 12 {
		attempt := w.attempt(d, delivery.Pending, 500)
		want, d = append(want, attempt), attempt.Delivery
		w.commit(store.Batch{Attempts: []delivery.Attempt{attempt}, Moves: []delivery.Delivery{d}})
	}
	end := w.cancelled(d) // it is number 0 and comes last all the same
	w.commit(store.Batch{Attempts: []delivery.Attempt{end}})
	got, err := w.Attempts(w.ctx, d.ID)
	w.must(err)
	w.equal("attempts", got, append(want, end))
	got, err = w.Attempts(w.ctx, a.Deliveries[1].ID)
	w.must(err)
	w.equal("attempts of a delivery that was not tried", got, nil)
	got, err = w.Attempts(w.ctx, w.id())
	w.must(err)
	w.equal("attempts of nothing", got, nil)
}

func attemptsOfRepeats(w *world) {
	a := w.accept(2)
	w.commit(store.Batch{Accepts: []store.Accept{a}})
	first := w.attempt(a.Deliveries[0], delivery.Exhausted, 500)
	neighbour := w.attempt(a.Deliveries[1], delivery.Delivered, 200)
	redelivery := w.again(a.Deliveries[0], delivery.CauseRedelivery)
	second := w.attempt(redelivery, delivery.Pending, 502)
	replay := w.again(redelivery, delivery.CauseReplay) // a repeat of a repeat names the first delivery as its origin
	third := w.attempt(replay, delivery.Delivered, 200)
	fourth := w.attempt(second.Delivery, delivery.Delivered, 201)
	fallback := w.again(a.Deliveries[0], delivery.CauseFallback) // nobody asked for it by hand, and it went elsewhere
	fifth := w.attempt(fallback, delivery.Delivered, 200)
	w.commit(store.Batch{
		Queue:    []delivery.Delivery{redelivery, replay, fallback},
		Attempts: []delivery.Attempt{first, neighbour, second, third, fourth, fifth},
	})
	for name, c := range map[string]struct {
		id   ident.ID
		want []delivery.Attempt
	}{
		"the origin":     {a.Deliveries[0].ID, []delivery.Attempt{first, second, third, fourth}},
		"the neighbour":  {a.Deliveries[1].ID, []delivery.Attempt{neighbour}},
		"the redelivery": {redelivery.ID, []delivery.Attempt{second, fourth}},
		"the fallback":   {fallback.ID, []delivery.Attempt{fifth}},
	} {
		got, err := w.Attempts(w.ctx, c.id)
		w.must(err)
		w.equal(name, got, c.want)
	}
}

func lastAnswered(w *world) {
	subscription := ident.ID(1001)
	_, err := w.LastAnswered(w.ctx, subscription)
	w.wantErr("before the first", err, store.ErrNotFound)
	a, b, c := w.accept(2), w.accept(2), w.accept(2)
	w.commit(store.Batch{Accepts: []store.Accept{a, b, c}})
	answered := w.attempt(a.Deliveries[0], delivery.Delivered, 200)
	failed := w.attempt(b.Deliveries[0], delivery.Pending, 500)
	silent := w.attempt(c.Deliveries[0], delivery.Exhausted, 0)
	other := w.attempt(c.Deliveries[1], delivery.Delivered, 200)
	silent.Delivery.Subscription = subscription
	w.commit(store.Batch{Attempts: []delivery.Attempt{silent}})
	_, err = w.LastAnswered(w.ctx, subscription)
	w.wantErr("no answer yet", err, store.ErrNotFound)
	for _, want := range []delivery.Attempt{answered, failed} {
		w.commit(store.Batch{Attempts: []delivery.Attempt{want, other}})
		got, err := w.LastAnswered(w.ctx, subscription)
		w.must(err)
		w.equal("last", got, want)
	}
	verification := w.again(a.Deliveries[0], delivery.CauseVerification)
	verified := w.attempt(verification, delivery.Delivered, 204)
	w.commit(store.Batch{Attempts: []delivery.Attempt{verified}})
	got, err := w.LastAnswered(w.ctx, subscription)
	w.must(err)
	w.equal("verification", got, verified)
}
