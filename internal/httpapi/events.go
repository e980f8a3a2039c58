package httpapi

import (
	"net/http"

	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/ingest"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// eventFilter reads the parameters that choose events.
func (a *api) eventFilter(c *call) (store.EventFilter, error) {
	q := c.q
	filter := store.EventFilter{
		Project: q.id("project"), Workspace: q.id("workspace"), Run: q.id("run"),
		Range: store.Range{From: q.time("from"), To: q.time("to")},
	}
	for _, kind := range q.list("kind") {
		if !contains(event.Kinds(), event.Kind(kind)) {
			q.faults.Add("?kind", "%s", unknownWord(event.Kind(kind), event.Kinds()))
		}
		filter.Kinds = append(filter.Kinds, kind)
	}
	organization, err := a.organizationOfQuery(c)
	if err != nil {
		return filter, err
	}
	if organization != 0 {
		filter.Organizations = []ident.ID{organization}
	}
	return filter, q.err()
}

func contains[T comparable](list []T, wanted T) bool {
	for _, each := range list {
		if each == wanted {
			return true
		}
	}
	return false
}

// listEvents lists events, newest first. Original bodies of webhooks are left out: they are in the single event.
func (a *api) listEvents(c *call) error {
	page := c.q.page(newest)
	filter, err := a.eventFilter(c)
	if err != nil {
		return err
	}
	events, err := a.Events.List(c.r.Context(), c.p, filter, page.Page)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, cut(page, events, eventID, func(e *event.Event) event.Event {
		shown := *e
		if shown.Native != nil {
			native := *shown.Native
			native.Body = nil
			shown.Native = &native
		}
		return shown
	}))
}

func eventID(e *event.Event) ident.ID { return e.ID }

// maxShown bounds the deliveries that are shown with their event; the list of deliveries has them all.
const maxShown = 100

// getEvent shows an event with what it owed.
func (a *api) getEvent(c *call) error {
	e, err := a.eventOfPath(c)
	if err != nil {
		return err
	}
	owed, err := a.Deliveries.List(c.r.Context(), c.p, store.DeliveryFilter{
		Organizations: []ident.ID{e.Organization.ID}, Event: e.ID,
	}, store.Page{Limit: maxShown})
	if err != nil {
		return err
	}
	answer := struct {
		Event      event.Event    `json:"event"`
		Deliveries []deliveryView `json:"deliveries"`
	}{e, make([]deliveryView, len(owed))}
	for i := range owed {
		answer.Deliveries[i] = viewDelivery(&owed[i])
	}
	return c.answer(http.StatusOK, answer)
}

func (a *api) eventOfPath(c *call) (event.Event, error) {
	id, err := c.pathID("event", "event")
	if err != nil {
		return event.Event{}, err
	}
	return a.Events.Get(c.r.Context(), c.p, id)
}

// explanationView says of one subscription whether an event reached it.
type explanationView struct {
	Subscription ident.ID             `json:"subscription"`
	Name         string               `json:"name"`
	Dialect      string               `json:"dialect"`
	Verdict      subscription.Verdict `json:"verdict"`
	Notices      []judgedView         `json:"notices"`
}

// judgedView is the verdict on one thing that the dialect says of the event.
type judgedView struct {
	Notice   string               `json:"notice"`
	Triggers []string             `json:"triggers"`
	Verdict  subscription.Verdict `json:"verdict"`
}

// verdicts lists what can be said of a subscription and an event.
var verdicts = []subscription.Verdict{
	subscription.Matches, subscription.Disabled, subscription.OtherScope, subscription.NothingToSay, subscription.WrongLevel,
	subscription.NotSubscribed, subscription.Suppressed, subscription.OtherTenant, subscription.Empty,
}

// explainEvent says which subscriptions the event reached, which not, and why: as things stand now.
func (a *api) explainEvent(c *call) error {
	only, limit := c.q.id("subscription"), c.q.number("limit", 1, 1000, 200)
	verdict := oneOf(c.q, "verdict", verdicts)
	if err := c.q.err(); err != nil {
		return err
	}
	e, err := a.eventOfPath(c)
	if err != nil {
		return err
	}
	// The names of all subscriptions are for those who may read the whole organization.
	if !c.p.May(estate.RoleReader, estate.Place{OrganizationID: e.Organization.ID}) {
		return fault.New(fault.Forbidden, "Explaining an event needs the role %q in its organization.", string(estate.RoleReader))
	}
	explanations, err := a.Explain(c.r.Context(), &e)
	if err != nil {
		return err
	}
	answer := list[explanationView]{Items: []explanationView{}}
	for _, x := range explanations {
		chosen := (only == 0 || x.Subscription.ID == only) && (verdict == "" || x.Verdict == verdict)
		if chosen && len(answer.Items) < limit {
			answer.Items = append(answer.Items, viewExplanation(&x))
		}
	}
	return c.answer(http.StatusOK, answer)
}

func viewExplanation(x *ingest.Explanation) explanationView {
	view := explanationView{
		Subscription: x.Subscription.ID, Name: x.Subscription.Name, Dialect: x.Subscription.Dialect, Verdict: x.Verdict,
		Notices: make([]judgedView, len(x.Notices)),
	}
	for i, n := range x.Notices {
		view.Notices[i] = judgedView{n.Notice.Name, n.Notice.Triggers, n.Verdict}
	}
	return view
}
