// Package pulumi_test drives the program with the platform's own clients: the pulumi command, which is built from its Go
// modules, and the Go packages that it is made of. It is a module of its own, because they bring several hundred others.
package pulumi_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carillon/test/conformance"
)

func TestMain(m *testing.M) { conformance.Main(m) }

// platform is a running program with the organization acme and two tokens of users of it.
type platform struct {
	*conformance.Server
	admin  string
	reader string
}

func newPlatform(t *testing.T, args ...string) *platform {
	t.Helper()
	p := &platform{Server: conformance.Start(t, args...)}
	p.Want(t, http.StatusCreated, "POST", "/v1/organizations", map[string]string{"name": "acme", "display_name": "Acme Inc."}, nil)
	p.admin, p.reader = p.token(t, "morty", "owner"), p.token(t, "summer", "reader")
	return p
}

// token makes a token with a role in the organization.
func (p *platform) token(t *testing.T, name, role string) string {
	t.Helper()
	var made struct {
		Token string `json:"token"`
	}
	p.Want(t, http.StatusCreated, "POST", "/v1/tokens", map[string]any{
		"name": name, "grants": []map[string]string{{"organization": "acme", "role": role}},
	}, &made)
	return made.Token
}

func file(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func fileAs[T any](t testing.TB, name string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(file(t, name), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// value returns a header of a request, spelled exactly so.
func value(t testing.TB, r conformance.Request, name string) string {
	t.Helper()
	v, found := r.Value(name)
	if !found {
		t.Fatalf("there is no header %s in\n%s", name, strings.Join(r.Header, "\n"))
	}
	return v
}
