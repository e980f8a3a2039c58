package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"carillon/client"
)

// TestThePublicClientReplays takes the client's way through a replay: what failed is seen, previewed, sent again, counted.
func TestThePublicClientReplays(t *testing.T) {
	t.Parallel()
	inAcme(t, func(w *world) {
		ctx := w.Context()
		c, err := client.New(client.Options{Server: "https://carillon.test", Token: adminToken, HTTP: &http.Client{Transport: wired{w}}})
		must(t, err)
		var s client.Subscription
		must(t, c.Call(ctx, http.MethodPost, "/v1/subscriptions", json.RawMessage(
			`{"organization":"acme","dialect":"plain","name":"once","triggers":["run:applied"],"url":"https://hooks.example/x","delivery":{"max_attempts":1}}`,
		), &s))
		w.wire.answer(503, "down")
		var events []json.RawMessage
		for _, run := range []string{"r1", "r2", "r3"} {
			events = append(events, json.RawMessage(
				`{"kind":"run","organization":{"name":"acme"},"workspace":{"name":"net"},"run":{"source_id":"`+run+`","status":"applied"}}`,
			))
		}
		_, err = c.Send(ctx, events)
		must(t, err)
		atRest()
		w.wire.answer(200, "back")

		d := client.ReplayDraft{
			Organization: "acme", Pace: 10, MaxPending: 5,
			Filter: client.ReplayFilter{Workspace: "net", Subscription: s.ID, State: []string{"exhausted"}, Status: "503", Cause: "event", From: began.Add(-time.Hour)},
		}
		preview, err := c.PreviewReplay(ctx, d)
		must(t, err)
		if preview.Found != 3 || !preview.FoundExact || preview.Queued != 3 || len(preview.First) != 3 || preview.First[0].State != "exhausted" {
			t.Errorf("%+v", preview)
		}
		made, err := c.CreateReplay(ctx, d)
		must(t, err)
		if made.State != "running" || made.Found != 3 || made.Filter.Workspace == "net" || made.Filter.Status != "503" {
			t.Errorf("%+v", made)
		}
		time.Sleep(3 * time.Second)
		atRest()
		r, err := c.Replay(ctx, made.ID)
		must(t, err)
		if r.State != "done" || r.Delivered != 3 || r.Handled != 3 || r.Pending != 0 || r.FinishedAt.IsZero() {
			t.Errorf("%+v", r)
		}

		d.Filter, d.Pace = client.ReplayFilter{State: []string{"delivered"}, Cause: "replay"}, 1
		again, err := c.CreateReplay(ctx, d)
		must(t, err)
		cancelled, err := c.CancelReplay(ctx, again.ID, true)
		must(t, err)
		all, err := c.Replays(ctx, url.Values{"organization": {"acme"}}, 0)
		must(t, err)
		if cancelled.State != "cancelled" || len(all) != 2 || all[0].ID != again.ID {
			t.Errorf("%+v, %+v", cancelled, all)
		}
	})
}
