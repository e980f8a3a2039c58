package cli_test

import (
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestDestinationsAreListed asks the real program how a destination fares that refuses.
func TestDestinationsAreListed(t *testing.T) {
	t.Parallel()
	sink := startReceiver(t)
	n := startNode(t, t.TempDir())
	subscribe(n, sink.URL+"/hook")
	sink.answer(http.StatusServiceUnavailable)
	n.call(http.MethodPost, "/v1/events", step("run-1", "pending", 0), http.StatusAccepted)
	want := regexp.MustCompile(`(?m)^http://127\S+ +degraded +1 .* 503 `)
	for deadline := time.Now().Add(time.Minute); ; {
		command := exec.Command("carillon", "destination", "list", "--organization", "acme", "--condition", "degraded")
		command.Env = append(os.Environ(), "CARILLON_SERVER="+n.url, "CARILLON_TOKEN="+adminToken)
		out, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if strings.Contains(string(out), "/hook") {
			t.Fatalf("the list shows the whole address:\n%s", out)
		}
		if want.Match(out) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("listed:\n%s", out)
		}
	}
}
