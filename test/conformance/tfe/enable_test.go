package tfe_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"carillon/test/conformance"
)

// TestEnablingAgainstBadReceivers enables a configuration whose receiver does not take the verification: the documented
// error, it stays disabled, and what was answered is kept.
func TestEnablingAgainstBadReceivers(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	w := p.workspace(t, "w")
	target := conformance.NewSink(t)
	redirecting := httptest.NewServer(http.RedirectHandler(target.URL, http.StatusFound))
	t.Cleanup(redirecting.Close)
	missing := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(missing.Close)
	hanging, err := net.Listen("tcp", "127.0.0.1:0") // accepts connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hanging.Close() })
	for name, c := range map[string]struct {
		url, detail, code string // code of the response that is kept, "" for none
	}{
		"answers 404":    {missing.URL, "Verification failed with a code of 404", "404"},
		"redirects":      {redirecting.URL, "Verification failed with a code of 302", "302"},
		"never answers":  {"http://" + hanging.Addr().String(), "Verification failed: connection timed out", ""},
		"is not there":   {"http://127.0.0.1:1/hook", "Verification failed: connection refused", ""},
		"speaks no http": {"https://" + hanging.Addr().String(), "Verification failed: connection timed out", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nc := p.configuration(t, w.ID, generic(name, c.url))
			got := p.Do(t, "POST", path(nc)+"/actions/enable", nil)
			if got.Status != http.StatusBadRequest || !strings.Contains(string(got.Body), `"`+c.detail+`"`) {
				t.Errorf("got %d, %s", got.Status, got.Body)
			}
			a := attributes(t, p.Do(t, "GET", path(nc), nil).Body)
			kept := a["delivery-responses"].([]any)
			if a["enabled"] != false || (c.code == "") != (len(kept) == 0) {
				t.Fatalf("got %v", a)
			}
			if c.code != "" && kept[0].(map[string]any)["code"] != c.code {
				t.Errorf("kept %v", kept[0])
			}
		})
	}
	t.Cleanup(func() {
		if n := len(target.Requests()); n != 0 {
			t.Errorf("a redirect was followed %d times", n)
		}
	})
}
