package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
)

// steps are the statuses of a run that a subscription to everything hears of.
var steps = []string{"pending", "planning", "planned", "applying", "applied"}

// step returns one step of a run as a document of the API.
func step(run, status string, number int) map[string]any {
	return map[string]any{
		"kind": "run", "key": fmt.Sprintf("%s/%d", run, number), "organization": map[string]any{"name": "acme"},
		"workspace": map[string]any{"name": "network"},
		"run":       map[string]any{"source_id": run, "status": status, "awaiting": status == "planned", "message": run},
	}
}

// subscribe makes the organization and a subscription to everything of its workspace, and returns its ID.
func subscribe(n *node, url string) string {
	n.t.Helper()
	n.call(http.MethodPost, "/v1/organizations", map[string]any{"name": "acme"}, http.StatusCreated)
	n.call(http.MethodPost, "/v1/organizations/acme/workspaces", map[string]any{"name": "network"}, http.StatusCreated)
	made := n.call(http.MethodPost, "/v1/subscriptions", map[string]any{
		"organization": "acme", "dialect": "tfe", "name": "all", "url": url, "secret": "s3cret",
		"scopes":   []any{map[string]any{"level": "workspace", "name": "network"}},
		"triggers": []string{"run:created", "run:planning", "run:needs_attention", "run:applying", "run:completed"},
	}, http.StatusCreated)
	return made["id"].(string)
}

// runAndStatus reads which step of which run a request tells of.
func runAndStatus(a arrival) (run, status string) {
	var body struct {
		Message       string `json:"run_message"`
		Notifications []struct {
			Status string `json:"run_status"`
		} `json:"notifications"`
	}
	if json.Unmarshal(a.Body, &body) != nil || len(body.Notifications) != 1 {
		return "", ""
	}
	return body.Message, body.Notifications[0].Status
}

// statusesOf lists the steps of a run in the order in which they arrived first.
func statusesOf(all []arrival, run string) (first []string) {
	for _, a := range all {
		if of, status := runAndStatus(a); of == run && !slices.Contains(first, status) {
			first = append(first, status)
		}
	}
	return first
}

// TestNothingIsLostWhenTheServerIsKilled kills the real process at each step between accepting and recording, starts it
// again, and lets the receiver judge: every step of every accepted run arrives, in order.
func TestNothingIsLostWhenTheServerIsKilled(t *testing.T) {
	t.Parallel()
	for _, point := range []string{
		"ingest.before-commit", "ingest.after-commit", "committer.before-commit", "committer.after-commit", "dispatch.before-send",
		"dispatch.after-send", "dispatch.before-record", "dispatch.after-record",
	} {
		for _, hit := range []int{1, 4} {
			t.Run(fmt.Sprintf("%s:%d", point, hit), func(t *testing.T) {
				t.Parallel()
				killedAt(t, point, hit)
			})
		}
	}
}

func killedAt(t *testing.T, point string, hit int) {
	sink := startReceiver(t)
	dir := t.TempDir()
	setup := startNode(t, dir)
	subscription := subscribe(setup, sink.URL+"/hook")
	setup.stop()

	victim := startNode(t, dir, "--failpoints", fmt.Sprintf("%s=kill:%d", point, hit))
	sent := 0
	for sent < len(steps) {
		status, _, err := victim.try(http.MethodPost, "/v1/events", step("run-1", steps[sent], sent))
		if err != nil || status != http.StatusAccepted {
			break
		}
		sent++
	}
	victim.wait()

	again := startNode(t, dir)
	// The step whose answer was lost is sent again, as every sender with keys does; then the rest.
	for number := sent; number < len(steps); number++ {
		again.call(http.MethodPost, "/v1/events", step("run-1", steps[number], number), http.StatusAccepted)
	}
	all := sink.until(t, "every step of the run", func(all []arrival) bool { return len(statusesOf(all, "run-1")) == len(steps) })
	if got := statusesOf(all, "run-1"); !slices.Equal(got, steps) {
		t.Errorf("arrived in the order %v, want %v", got, steps)
	}
	again.untilBalanced()
	checkRepeats(t, again, subscription, len(sink.arrivals()))
}

// checkRepeats holds the log against the receiver: what arrived more often than there are steps must be marked.
func checkRepeats(t *testing.T, n *node, subscription string, arrived int) {
	t.Helper()
	list := n.call(http.MethodGet, "/v1/deliveries?subscription="+subscription, nil, http.StatusOK)
	marked, items := 0, list["items"].([]any)
	for _, item := range items {
		d := n.call(http.MethodGet, "/v1/deliveries/"+item.(map[string]any)["id"].(string), nil, http.StatusOK)
		if d["state"] != "delivered" {
			t.Errorf("delivery %v is %v", d["id"], d["state"])
		}
		for _, attempt := range d["tries"].([]any) {
			if attempt.(map[string]any)["possibly_repeated"] == true {
				marked++
			}
		}
	}
	if len(items) != len(steps) {
		t.Errorf("the log has %d deliveries, want %d", len(items), len(steps))
	}
	if repeats := arrived - len(steps); repeats > marked {
		t.Errorf("%d requests were repeats, and the log marks %d", repeats, marked)
	}
}

// TestReceiverComesBack takes the receiver away, and back: nothing is lost, the attempts are in the log, and a redelivery
// is shown as one.
func TestReceiverComesBack(t *testing.T) {
	t.Parallel()
	sink := startReceiver(t)
	n := startNode(t, t.TempDir())
	subscription := subscribe(n, sink.URL+"/hook")
	sink.answer(http.StatusServiceUnavailable)
	for number, status := range steps {
		n.call(http.MethodPost, "/v1/events", step("run-1", status, number), http.StatusAccepted)
	}
	sink.until(t, "a refused attempt", func(all []arrival) bool { return len(all) >= 1 })
	sink.answer(http.StatusOK)
	all := sink.until(t, "every step of the run", func(all []arrival) bool { return len(statusesOf(all, "run-1")) == len(steps) })
	if got := statusesOf(all, "run-1"); !slices.Equal(got, steps) {
		t.Errorf("arrived in the order %v, want %v", got, steps)
	}
	n.untilBalanced()
	list := n.call(http.MethodGet, "/v1/deliveries?subscription="+subscription+"&order=oldest", nil, http.StatusOK)
	first := list["items"].([]any)[0].(map[string]any)
	if first["attempts"].(float64) < 2 {
		t.Errorf("the first delivery was tried %v times", first["attempts"])
	}
	before := len(sink.arrivals())
	made := n.call(http.MethodPost, "/v1/deliveries/"+first["id"].(string)+"/redeliver", map[string]any{"now": true}, http.StatusOK)
	if made["origin"] != first["id"] || len(sink.arrivals()) != before+1 {
		t.Errorf("redelivery: %v; %d requests more", made, len(sink.arrivals())-before)
	}
}
