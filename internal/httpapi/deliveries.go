package httpapi

import (
	"net/http"
	"regexp"
	"strconv"

	"carillon/internal/delivery"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/strict"
)

// statusRange is one status or a range: 500, 500-599.
var statusRange = regexp.MustCompile(`^([1-9][0-9]{2})(?:-([1-9][0-9]{2}))?$`)

const statusAdvice = `Must be a status or a range of them, such as "503" or "500-599".`

// statusBounds reads a status or a range of them.
func statusBounds(text string) (from, to int, ok bool) {
	bounds := statusRange.FindStringSubmatch(text)
	if bounds == nil {
		return 0, 0, false
	}
	from, _ = strconv.Atoi(bounds[1])
	if to = from; bounds[2] != "" {
		to, _ = strconv.Atoi(bounds[2])
	}
	return from, to, true
}

// deliveryFilter reads the parameters that choose deliveries.
func (a *api) deliveryFilter(c *call) (store.DeliveryFilter, error) {
	q := c.q
	filter := store.DeliveryFilter{
		Workspace: q.id("workspace"), Run: q.id("run"), Event: q.id("event"), Subscription: q.id("subscription"),
		Destination: q.id("destination"), Range: store.Range{From: q.time("from"), To: q.time("to")},
	}
	for _, word := range q.list("state") {
		if state, ok := byName(delivery.States(), word); ok {
			filter.States = append(filter.States, state)
		} else {
			q.faults.Add("?state", "%s", unknownWord(word, namesOf(delivery.States())))
		}
	}
	if word := q.text("cause"); word != "" {
		if cause, ok := byName(delivery.Causes(), word); ok {
			filter.Cause = &cause
		} else {
			q.faults.Add("?cause", "%s", unknownWord(word, namesOf(delivery.Causes())))
		}
	}
	if text := q.text("status"); text != "" {
		var ok bool
		if filter.StatusFrom, filter.StatusTo, ok = statusBounds(text); !ok {
			q.faults.Add("?status", statusAdvice)
		}
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

// spelled is a value of a closed set that has a name.
type spelled interface{ String() string }

func byName[T spelled](values []T, name string) (found T, ok bool) {
	for _, v := range values {
		if v.String() == name {
			return v, true
		}
	}
	return found, false
}

func namesOf[T spelled](values []T) []string {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = v.String()
	}
	return names
}

// listDeliveries lists deliveries, newest first.
func (a *api) listDeliveries(c *call) error {
	page := c.q.page(newest)
	filter, err := a.deliveryFilter(c)
	if err != nil {
		return err
	}
	found, err := a.Deliveries.List(c.r.Context(), c.p, filter, page.Page)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, cut(page, found, func(s *store.Summary) ident.ID { return s.Delivery.ID }, viewDelivery))
}

// deliveryAlone is a delivery with all its attempts, those of its repetitions by hand included.
type deliveryAlone struct {
	deliveryView
	Tries []attemptView `json:"tries"`
}

func (a *api) getDelivery(c *call) error {
	id, err := c.pathID("delivery", "delivery")
	if err != nil {
		return err
	}
	return a.showDelivery(c, http.StatusOK, id)
}

func (a *api) showDelivery(c *call, status int, id ident.ID) error {
	summary, attempts, err := a.Deliveries.Get(c.r.Context(), c.p, id)
	if err != nil {
		return err
	}
	answer := deliveryAlone{viewDelivery(&summary), make([]attemptView, len(attempts))}
	for i := range attempts {
		answer.Tries[i] = viewAttempt(&attempts[i], a.depth(c, &attempts[i]))
	}
	return c.answer(status, answer)
}

// getRequest shows the exact request of one attempt: the same bytes again, headers with secrets masked. Exact is false
// when it can no longer be proven that these are the bytes that were sent.
func (a *api) getRequest(c *call) error {
	id, err := c.pathID("delivery", "delivery")
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(c.r.PathValue("number"))
	if err != nil {
		return fault.Missing("attempt", c.r.PathValue("number"))
	}
	_, attempts, err := a.Deliveries.Get(c.r.Context(), c.p, id)
	if err != nil {
		return err
	}
	for _, attempt := range attempts {
		if attempt.Delivery.ID != id || attempt.Number != number {
			continue
		}
		msg, exact, err := a.Deliveries.Sent(c.r.Context(), c.p, attempt)
		if err != nil {
			return err
		}
		if msg == nil {
			return fault.New(fault.NotFound, "What this attempt sent is not kept any more.")
		}
		return c.answer(http.StatusOK, struct {
			requestView
			Exact bool `json:"exact"`
		}{viewMessage(msg), exact})
	}
	return fault.Missing("attempt", c.r.PathValue("number"))
}

type redeliverDraft struct {
	Now bool `json:"now"` // send it at once and wait for the answer
}

var redeliverDrafts = strict.For[redeliverDraft]()

// redeliver queues a delivery once more, or sends it at once.
func (a *api) redeliver(c *call) error {
	id, err := c.pathID("delivery", "delivery")
	if err != nil {
		return err
	}
	var d redeliverDraft
	if c.r.ContentLength != 0 {
		if d, err = decode(c, redeliverDrafts); err != nil {
			return err
		}
	}
	again, attempt, err := a.Deliveries.Redeliver(c.r.Context(), c.p, id, d.Now)
	if err != nil {
		return err
	}
	answer := struct {
		Delivery ident.ID     `json:"delivery"`
		Origin   ident.ID     `json:"origin"`
		Attempt  *attemptView `json:"attempt,omitempty"`
	}{Delivery: again.ID, Origin: again.Origin}
	status := http.StatusAccepted
	if attempt != nil {
		view := viewAttempt(attempt, whole)
		answer.Attempt, status = &view, http.StatusOK
	}
	return c.answer(status, answer)
}

// cancel ends a pending delivery.
func (a *api) cancel(c *call) error {
	id, err := c.pathID("delivery", "delivery")
	if err != nil {
		return err
	}
	if err := a.Deliveries.Cancel(c.r.Context(), c.p, id); err != nil {
		return err
	}
	return a.showDelivery(c, http.StatusOK, id)
}
