package storetest

import (
	"cmp"
	"fmt"
	"slices"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

var deliveryParts = []part{
	{"deliveries/filters, pages and counts", listDeliveries},
	{"deliveries/one by ID", oneDelivery},
	{"deliveries/they move from the queue to the history", movingDelivery},
}

// log is what an estate's deliveries came to, beside the accounts that the test keeps of it.
type log struct {
	estate
	summaries []store.Summary // in the order of their IDs
	places    map[ident.ID]ident.ID
}

// fill gives the estate deliveries in every state, with and without tries, by every cause.
func (w *world) fill() log {
	w.Helper()
	l := log{estate: w.settle(), places: map[ident.ID]ident.ID{}}
	var b store.Batch
	keep := func(d delivery.Delivery, state delivery.State, last *delivery.Attempt) {
		if last != nil {
			last.Workspace = l.places[d.ID]
			b.Attempts = append(b.Attempts, *last)
			if last.State == delivery.Pending {
				b.Moves = append(b.Moves, last.Delivery)
			}
			d = last.Delivery
		}
		l.summaries = append(l.summaries, store.Summary{Delivery: d, State: state, Last: last})
	}
	end := func(i int, d delivery.Delivery) {
		var last delivery.Attempt
		switch i % 6 {
		case 0:
			keep(d, delivery.Pending, nil)
			return
		case 1:
			last = w.attempt(d, delivery.Delivered, 200)
		case 2:
			last = w.attempt(d, delivery.Exhausted, 410)
		case 3:
			last = w.cancelled(d)
		case 4:
			last = w.attempt(d, delivery.Pending, 503)
		case 5:
			first := w.attempt(d, delivery.Pending, 500)
			first.Workspace = l.places[d.ID]
			b.Attempts = append(b.Attempts, first)
			last = w.attempt(first.Delivery, delivery.Exhausted, 0)
		}
		keep(d, last.State, &last)
	}
	for i, e := range l.events {
		rows, err := w.QueueOf(w.ctx, 1001, e.ID, 1)
		w.must(err)
		l.places[rows[0].ID] = e.Workspace
		end(i, rows[0])
		if cause := delivery.Cause(i % 5); cause != delivery.CauseEvent {
			again := w.again(rows[0], cause)
			again.Subscription = ident.ID(1001 + i%3)
			again.Destination = ident.Derive("destination", fmt.Sprint(i%3))
			l.places[again.ID] = e.Workspace
			if cause == delivery.CauseVerification {
				again.Event, again.Run, again.Sequence, again.Origin = 0, 0, 0, 0
				last := w.attempt(again, delivery.Delivered, 202)
				keep(again, delivery.Delivered, &last)
				continue
			}
			b.Queue = append(b.Queue, again)
			end(i+int(cause), again)
		}
	}
	w.commit(b)
	slices.SortFunc(l.summaries, func(a, b store.Summary) int { return cmp.Compare(a.Delivery.ID, b.Delivery.ID) })
	return l
}

// listed is the rule of DeliveryFilter.
func (l log) listed(f store.DeliveryFilter, s store.Summary) bool {
	d := s.Delivery
	switch {
	case f.Organizations != nil && !slices.Contains(f.Organizations, d.Organization),
		f.Workspace != 0 && l.places[d.ID] != f.Workspace,
		f.Run != 0 && d.Run != f.Run,
		f.Event != 0 && d.Event != f.Event,
		f.Subscription != 0 && d.Subscription != f.Subscription,
		f.Destination != 0 && d.Destination != f.Destination,
		f.States != nil && !slices.Contains(f.States, s.State),
		f.Cause != nil && d.Cause != *f.Cause,
		!within(f.Range, d.ID):
		return false
	}
	if f.StatusFrom == 0 && f.StatusTo == 0 {
		return true
	}
	// Who asks for a status asks for answers.
	return s.Last != nil && s.Last.Result.Class == delivery.ClassAnswered && s.Last.Result.Status >= f.StatusFrom &&
		(f.StatusTo == 0 || s.Last.Result.Status <= f.StatusTo)
}

func (l log) filters() map[string]store.DeliveryFilter {
	one, two := []ident.ID{l.first}, []ident.ID{l.second, l.first}
	replay, plain := delivery.CauseReplay, delivery.CauseEvent
	middle := l.summaries[len(l.summaries)/2].Delivery.ID.Time()
	filters := map[string]store.DeliveryFilter{
		"all":                      {},
		"organization":             {Organizations: one},
		"the other one":            {Organizations: []ident.ID{l.second}},
		"two organizations":        {Organizations: two},
		"no organization":          {Organizations: []ident.ID{}},
		"workspace":                {Workspace: l.right},
		"workspace, organization":  {Workspace: l.left, Organizations: one},
		"workspace, wrong one":     {Workspace: l.left, Organizations: []ident.ID{l.second}},
		"run":                      {Run: l.runs[1]},
		"run, organizations":       {Run: l.runs[4], Organizations: two},
		"event":                    {Event: l.events[3].ID},
		"event, state":             {Event: l.events[3].ID, States: []delivery.State{delivery.Cancelled}},
		"unknown event":            {Event: 77},
		"subscription":             {Subscription: 1001},
		"another subscription":     {Subscription: 1003},
		"subscription, failed":     {Subscription: 1001, States: []delivery.State{delivery.Exhausted, delivery.Cancelled}},
		"subscription, workspace":  {Subscription: 1001, Workspace: l.right},
		"subscription, pending":    {Subscription: 1001, Organizations: one, States: []delivery.State{delivery.Pending}},
		"destination":              {Destination: ident.Derive("destination", "1")},
		"destination, pending":     {Destination: ident.Derive("destination", "1"), States: []delivery.State{delivery.Pending}},
		"every state":              {States: delivery.States()},
		"failed of a workspace":    {Workspace: l.left, States: []delivery.State{delivery.Exhausted}},
		"failed or pending":        {Organizations: one, States: []delivery.State{delivery.Exhausted, delivery.Pending}},
		"answered":                 {StatusFrom: 1},
		"answered below 500":       {StatusTo: 499},
		"5xx":                      {StatusFrom: 500, StatusTo: 599, Organizations: one},
		"503, pending":             {StatusFrom: 503, StatusTo: 503, States: []delivery.State{delivery.Pending}},
		"410 of a subscription":    {StatusFrom: 410, StatusTo: 410, Subscription: 1001},
		"2xx of a workspace":       {StatusFrom: 200, StatusTo: 299, Workspace: l.right},
		"replays":                  {Cause: &replay},
		"replays of a workspace":   {Cause: &replay, Workspace: l.left},
		"plain ones":               {Cause: &plain, Organizations: two},
		"from":                     {Range: store.Range{From: middle}},
		"to":                       {Range: store.Range{To: middle}, Organizations: one},
		"from, workspace":          {Range: store.Range{From: middle}, Workspace: l.left},
		"to, subscription, failed": {Range: store.Range{To: middle}, Subscription: 1001, States: []delivery.State{delivery.Exhausted}},
	}
	for _, state := range delivery.States() {
		filters[state.String()] = store.DeliveryFilter{States: []delivery.State{state}}
		filters[state.String()+" of an organization"] = store.DeliveryFilter{States: []delivery.State{state}, Organizations: one}
	}
	return filters
}

func listDeliveries(w *world) {
	l := w.fill()
	for name, filter := range l.filters() {
		all := slices.DeleteFunc(slices.Clone(l.summaries), func(s store.Summary) bool { return !l.listed(filter, s) })
		var ids []ident.ID
		for _, s := range all {
			ids = append(ids, s.Delivery.ID)
		}
		for at, page := range pagesOf(ids) {
			got, err := w.ListDeliveries(w.ctx, filter, page)
			w.must(err)
			w.equal(name+", "+at, got, paged(all, func(s store.Summary) ident.ID { return s.Delivery.ID }, page))
		}
		for _, limit := range []int{1, 3, 1000} {
			n, err := w.CountDeliveries(w.ctx, filter, limit)
			w.must(err)
			w.equal(fmt.Sprintf("%s, count up to %d", name, limit), n, min(limit, len(all)))
		}
	}
}

func oneDelivery(w *world) {
	l := w.fill()
	for _, want := range l.summaries {
		got, err := w.Delivery(w.ctx, want.Delivery.ID)
		w.must(err)
		w.equal(want.State.String(), got, want)
	}
	_, err := w.Delivery(w.ctx, w.id())
	w.wantErr("unknown", err, store.ErrNotFound)
}

// movingDelivery follows one delivery: it is in the list exactly once at any time.
func movingDelivery(w *world) {
	a := w.accept(1)
	check := func(what string, want store.Summary) {
		w.Helper()
		got, err := w.ListDeliveries(w.ctx, store.DeliveryFilter{Event: a.Event.ID}, store.Page{})
		w.must(err)
		w.equal(what, got, []store.Summary{want})
	}
	w.commit(store.Batch{Accepts: []store.Accept{a}})
	check("new", store.Summary{Delivery: a.Deliveries[0], State: delivery.Pending})
	failed := w.attempt(a.Deliveries[0], delivery.Pending, 500)
	w.commit(store.Batch{Attempts: []delivery.Attempt{failed}, Moves: []delivery.Delivery{failed.Delivery}})
	check("failed once", store.Summary{Delivery: failed.Delivery, State: delivery.Pending, Last: &failed})
	done := w.attempt(failed.Delivery, delivery.Delivered, 200)
	w.commit(store.Batch{Attempts: []delivery.Attempt{done}})
	check("delivered", store.Summary{Delivery: done.Delivery, State: delivery.Delivered, Last: &done})
}
