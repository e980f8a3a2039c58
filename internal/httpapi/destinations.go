package httpapi

import (
	"net/http"
	"slices"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/dispatch"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// Destinations says how the destinations fare that this node delivers to. Each destination belongs to one node at a time;
// what other nodes know is not in it.
type Destinations interface {
	Lanes() []dispatch.LaneState
	Owner() (node int, epochs map[int]int64)
}

// destinationList is what one node knows. It has no pages: the order is that of trouble, which changes all the time.
type destinationList struct {
	Node  int               `json:"node"`
	Items []destinationView `json:"items"`
	More  bool              `json:"more"` // there are more than the limit
}

// destinationView is how one destination fares.
type destinationView struct {
	ID             ident.ID           `json:"id"`
	OrganizationID ident.ID           `json:"organization_id,omitzero"`
	Address        string             `json:"address,omitempty"` // redacted
	Condition      dispatch.Condition `json:"condition"`
	Subscriptions  []ident.ID         `json:"subscriptions"`
	Pending        int                `json:"pending"`
	InFlight       int                `json:"in_flight"`
	Oldest         time.Time          `json:"oldest,omitzero"`       // when the oldest pending delivery was made
	NextAttempt    time.Time          `json:"next_attempt,omitzero"` // absent when it only waits for answers
	Failures       int                `json:"failures"`              // attempts in a row
	FailingSince   time.Time          `json:"failing_since,omitzero"`
	Concurrency    int                `json:"concurrency"`
	PerSecond      float64            `json:"per_second,omitempty"`
	Last           *lastView          `json:"last,omitempty"`
}

// lastView is how the newest attempt ended.
type lastView struct {
	Class  delivery.Class `json:"class"`
	Status int            `json:"status,omitempty"`
	At     time.Time      `json:"at"`
}

// listDestinations lists the destinations of this node, those that fare worst first. A destination is shared by all of
// its subscriptions, so that its state is for those who may read the whole organization.
func (a *api) listDestinations(c *call) error {
	limit := c.q.number("limit", 1, 1000, 200)
	condition := oneOf(c.q, "condition", dispatch.Conditions())
	organization, err := a.organizationOfQuery(c)
	if err == nil {
		err = c.q.err()
	}
	if err != nil {
		return err
	}
	if organization != 0 && !readsAll(c.p, organization) {
		return fault.New(fault.Forbidden, "Reading the state of destinations needs the role %q in the organization.", string(estate.RoleReader))
	}
	users, err := a.users(c, organization)
	if err != nil {
		return err
	}
	answer := destinationList{Items: []destinationView{}}
	answer.Node, _ = a.Destinations.Owner()
	for _, lane := range a.Destinations.Lanes() {
		used := users[lane.Destination]
		orphaned := len(used) == 0 && c.p.SiteAdmin && organization == 0 // its subscriptions are gone: nobody's but the site's
		if (len(used) == 0 && !orphaned) || (condition != "" && lane.Condition != condition) {
			continue
		}
		if len(answer.Items) == limit {
			answer.More = true
			break
		}
		answer.Items = append(answer.Items, viewDestination(&lane, used))
	}
	return c.answer(http.StatusOK, answer)
}

// readsAll reports whether somebody may read everything of an organization.
func readsAll(p estate.Principal, organization ident.ID) bool {
	return p.May(estate.RoleReader, estate.Place{OrganizationID: organization})
}

// users finds the subscriptions of each destination, in the organizations that the caller may read whole.
func (a *api) users(c *call, organization ident.ID) (map[ident.ID][]subscription.Subscription, error) {
	all, err := a.Services.Subscriptions.List(c.r.Context(), c.p, dialect.SubscriptionFilter{Organization: organization})
	if err != nil {
		return nil, err
	}
	users := map[ident.ID][]subscription.Subscription{}
	for _, s := range all {
		if readsAll(c.p, s.OrganizationID) {
			users[s.Destination] = append(users[s.Destination], s)
		}
	}
	return users, nil
}

func viewDestination(l *dispatch.LaneState, users []subscription.Subscription) destinationView {
	view := destinationView{
		ID: l.Destination, Condition: l.Condition, Subscriptions: slices.Clone(l.Subscriptions), Pending: l.Pending,
		InFlight: l.InFlight, Oldest: l.Oldest, NextAttempt: l.NextAttempt, Failures: l.Failures, FailingSince: l.FailingSince,
		Concurrency: l.Concurrency, PerSecond: l.PerSecond,
	}
	if len(users) > 0 {
		view.OrganizationID, view.Address = users[0].OrganizationID, users[0].Address
	}
	if view.Subscriptions == nil {
		view.Subscriptions = []ident.ID{}
	}
	for _, s := range users {
		if !slices.Contains(view.Subscriptions, s.ID) {
			view.Subscriptions = append(view.Subscriptions, s.ID)
		}
	}
	slices.Sort(view.Subscriptions)
	if !l.LastAt.IsZero() {
		view.Last = &lastView{l.LastClass, l.LastStatus, l.LastAt}
	}
	return view
}
