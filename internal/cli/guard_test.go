package cli_test

import (
	"net/http"
	"testing"
)

// TestForbiddenAddressIsRefusedWhenSending lets a subscription be saved while its address is allowed, and takes the
// permission back: no road may still lead there.
func TestForbiddenAddressIsRefusedWhenSending(t *testing.T) {
	t.Parallel()
	sink := startReceiver(t)
	dir := t.TempDir()
	allowed := startNode(t, dir)
	subscription := subscribe(allowed, sink.URL+"/hook")
	allowed.stop()

	n := startNode(t, dir, "--egress-allow", "127.0.0.2/32")
	n.call(http.MethodPost, "/v1/events", step("run-1", steps[0], 0), http.StatusAccepted)
	var tried map[string]any
	for tried == nil {
		list := n.call(http.MethodGet, "/v1/deliveries?subscription="+subscription, nil, http.StatusOK)
		tried, _ = list["items"].([]any)[0].(map[string]any)["last"].(map[string]any)
	}
	if tried["class"] != "forbidden" {
		t.Errorf("the attempt ended as %v", tried)
	}
	problem := n.call(http.MethodPost, "/v1/subscriptions/"+subscription+"/verify", nil, http.StatusUnprocessableEntity)
	if attempt, ok := problem["attempt"].(map[string]any); !ok || attempt["class"] != "forbidden" {
		t.Errorf("the verification ended as %v", problem)
	}
	n.call(http.MethodPost, "/v1/subscriptions", map[string]any{
		"organization": "acme", "dialect": "tfe", "name": "again", "url": sink.URL, "all": true,
	}, http.StatusUnprocessableEntity)
	if arrived := len(sink.arrivals()); arrived != 0 {
		t.Errorf("%d requests reached a forbidden address", arrived)
	}
}
