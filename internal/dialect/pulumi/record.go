package pulumi

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"carillon/internal/delivery"
	"carillon/internal/fault"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// record is one row of a webhook's delivery log: one attempt (§5.4). All members are always there, and the numbers are
// integers: clients read them into Go ints.
type record struct {
	ID              string `json:"id"`
	Kind            string `json:"kind"`
	Payload         string `json:"payload"`
	Timestamp       int64  `json:"timestamp"` // Unix seconds
	Duration        int64  `json:"duration"`  // milliseconds
	RequestURL      string `json:"requestUrl"`
	RequestHeaders  string `json:"requestHeaders"`
	ResponseCode    int    `json:"responseCode"`
	ResponseHeaders string `json:"responseHeaders"`
	ResponseBody    string `json:"responseBody"`
}

// recordLimit is the most rows that are listed (§5.4).
const recordLimit = 100

// noAnswer is what the platform shows in the place of an answer, whatever the reason. Our own log has the real one.
const noAnswer = "URL error with webhook"

// record renders an attempt.
func (c *call) record(a *delivery.Attempt) (record, error) {
	msg, _, err := c.Deliveries.Sent(c, c.who, *a)
	if err != nil && fault.CodeOf(err) == fault.Internal {
		return record{}, err
	}
	r := record{
		ID: deliveryUUID(a.Delivery.Stable()), Kind: a.Trigger, Timestamp: a.Result.StartedAt.Unix(),
		Duration: a.Result.Duration.Milliseconds(), RequestURL: a.Address, ResponseBody: noAnswer,
	}
	if f := filterNamed(a.Trigger); f != nil {
		r.Kind = f.kind
	}
	if msg != nil && err == nil {
		r.Kind, r.Payload = cmp.Or(msg.Get(headerKind), r.Kind), string(msg.Body)
		r.RequestURL, r.RequestHeaders = msg.URL, requestHeaders(msg)
	}
	if answer := a.Result.Response; answer != nil && a.Result.Class == delivery.ClassAnswered {
		r.ResponseCode, r.ResponseHeaders = a.Result.Status, headerLines(answer.Header)
		r.ResponseBody = strings.ToValidUTF8(string(answer.Body), "\uFFFD")
	}
	return r, nil
}

// shownHeaders are those of a request that a record shows, sorted (§5.4).
var shownHeaders = []string{"Accept", "Content-Type", headerID, headerKind, headerSignature}

func requestHeaders(msg *delivery.Message) string {
	lines := map[string][]string{}
	for _, name := range shownHeaders {
		if value := msg.Get(name); value != "" {
			lines[name] = []string{value}
		}
	}
	return headerLines(lines)
}

// headerLines writes headers as a record shows them: canonical names, sorted, one line for each value.
func headerLines(headers map[string][]string) string {
	var lines []string
	for name, values := range headers {
		for _, value := range values {
			lines = append(lines, http.CanonicalHeaderKey(name)+": "+strings.ToValidUTF8(value, "\uFFFD")+"\r\n")
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// pingHook sends a test request and waits for its answer. That the target is down is an answer too (§5.4).
func pingHook(c *call, t *target) (answer, error) {
	s, err := c.theHook(t)
	if err != nil {
		return answer{}, err
	}
	attempt, err := c.Subscriptions.Verify(c, c.who, s.ID)
	if err != nil && !fault.Is(err, fault.Unverified) {
		return answer{}, err
	}
	r, err := c.record(&attempt)
	return ok(r), err
}

// redeliver sends the bytes of a delivery again, to the present address (§5.4).
func redeliver(c *call, t *target) (answer, error) {
	s, err := c.theHook(t)
	if err != nil {
		return answer{}, err
	}
	missing := notFound("WebhookEvent '%s' not found", c.path("event"))
	id, issued := deliveryID(strings.ToLower(c.path("event")))
	if !issued {
		return answer{}, missing
	}
	summary, _, err := c.Deliveries.Get(c, c.who, id)
	if fault.Is(err, fault.NotFound) || (err == nil && summary.Delivery.Subscription != s.ID) {
		return answer{}, missing
	}
	if err != nil {
		return answer{}, err
	}
	_, attempt, err := c.Deliveries.Redeliver(c, c.who, id, true)
	if fault.Is(err, fault.Conflict) { // what was sent is not kept any more
		return answer{}, missing
	}
	if err != nil {
		return answer{}, err
	}
	if attempt == nil {
		return answer{}, fmt.Errorf("redeliver %s: there is no attempt", id)
	}
	r, err := c.record(attempt)
	return ok(r), err
}

// listDeliveries lists a webhook's attempts, newest first. A webhook that is not there has none (§5.1).
func listDeliveries(c *call, t *target) (answer, error) {
	s, err := c.theHook(t)
	if err != nil && problemOf(err).Code == http.StatusNotFound {
		return ok([]record{}), nil
	}
	if err != nil {
		return answer{}, err
	}
	attempts, err := c.attempts(s)
	if err != nil {
		return answer{}, err
	}
	records := make([]record, 0, len(attempts))
	for i := range attempts {
		r, err := c.record(&attempts[i])
		if err != nil {
			return answer{}, err
		}
		records = append(records, r)
	}
	return ok(records), nil
}

// attempts collects the newest attempts of a webhook: those of its newest deliveries, and of older ones that are still
// being tried.
func (c *call) attempts(s *subscription.Subscription) ([]delivery.Attempt, error) {
	page := store.Page{Newest: true, Limit: recordLimit}
	newest, err := c.Deliveries.List(c, c.who, store.DeliveryFilter{Subscription: s.ID}, page)
	if err != nil {
		return nil, err
	}
	if len(newest) == recordLimit {
		page.Before = newest[recordLimit-1].Delivery.ID
		pending, err := c.Deliveries.List(c, c.who, store.DeliveryFilter{Subscription: s.ID, States: []delivery.State{delivery.Pending}}, page)
		if err != nil {
			return nil, err
		}
		newest = append(newest, pending...)
	}
	var all []delivery.Attempt
	for i := range newest {
		made, err := c.attemptsOf(&newest[i])
		if err != nil {
			return nil, err
		}
		all = append(all, made...)
	}
	slices.SortFunc(all, func(a, b delivery.Attempt) int {
		return cmp.Or(b.Result.StartedAt.Compare(a.Result.StartedAt), cmp.Compare(b.Delivery.ID, a.Delivery.ID), cmp.Compare(b.Number, a.Number))
	})
	return all[:min(len(all), recordLimit)], nil
}

// attemptsOf returns the attempts of one delivery, without those that repeat it: they are deliveries of their own. What
// ended without being tried has none.
func (c *call) attemptsOf(summary *store.Summary) ([]delivery.Attempt, error) {
	last := summary.Last
	if last == nil || last.Number == 0 && summary.Delivery.Attempts == 0 {
		return nil, nil
	}
	if last.Number == 1 {
		return []delivery.Attempt{*last}, nil
	}
	_, made, err := c.Deliveries.Get(c, c.who, summary.Delivery.ID)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(made, func(a delivery.Attempt) bool { return a.Delivery.ID != summary.Delivery.ID || a.Number == 0 }), nil
}
