package manage_test

import (
	"errors"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// log is a scene with a history: one run of net with a delivery that was answered, one that is pending, and a test request.
type log struct {
	*scene
	event                   event.Event
	answered, pending, test delivery.Delivery
}

func newLog(t *testing.T) *log {
	t.Helper()
	l := &log{scene: newScene(t)}
	l.event = *run("acme", "one", "net")
	l.event.Run = &event.Run{SourceID: "r-1", Status: event.StatusPlanning}
	must[[]subscription.Scope](t)(l.Register(l.ctx, &l.event))
	first := l.ids.Block(4)
	l.event.ID, l.event.Run.ID = first, ident.Derive("run", l.net.ID.String(), "r-1")
	owed := func(n ident.ID) delivery.Delivery {
		return delivery.Delivery{
			ID: first + n*ident.Step, Event: first, Organization: l.acme.ID, Subscription: l.hook.ID, Version: 1,
			Destination: l.hook.Destination, Run: l.event.Run.ID, Due: l.clock.Now(),
		}
	}
	l.answered, l.pending, l.test = owed(1), owed(2), owed(3)
	l.test.Event, l.test.Run, l.test.Cause = 0, 0, delivery.CauseVerification
	body := must[[]byte](t)(event.Encode(&l.event))
	batch := &store.Batch{
		Accepts: []store.Accept{{
			Event: store.Event{
				ID: first, Organization: l.acme.ID, Project: l.one.ID, Workspace: l.net.ID, Kind: "run", Run: l.event.Run.ID,
				RunAlias: "plain:r-1", Deliveries: 2, Body: body,
			},
			Deliveries: []delivery.Delivery{l.answered, l.pending},
		}},
		Attempts: []delivery.Attempt{l.attempt(l.answered, 200), l.attempt(l.test, 404)},
	}
	if _, err := l.store.Commit(l.ctx, batch); err != nil {
		t.Fatal(err)
	}
	return l
}

// attempt is a final attempt that got an answer.
func (l *log) attempt(d delivery.Delivery, status int) delivery.Attempt {
	d.Attempts = 1
	a := delivery.Attempt{
		Delivery: d, Number: 1, State: delivery.Exhausted, Workspace: l.net.ID, Address: l.hook.Address, Trigger: "run",
		Result: delivery.Result{Class: delivery.ClassAnswered, Status: status, StartedAt: l.clock.Now(), Response: &delivery.Response{Status: status}},
	}
	if a.Result.OK() {
		a.State = delivery.Delivered
	}
	return a
}

func TestWhoReadsTheLog(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	for name, c := range map[string]struct {
		p    estate.Principal
		want int
	}{
		"administrator":                {admin, 3},
		"reader":                       {as(estate.RoleReader, l.acme.ID, 0, 0), 3},
		"the workspace's reader":       {as(estate.RoleReader, l.acme.ID, l.one.ID, l.net.ID), 3},
		"another workspace's reader":   {as(estate.RoleReader, l.acme.ID, l.one.ID, l.dns.ID), 0},
		"another organization's owner": {as(estate.RoleOwner, l.beta.ID, 0, 0), 0},
		"nobody":                       {estate.Principal{}, 0},
	} {
		list, err := l.Deliveries().List(l.ctx, c.p, store.DeliveryFilter{}, store.Page{})
		if err != nil || len(list) != c.want {
			t.Errorf("%s: %d deliveries, %v; want %d", name, len(list), err, c.want)
		}
		if n, err := l.Deliveries().Count(l.ctx, c.p, store.DeliveryFilter{}, 10); err != nil || n != c.want {
			t.Errorf("%s: counts %d, %v; want %d", name, n, err, c.want)
		}
		events, err := l.Events().List(l.ctx, c.p, store.EventFilter{}, store.Page{})
		if err != nil || (len(events) == 1) != (c.want > 0) {
			t.Errorf("%s: %d events, %v", name, len(events), err)
		}
		runs, err := l.Events().Runs(l.ctx, c.p, store.EventFilter{}, store.Page{})
		if err != nil || (len(runs) == 1) != (c.want > 0) {
			t.Errorf("%s: %d runs, %v", name, len(runs), err)
		}
		code := fault.NotFound
		if c.want > 0 {
			code = ""
		}
		_, _, err = l.Deliveries().Get(l.ctx, c.p, l.answered.ID)
		wantCode(t, err, code)
		_, err = l.Events().Get(l.ctx, c.p, l.event.ID)
		wantCode(t, err, code)
		for _, ref := range []estate.Ref{estate.ByID(l.event.Run.ID), estate.ByAlias("plain", "r-1")} {
			found, err := l.Events().Run(l.ctx, c.p, ref)
			wantCode(t, err, code)
			if code == "" && (len(found) != 1 || found[0].Run.SourceID != "r-1") {
				t.Errorf("%s: run = %+v", name, found)
			}
		}
	}
	_, _, err := l.Deliveries().Get(l.ctx, admin, 42)
	wantCode(t, err, fault.NotFound)
	_, err = l.Events().Run(l.ctx, admin, estate.ByAlias("plain", "none"))
	wantCode(t, err, fault.NotFound)
	if list := must[[]store.Summary](t)(l.Deliveries().List(l.ctx, admin, store.DeliveryFilter{Organizations: []ident.ID{l.beta.ID}}, store.Page{})); len(list) != 0 {
		t.Errorf("beta's deliveries = %+v", list)
	}
}

// A page of what somebody with few rights may see is filled from several pages of what there is.
func TestPagesOfWhatMayBeSeen(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	other := l.subscribe(l.acme.ID, subscription.LevelWorkspace, l.dns.ID)
	batch := &store.Batch{}
	for n := range 20 {
		d := delivery.Delivery{
			ID: l.ids.New(), Organization: l.acme.ID, Subscription: other.ID, Version: 1, Destination: other.Destination, Cause: delivery.CauseVerification,
		}
		a := l.attempt(d, 200)
		a.Workspace = l.dns.ID
		if n%7 == 3 {
			a.Workspace = l.net.ID
		}
		batch.Attempts = append(batch.Attempts, a)
	}
	if _, err := l.store.Commit(l.ctx, batch); err != nil {
		t.Fatal(err)
	}
	narrow := as(estate.RoleReader, l.acme.ID, l.one.ID, l.net.ID)
	for _, newest := range []bool{true, false} {
		page := store.Page{Limit: 3, Newest: newest}
		var seen []ident.ID
		for {
			list := must[[]store.Summary](t)(l.Deliveries().List(l.ctx, narrow, store.DeliveryFilter{}, page))
			if len(list) == 0 {
				break
			}
			for _, s := range list {
				seen = append(seen, s.Delivery.ID)
			}
			if newest {
				page.Before = seen[len(seen)-1]
			} else {
				page.After = seen[len(seen)-1]
			}
		}
		if len(seen) != 6 { // three of the scene, three of the twenty
			t.Errorf("newest %v: %d deliveries", newest, len(seen))
		}
	}
}

func TestLastAnswer(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	last := must[*delivery.Attempt](t)(l.Subscriptions().LastAnswer(l.ctx, admin, l.hook.ID))
	if last == nil || last.Result.Status != 404 {
		t.Errorf("last = %+v", last)
	}
	silent := l.subscribe(l.acme.ID, subscription.LevelWorkspace, l.dns.ID)
	if none := must[*delivery.Attempt](t)(l.Subscriptions().LastAnswer(l.ctx, admin, silent.ID)); none != nil {
		t.Errorf("none = %+v", none)
	}
}

func TestSentMasksSecrets(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	l.engine.rendered = &delivery.Message{
		URL: "https://hooks.example/masked", Body: []byte("body"), Masked: []string{"x-key"},
		Header: []delivery.HeaderField{{Name: "X-Key", Value: "k3y"}, {Name: "X-Open", Value: "o"}},
	}
	attempt := l.attempt(l.answered, 200)
	msg, exact, err := l.Deliveries().Sent(l.ctx, admin, attempt)
	if err != nil || !exact || msg.Get("X-Key") != "***" || msg.Get("X-Open") != "o" || msg.URL != hookSecrets.URL {
		t.Errorf("msg = %+v, %v", msg, err)
	}
	if l.engine.rendered.Get("X-Key") != "k3y" {
		t.Error("the engine's own message was changed")
	}
	msg, _, err = l.Deliveries().Sent(l.ctx, as(estate.RoleReader, l.acme.ID, 0, 0), attempt)
	if err != nil || msg.URL != attempt.Address {
		t.Errorf("a reader sees %q, %v", msg.URL, err)
	}
	must[subscription.Subscription](t)(l.Subscriptions().Update(l.ctx, admin, l.hook.ID, dialect.SaveOptions{}, func(_ *subscription.Subscription, p *subscription.Secrets) error {
		p.URL = "https://hooks.example/new"
		return nil
	}))
	if msg, _, err = l.Deliveries().Sent(l.ctx, admin, attempt); err != nil || msg.URL != hookSecrets.URL {
		t.Errorf("after the address changed: %q, %v", msg.URL, err)
	}
	attempt.Address = "https://hooks.example/…00000000"
	if msg, _, err = l.Deliveries().Sent(l.ctx, admin, attempt); err != nil || msg.URL != attempt.Address {
		t.Errorf("an address that no version has: %q, %v", msg.URL, err)
	}
	_, _, err = l.Deliveries().Sent(l.ctx, as(estate.RoleOwner, l.beta.ID, 0, 0), attempt)
	wantCode(t, err, fault.NotFound)
}

func TestRedeliver(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	moved := must[subscription.Subscription](t)(l.Subscriptions().Update(l.ctx, admin, l.hook.ID, dialect.SaveOptions{}, func(x *subscription.Subscription, p *subscription.Secrets) error {
		x.Name, p.URL = "renamed", "https://hooks.example/new"
		return nil
	}))
	l.clock.advance(time.Minute)
	again, attempt, err := l.Deliveries().Redeliver(l.ctx, admin, l.answered.ID, false)
	if err != nil || attempt != nil || len(l.engine.enqueued) != 1 || l.engine.enqueued[0] != again {
		t.Fatalf("again = %+v, %v", again, err)
	}
	if again.ID == l.answered.ID || again.Origin != l.answered.ID || again.Cause != delivery.CauseRedelivery || again.Version != 1 ||
		again.Destination != moved.Destination || !again.Unordered || again.Run != l.event.Run.ID || !again.Due.Equal(l.clock.Now()) {
		t.Errorf("again = %+v", again)
	}

	l.engine.status = 200
	_, attempt, err = l.Deliveries().Redeliver(l.ctx, admin, l.answered.ID, true)
	if err != nil || attempt == nil || !attempt.Result.OK() {
		t.Fatalf("attempt = %+v, %v", attempt, err)
	}
	single := l.engine.sent[0]
	if string(single.Message.Body) != "hook run" || single.Secrets.URL != "https://hooks.example/new" || single.Delivery.Origin != l.answered.ID {
		t.Errorf("sent %q to another address or as another delivery: %+v", single.Message.Body, single.Delivery)
	}
}

func TestWhatCanNotBeRedelivered(t *testing.T) {
	t.Parallel()
	disable := func(l *log) {
		if err := l.Switch(l.ctx, l.hook.ID, "failing"); err != nil {
			l.t.Fatal(err)
		}
	}
	cases := map[string]struct {
		prepare func(*log)
		p       func(*log) estate.Principal
		id      func(*log) ident.ID
		now     bool
		want    fault.Code
	}{
		"a test request, now":                 {nil, nil, func(l *log) ident.ID { return l.test.ID }, true, ""},
		"a test request, in its turn":         {nil, nil, func(l *log) ident.ID { return l.test.ID }, false, fault.Conflict},
		"a test request that came out anew":   {func(l *log) { l.engine.inexact = true }, nil, func(l *log) ident.ID { return l.test.ID }, true, fault.Conflict},
		"to a subscription that is off":       {disable, nil, nil, false, fault.Conflict},
		"to one that is off, now":             {disable, nil, nil, true, ""},
		"unknown":                             {nil, nil, func(*log) ident.ID { return 42 }, false, fault.NotFound},
		"by a reader":                         {nil, func(l *log) estate.Principal { return as(estate.RoleReader, l.acme.ID, 0, 0) }, nil, false, fault.Forbidden},
		"by a stranger":                       {nil, func(l *log) estate.Principal { return as(estate.RoleOwner, l.beta.ID, 0, 0) }, nil, false, fault.NotFound},
		"while the engine is down":            {func(l *log) { l.engine.fail = errors.New("stopping") }, nil, nil, false, fault.Internal},
		"now, while the engine is down":       {func(l *log) { l.engine.fail = errors.New("stopping") }, nil, nil, true, fault.Internal},
		"an event that says nothing any more": {func(l *log) { l.plain.mute = true }, nil, nil, true, fault.Conflict},
		"to a subscription that is gone": {func(l *log) {
			if err := l.Subscriptions().Delete(l.ctx, admin, l.hook.ID); err != nil {
				l.t.Fatal(err)
			}
		}, nil, nil, false, fault.Conflict},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLog(t)
			l.engine.status = 200
			if c.prepare != nil {
				c.prepare(l)
			}
			p, id := admin, l.answered.ID
			if c.p != nil {
				p = c.p(l)
			}
			if c.id != nil {
				id = c.id(l)
			}
			_, _, err := l.Deliveries().Redeliver(l.ctx, p, id, c.now)
			wantCode(t, err, c.want)
		})
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	wantCode(t, l.Deliveries().Cancel(l.ctx, as(estate.RoleWriter, l.acme.ID, 0, 0), l.pending.ID), fault.Forbidden)
	wantCode(t, l.Deliveries().Cancel(l.ctx, admin, l.answered.ID), fault.Conflict)
	if err := l.Deliveries().Cancel(l.ctx, admin, l.pending.ID); err != nil || len(l.engine.canceled) != 1 || l.engine.canceled[0] != l.pending.Key() {
		t.Errorf("canceled = %v, %v", l.engine.canceled, err)
	}
}

// The log of a deleted subscription stays readable, by the version that a delivery was made with.
func TestTheLogOutlivesTheSubscription(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	if err := l.Subscriptions().Delete(l.ctx, admin, l.hook.ID); err != nil {
		t.Fatal(err)
	}
	l.engine.rendered = &delivery.Message{URL: hookSecrets.URL}
	narrow := as(estate.RoleAdmin, l.acme.ID, l.one.ID, l.net.ID)
	if _, attempts, err := l.Deliveries().Get(l.ctx, narrow, l.answered.ID); err != nil || len(attempts) != 1 {
		t.Errorf("attempts = %v, %v", attempts, err)
	}
	if _, _, err := l.Deliveries().Sent(l.ctx, narrow, l.attempt(l.answered, 200)); err != nil {
		t.Error(err)
	}
}
