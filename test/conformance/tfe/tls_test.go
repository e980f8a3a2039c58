package tfe_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	tfe "github.com/hashicorp/go-tfe"

	"carillon/test/conformance"
)

// TestClientsWorkOverHTTPS drives go-tfe over TLS with the server's own CA, and lets a client trust it the way that the
// platform's clients do: through SSL_CERT_FILE.
func TestClientsWorkOverHTTPS(t *testing.T) {
	t.Parallel()
	server := conformance.StartTLS(t)
	if !strings.HasPrefix(server.URL, "https://") {
		t.Fatalf("the server is at %s", server.URL)
	}
	client, err := tfe.NewClient(&tfe.Config{Address: server.URL, Token: conformance.AdminToken, HTTPClient: server.Client()})
	if err != nil {
		t.Fatal(err)
	}
	made, err := client.Organizations.Create(t.Context(), tfe.OrganizationCreateOptions{Name: tfe.String("secure"), Email: tfe.String("a@example.com")})
	if err != nil || made.Name != "secure" {
		t.Fatalf("Create = %v, %v", made, err)
	}
	for name, trust := range map[string]struct {
		file string
		ok   bool
	}{"with the CA": {server.CAFile, true}, "without it": {os.DevNull, false}} {
		command := exec.Command(server.Program, "organization", "list", "--server", server.URL, "--token", conformance.AdminToken)
		command.Env = append(os.Environ(), "SSL_CERT_FILE="+trust.file, "SSL_CERT_DIR="+t.TempDir())
		out, err := command.CombinedOutput()
		if (err == nil) != trust.ok || strings.Contains(string(out), "secure") != trust.ok {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
