package scalr

import (
	"fmt"
	"strings"

	"carillon/internal/delivery"
	"carillon/internal/estate"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// deliveriesLimit bounds how far back a list of deliveries reaches: the newest ones of the accounts that it is about.
const deliveriesLimit = 10_000

func listDeliveries(c *call) (answer, error) {
	v, err := c.newView()
	if err != nil {
		return answer{}, err
	}
	filter, some, err := c.deliveryFilter(v)
	if err != nil {
		return answer{}, err
	}
	var all []logged
	if some {
		if all, err = c.walk(filter); err != nil {
			return answer{}, err
		}
	}
	// A search is for more than the name, so that it is a filter here.
	if search := v.query.Get("query"); search != "" {
		if all, err = c.searched(all, search); err != nil {
			return answer{}, err
		}
	}
	l := c.deliveryListing()
	if all, err = choose(v, all, l); err != nil {
		return answer{}, err
	}
	return pageOf(c, v, all, c.fullDelivery)
}

// walk gathers deliveries to webhooks of this dialect, without the answers: a page of them is read again.
func (c *call) walk(filter store.DeliveryFilter) ([]logged, error) {
	var all []logged
	visited := 0
	err := c.Walk.Walk(c, c.who, filter, func(summary *store.Summary, s *subscription.Subscription) (bool, error) {
		visited++
		if s != nil && s.Dialect == Name {
			light := *summary
			if light.Last != nil {
				last := *light.Last
				last.Result.Response = nil
				light.Last = &last
			}
			all = append(all, logged{summary: light, s: s})
		}
		return visited < deliveriesLimit, nil
	})
	return all, err
}

// fullDelivery renders a delivery with its answer.
func (c *call) fullDelivery(l *logged) (resource, error) {
	summary, _, err := c.Deliveries.Get(c, c.who, l.summary.Delivery.ID)
	if err != nil {
		return resource{}, err
	}
	return c.deliveryResource(&logged{summary: summary, s: l.s})
}

func showDelivery(c *call) (answer, error) {
	text := c.path("delivery")
	id, issued := deliveryIDs.Decode(text)
	if !issued {
		return answer{}, missing("Delivery", text)
	}
	summary, _, err := c.Deliveries.Get(c, c.who, id)
	if err != nil {
		return answer{}, seenAs(err, "Delivery", text)
	}
	d := summary.Delivery
	var found *logged
	filter := store.DeliveryFilter{Organizations: []ident.ID{d.Organization}, Event: d.Event, Subscription: d.Subscription}
	err = c.Walk.Walk(c, c.who, filter, func(each *store.Summary, s *subscription.Subscription) (bool, error) {
		if each.Delivery.ID == id && s != nil && s.Dialect == Name {
			found = &logged{summary: summary, s: s}
		}
		return found == nil, nil
	})
	if err != nil {
		return answer{}, err
	}
	if found == nil {
		return answer{}, missing("Delivery", text)
	}
	r, err := c.deliveryResource(found)
	if err != nil {
		return answer{}, err
	}
	return c.answerWith(ok, r)
}

// deliveryFilter turns what the store has an index for into its filter; some is false when nothing can pass.
func (c *call) deliveryFilter(v view) (filter store.DeliveryFilter, some bool, err error) {
	accounts, err := c.accounts(v)
	if err != nil || len(accounts) == 0 {
		return filter, false, err
	}
	for i := range accounts {
		filter.Organizations = append(filter.Organizations, accounts[i].ID)
	}
	some = true
	for name, value := range v.chosen() {
		known := true
		switch name {
		case "webhook":
			filter.Subscription, known, err = c.filteredHook(value)
		case "workspace":
			filter.Workspace, known, err = filteredID(c, c.Workspaces, workspaceIDs, value, func(w *estate.Workspace) ident.ID { return w.ID })
		case "run":
			filter.Run, known, err = c.filteredRun(value)
		case "status":
			filter.States, known = statesOf(value), statesOf(value) != nil
		}
		if err != nil {
			return filter, false, err
		}
		some = some && known
	}
	return filter, some, nil
}

func statesOf(status string) []delivery.State {
	var states []delivery.State
	for _, state := range delivery.States() {
		if matches(status, statusOf(state)) {
			states = append(states, state)
		}
	}
	return states
}

// filteredHook finds the webhook of a filter; a deleted one is still known by an identifier that we gave (§5.8).
func (c *call) filteredHook(text string) (ident.ID, bool, error) {
	s, err := c.findHook(text)
	if err == nil {
		return s.ID, true, nil
	}
	if problemsOf(err).status() != 404 {
		return 0, false, err
	}
	id, issued := webhookIDs.Decode(text)
	return id, issued, nil
}

func filteredID[T any](c *call, from getter[T], ids ident.Codec, text string, id func(*T) ident.ID) (ident.ID, bool, error) {
	object, err := find(c, from, ids, text)
	if unseen(err) {
		return 0, false, nil
	}
	return id(&object), err == nil, err
}

// filteredRun finds the run of a filter, by an identifier that we gave or by the platform's own.
func (c *call) filteredRun(text string) (ident.ID, bool, error) {
	if id, issued := runIDs.Decode(text); issued {
		return id, true, nil
	}
	events, err := c.Events.Run(c, c.who, estate.ByAlias(Name, text))
	if unseen(err) || (err == nil && (len(events) == 0 || events[0].Run == nil)) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	return events[0].Run.ID, true, nil
}

// deliveryListing orders deliveries, and filters by what the store has no index for.
func (c *call) deliveryListing() listing[logged] {
	number := func(n int64) string { return fmt.Sprintf("%020d", n) }
	return listing[logged]{
		id: func(l *logged) ident.ID { return l.summary.Delivery.ID },
		sorts: map[string]func(*logged) string{
			"triggered-at": func(l *logged) string { return number(int64(l.summary.Delivery.ID)) },
			"status":       func(l *logged) string { return statusOf(l.summary.State) },
			"attempts":     func(l *logged) string { return number(int64(l.summary.Delivery.Attempts)) },
			"last-handle-attempt-at": func(l *logged) string {
				if l.summary.Last == nil {
					return ""
				}
				return number(l.summary.Last.Result.StartedAt.UnixNano())
			},
		},
		filters: map[string]func(*logged, string) (bool, error){
			"account": taken[logged], "webhook": taken[logged], "workspace": taken[logged], "run": taken[logged], "status": taken[logged],
			"event": func(l *logged, value string) (bool, error) {
				if l.event() == "" {
					if err := c.render(l); err != nil {
						return false, err
					}
				}
				return matches(value, l.event()), nil
			},
			"environment": func(l *logged, value string) (bool, error) {
				err := c.render(l)
				return err == nil && matches(value, l.payload.Environment.ID), err
			},
		},
	}
}

// searched keeps deliveries whose webhook's name, run or error holds the text.
func (c *call) searched(all []logged, search string) ([]logged, error) {
	var found []logged
	for i := range all {
		l := &all[i]
		holds := func(text string) bool { return strings.Contains(strings.ToLower(text), strings.ToLower(search)) }
		message := c.dialect.errorOf(l)
		if (l.s != nil && holds(l.s.Name)) || (message != nil && holds(*message)) {
			found = append(found, *l)
			continue
		}
		if err := c.render(l); err != nil {
			return nil, err
		}
		if holds(l.payload.Run.ID) {
			found = append(found, *l)
		}
	}
	return found, nil
}
