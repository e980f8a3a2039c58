package scalr_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"carillon/test/conformance"
	"carillon/webhook"
)

// configuration needs no provider and no network.
const configuration = `resource "terraform_data" "one" { input = "a" }`

// failing is a resource that can not be planned.
const failing = `
resource "terraform_data" "two" {
  lifecycle {
    precondition {
      condition     = terraform_data.one.id == ""
      error_message = "never"
    }
  }
}
`

// receiver is what people who use the public package would write.
type receiver struct {
	mu       sync.Mutex
	payloads []*webhook.ScalrPayload
}

func (r *receiver) take(_ *http.Request, m webhook.Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.payloads = append(r.payloads, m.Payload.(*webhook.ScalrPayload))
	return nil
}

func (r *receiver) got() []*webhook.ScalrPayload {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*webhook.ScalrPayload(nil), r.payloads...)
}

// TestTerraformRun lets real terraform runs reach receivers of both generations: one that applies, and one that fails.
func TestTerraformRun(t *testing.T) {
	t.Parallel()
	terraform, err := exec.LookPath("terraform")
	if err != nil {
		t.Fatalf("these tests need terraform on the path: %v", err)
	}
	p := newPlatform(t)
	env := p.environment(t, "production")
	var first, second receiver
	hook := serve(t, &first)
	integration := serve(t, &second)
	p.hook(t, p.endpoint(t, env, hook, nil).ID, env, "")
	p.integration(t, integration, object{"is-shared": true})

	dir := t.TempDir()
	write(t, dir, configuration)
	wrap(t, p, dir, 0, terraform, "init", "-input=false", "-no-color")
	wrap(t, p, dir, 0, terraform, "apply", "-input=false", "-no-color", "-auto-approve")
	write(t, dir, configuration+failing)
	wrap(t, p, dir, 1, terraform, "apply", "-input=false", "-no-color", "-auto-approve")

	for name, r := range map[string]*receiver{"gen-1": &first, "gen-2": &second} {
		var got []*webhook.ScalrPayload
		conformance.Eventually(t, func() error {
			if got = r.got(); len(got) < 2 {
				return fmt.Errorf("%d of 2 requests arrived", len(got))
			}
			return nil
		})
		for i, want := range []struct{ event, status string }{{"run:completed", "applied"}, {"run:errored", "errored"}} {
			g := got[i]
			if g.Event != want.event || g.Run.Status != want.status || g.Run.Source != "cli" || g.Environment.Name != "production" || g.Workspace.Name != "network" || g.Run.URL == "" {
				t.Errorf("%s: got %+v", name, g)
			}
		}
	}
	conformance.Eventually(t, func() error {
		if list := p.list(t, "/integrations/webhook-deliveries", "filter[status]", "completed"); len(list.Data) != 4 {
			return fmt.Errorf("%d deliveries are logged", len(list.Data))
		}
		return nil
	})
}

// serve starts a receiver and returns its address.
func serve(t *testing.T, r *receiver) string {
	t.Helper()
	server := httptest.NewServer(webhook.Handler(webhook.Options{Dialect: webhook.Scalr, Secrets: []string{secret}, RequireStandard: true}, r.take))
	t.Cleanup(server.Close)
	return server.URL + "/hook"
}

func write(t *testing.T, dir, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// wrap runs a command in the directory under "carillon run" and checks its exit code.
func wrap(t *testing.T, p *platform, dir string, code int, command ...string) {
	t.Helper()
	args := append([]string{"run", "--workspace", "mainiacp/production/network", "--quiet", "--"}, command...)
	cmd := exec.CommandContext(t.Context(), conformance.Program(t), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CARILLON_SERVER="+p.URL, "CARILLON_TOKEN="+conformance.AdminToken, "HOME="+t.TempDir(), "CHECKPOINT_DISABLE=1", "TF_CLI_CONFIG_FILE=")
	out, err := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Fatalf("%v: exit code %d, %v\n%s", command, got, err, out)
	}
}
