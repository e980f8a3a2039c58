package httpapi_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"carillon/client"
)

// wired carries the public client's requests straight to the handler.
type wired struct{ http.Handler }

func (w wired) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	w.ServeHTTP(recorder, r)
	return recorder.Result(), nil
}

// TestThePublicClientSpeaksThisAPI takes the client's way through everything that it offers.
func TestThePublicClientSpeaksThisAPI(t *testing.T) {
	t.Parallel()
	inAcme(t, func(w *world) {
		ctx := w.Context()
		c, err := client.New(client.Options{Server: "https://carillon.test", Token: adminToken, HTTP: &http.Client{Transport: wired{w}}})
		must(t, err)
		w.wire.answer(200, "fine")
		s, err := c.CreateSubscription(ctx, client.SubscriptionDraft{
			Organization: "acme", Dialect: "plain", Name: "applied", Triggers: []string{"run:applied"}, URL: "https://hooks.example/x", Secret: "s",
		}, true)
		must(t, err)
		name := "renamed"
		s, err = c.ChangeSubscription(ctx, s.ID, client.SubscriptionChange{Name: &name})
		must(t, err)
		all, err := c.Subscriptions(ctx, url.Values{"organization": {"acme"}})
		must(t, err)
		one, err := c.Subscription(ctx, s.ID)
		must(t, err)
		if len(all) != 1 || all[0].Name != "renamed" || one.URL != "https://hooks.example/x" || one.Version != 2 {
			t.Errorf("%+v, %+v", all, one)
		}
		if a, err := c.VerifySubscription(ctx, s.ID); err != nil || a.Status != 200 {
			t.Errorf("%+v, %v", a, err)
		}
		if a, err := c.TestSubscription(ctx, s.ID, ""); err != nil || a.Trigger != "applied" || a.Response.Body != "fine" {
			t.Errorf("%+v, %v", a, err)
		}

		const event = `{"kind":"run","organization":{"name":"acme"},"workspace":{"name":"net"},"run":{"source_id":"r1","status":"applied"}}`
		receipts, err := c.Send(ctx, []json.RawMessage{json.RawMessage(event)})
		must(t, err)
		atRest()
		if receipts[0].Deliveries != 1 || *receipts[0].Sequence != 0 {
			t.Errorf("%+v", receipts)
		}
		results, err := c.SendLines(ctx, "", strings.NewReader(event+"\n{}\n"))
		must(t, err)
		if len(results) != 2 || !results[0].Receipt.Duplicate || results[1].Error.Code != "invalid" {
			t.Errorf("%+v", results)
		}
		stored, owed, err := c.Event(ctx, receipts[0].Event)
		must(t, err)
		if !strings.Contains(string(stored), `"source_id":"r1"`) || len(owed) != 1 {
			t.Errorf("%s, %+v", stored, owed)
		}

		deliveries, err := c.Deliveries(ctx, url.Values{"state": {"delivered"}, "cause": {"event"}}, 10)
		must(t, err)
		delivery, err := c.Delivery(ctx, deliveries[0].ID)
		must(t, err)
		sent, err := c.Sent(ctx, delivery.ID, 1)
		must(t, err)
		if delivery.State != "delivered" || len(delivery.Tries) != 1 || !sent.Exact || !strings.Contains(sent.Body, `"notice":"applied"`) {
			t.Errorf("%+v, %+v", delivery, sent)
		}
		if again, err := c.Redeliver(ctx, delivery.ID, true); err != nil || again.Origin != delivery.ID || again.Attempt.Status != 200 {
			t.Errorf("%+v, %v", again, err)
		}
		_, err = c.CancelDelivery(ctx, delivery.ID)
		if problem, ok := errors.AsType[*client.Problem](err); !ok || problem.Code != "conflict" {
			t.Errorf("got %v", err)
		}

		w.wire.answer(500, "no")
		_, err = c.VerifySubscription(ctx, s.ID)
		if problem, ok := errors.AsType[*client.Problem](err); !ok || problem.Code != "unverified" || problem.Attempt.Response.Body != "no" {
			t.Errorf("got %v", err)
		}
		must(t, c.DeleteSubscription(ctx, s.ID))
		var books client.Books
		must(t, c.Call(ctx, http.MethodGet, "/v1/accounting", nil, &books))
		if !books.Balanced || books.Delivered != 1 {
			t.Errorf("%+v", books)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
