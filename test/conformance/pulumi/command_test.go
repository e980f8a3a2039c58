package pulumi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"carillon/test/conformance"
	"carillon/webhook"
)

// Where the command comes from: a module of the platform's, in the release that go.mod names.
const (
	commandPackage = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
	commandModule  = "github.com/pulumi/pulumi/pkg/v3"
	versionSymbol  = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
)

// command is PULUMI_PROGRAM, or the binary that is built once per test process. It is large: the first time takes many
// minutes, later ones only link.
var command = sync.OnceValues(func() (string, error) {
	if given := os.Getenv("PULUMI_PROGRAM"); given != "" {
		return given, nil
	}
	version, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", commandModule).Output()
	if err != nil {
		return "", fmt.Errorf("find the command's release: %w", err)
	}
	path := filepath.Join(conformance.Built(), "pulumi")
	flags := "-s -w -X " + versionSymbol + "=" + strings.TrimSpace(string(version))
	if out, err := exec.Command("go", "build", "-o", path, "-ldflags", flags, commandPackage).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the command: %w\n%s", err, out)
	}
	return path, nil
})

// terminal is a place from which the command is called: its own home, and a project.
type terminal struct {
	t   *testing.T
	dir string
	env []string
}

// terminal makes a place for a token. The home is fresh: the command keeps there what it knows of a host, whatever its
// port.
func (p *platform) terminal(t *testing.T, token string) *terminal {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), []byte("name: website\nruntime: yaml\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "PULUMI_") })
	return &terminal{t: t, dir: dir, env: append(env,
		"PULUMI_BACKEND_URL="+p.URL, "PULUMI_ACCESS_TOKEN="+token, "PULUMI_HOME="+filepath.Join(dir, "home"),
		"PULUMI_SKIP_UPDATE_CHECK=true", "NO_COLOR=1",
	)}
}

// call runs the command and returns what it printed and its exit code.
func (x *terminal) call(args ...string) (out, errs string, code int) {
	x.t.Helper()
	path, err := command()
	if err != nil {
		x.t.Fatal(err)
	}
	cmd := exec.CommandContext(x.t.Context(), path, args...)
	cmd.Dir, cmd.Env = x.dir, x.env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			x.t.Fatalf("pulumi %s: %v", strings.Join(args, " "), err)
		}
		code = exit.ExitCode()
	}
	return stdout.String(), stderr.String(), code
}

// must runs the command, which must succeed and print every text of want.
func (x *terminal) must(args []string, want ...string) string {
	x.t.Helper()
	out, errs, code := x.call(args...)
	if code != 0 {
		x.t.Fatalf("pulumi %s: exit code %d\n%s%s", strings.Join(args, " "), code, out, errs)
	}
	for _, text := range want {
		if !strings.Contains(out+errs, text) {
			x.t.Errorf("pulumi %s does not print %q:\n%s%s", strings.Join(args, " "), text, out, errs)
		}
	}
	return out
}

// fails runs the command, which must end with the code and complain with the text.
func (x *terminal) fails(code int, text string, args ...string) {
	x.t.Helper()
	out, errs, got := x.call(args...)
	if got != code || !strings.Contains(errs, text) {
		x.t.Errorf("pulumi %s: exit code %d, want %d and %q\n%s%s", strings.Join(args, " "), got, code, text, out, errs)
	}
}

// words splits a command line at blanks.
func words(line string) []string { return strings.Fields(line) }

func TestCommandSignsIn(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	x := p.terminal(t, p.admin)
	x.must([]string{"login", p.URL}, "Logged in to "+p.URL+" as morty")
	x.must(words("whoami"), "morty")
	x.must(words("whoami -v"), "User: morty", "Organizations: acme")
	p.terminal(t, "pul-0000000000000000000000000000000000000000").fails(1, "No credentials provided or are invalid", words("org webhook list --org acme")...)
}

func TestCommandsForOrganizations(t *testing.T) {
	t.Parallel()
	p, sink := newPlatform(t), conformance.NewSink(t)
	x := p.terminal(t, p.admin)
	out := x.must([]string{
		"org", "webhook", "new", "--org", "acme", "--name", "My hook", "--url", sink.URL, "--secret", "s3cret", "--group", "deployments",
		"--event", "update_failed", "--event", "stack_created", "--hook-format", "raw", "--yes", "--output", "json",
	})
	var made struct {
		ID          string
		EventGroups []string
		Events      []string
	}
	if err := json.Unmarshal([]byte(out), &made); err != nil || len(made.ID) != 8 || !slices.Equal(made.Events, []string{"update_failed", "stack_created"}) || !slices.Equal(made.EventGroups, []string{"deployments"}) {
		t.Fatalf("%v: %s", err, out)
	}
	x.must(words("org webhook list --org acme"), made.ID, "My hook", "1 webhook(s)")
	x.must(words("org webhook ping "+made.ID+" --org acme"), "Response code:     200", "friendly ping")
	got := sink.Wait(t, 1)[0]
	if err := webhook.Verify(webhook.Pulumi, http.Header{"Pulumi-Webhook-Signature": {value(t, got, "Pulumi-Webhook-Signature")}}, got.Body, "s3cret"); err != nil {
		t.Error(err)
	}
	x.must(words("org webhook edit "+made.ID+" --org acme --active=false --add-event deployment_file_ingestion_failed --remove-group deployments"), "Updated webhook")
	x.must(words("org webhook list --org acme"), "no")
	x.must([]string{"org", "webhook", "edit", made.ID, "--org", "acme", "--secret", ""}, "Updated webhook")
	x.must(words("org webhook delivery list "+made.ID+" --org acme"), value(t, got, "Pulumi-Webhook-Id"), "ping", "1 delivery(ies)")
	x.must(words("api ListOrganizationWebhooks -F orgName=acme"), `"hasSecret": false`, `"deployment_file_ingestion_failed"`)
	x.must(words("api RedeliverOrganizationWebhookEvent -F orgName=acme -F hookName="+made.ID+" -F event="+value(t, got, "Pulumi-Webhook-Id")), `"responseCode": 200`)
	again := sink.Wait(t, 2)[1]
	if value(t, again, "Pulumi-Webhook-Id") != value(t, got, "Pulumi-Webhook-Id") || !bytes.Equal(again.Body, got.Body) {
		t.Errorf("what is sent again differs: %s", again.Body)
	}
	x.must(words("api /api/user"), `"githubLogin": "morty"`)
	x.must(words("api list"), "CreateOrganizationWebhook")
	x.must(words("api describe CreateOrganizationWebhook"), "POST /api/orgs/{orgName}/hooks")
	x.must(words("org webhook remove "+made.ID+" --yes --org acme"), "removed")
	x.fails(1, "[404] Not Found: Webhook '"+made.ID+"' not found", words("org webhook ping "+made.ID+" --org acme")...)
	x.fails(1, "[404] Not Found: Webhook '"+made.ID+"' not found", words("org webhook delivery list "+made.ID+" --org acme")...)
	p.terminal(t, p.reader).fails(3, "[403] Forbidden", words("org webhook new --org acme --name N --url "+sink.URL+" --yes")...)
}

func TestCommandsForStacks(t *testing.T) {
	t.Parallel()
	p, sink, told := newPlatform(t), conformance.NewSink(t), conformance.NewSink(t)
	x := p.terminal(t, p.admin)
	x.must(words("org webhook new --org acme --name All --url "+told.URL+" --group stacks --yes"), "Created webhook")
	x.fails(6, "no stack named", words("stack webhook list -s acme/website/prod")...)
	x.must(words("stack init acme/website/prod"), "Created stack")
	x.must(words("stack ls"), "prod")
	if r := told.Wait(t, 1)[0]; value(t, r, "Pulumi-Webhook-Kind") != "stack" || !bytes.Contains(r.Body, []byte(`"action":"created","projectName":"website","stackName":"prod"`)) {
		t.Errorf("told %s", r.Body)
	}
	x.must(words("stack webhook new -s acme/website/prod --name Title --url "+sink.URL+" --group stacks --secret z --yes"), "Title")
	id := onlyHook(t, p, "/api/stacks/acme/website/prod/hooks")
	x.must(words("stack webhook list -s acme/website/prod"), id, "Title")
	x.must(words("stack webhook get "+id+" -s acme/website/prod"), "Title", sink.URL)
	x.must(words("stack webhook ping "+id+" -s acme/website/prod"), "200")
	x.must(words("stack webhook delivery list "+id+" -s acme/website/prod"), "ping")
	event := value(t, sink.Wait(t, 1)[0], "Pulumi-Webhook-Id")
	x.must(words("stack webhook delivery redeliver "+id+" "+event+" -s acme/website/prod"), event)
	sink.Wait(t, 2)
	x.must(words("stack webhook edit "+id+" -s acme/website/prod --active=false --url "+sink.URL+"/2"), "Active:            no")
	x.must(words("stack webhook get "+id+" -s acme/website/prod"), sink.URL+"/2", "no")
	x.must(words("stack webhook remove "+id+" --yes -s acme/website/prod"), "removed")
	x.fails(1, "[404] Not Found: Webhook '"+id+"' not found", words("stack webhook get "+id+" -s acme/website/prod")...)
	x.must(words("stack rm acme/website/prod --yes"), "removed")
	if r := told.Wait(t, 2)[1]; !bytes.Contains(r.Body, []byte(`"action":"deleted","projectName":"website","stackName":"prod"`)) {
		t.Errorf("told %s", r.Body)
	}
}

func TestCommandsForEnvironments(t *testing.T) {
	t.Parallel()
	p, sink := newPlatform(t), conformance.NewSink(t)
	x := p.terminal(t, p.admin)
	const env = "acme/website/prod"
	x.must([]string{
		"env", "webhook", "new", env, "A title", "--url", sink.URL, "--group", "environments", "--event", "change_request_created", "--format", "raw", "--secret", "z",
	})
	id := onlyHook(t, p, "/api/esc/environments/"+env+"/hooks")
	x.must(words("env webhook ls "+env), id, "A title")
	x.must(words("env webhook get "+env+" "+id), "A title", sink.URL)
	x.must(words("env webhook ping " + env + " " + id))
	got := sink.Wait(t, 1)[0]
	x.must(words("env webhook delivery ls "+env+" "+id), value(t, got, "Pulumi-Webhook-Id"))
	x.must(words("env webhook edit " + env + " " + id + " --active=false --remove-secret --add-event environment_tag_created --remove-group environments"))
	var hooks []map[string]any
	p.Want(t, http.StatusOK, "GET", "/api/esc/environments/"+env+"/hooks", nil, &hooks)
	if len(hooks) != 1 || hooks[0]["active"] != false || hooks[0]["hasSecret"] != false || hooks[0]["format"] != "raw" || hooks[0]["groups"] != nil ||
		fmt.Sprint(hooks[0]["filters"]) != "[change_request_created environment_tag_created]" {
		t.Errorf("after the change: %v", hooks)
	}
	x.must(words("env webhook rm " + env + " " + id))
	if out, errs, code := x.call(words("env webhook get " + env + " " + id)...); code != 1 || !strings.Contains(errs, "Webhook '"+id+"' not found") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
}

// onlyHook is the name of the one webhook of a path.
func onlyHook(t *testing.T, p *platform, path string) string {
	t.Helper()
	var hooks []struct{ Name string }
	p.Want(t, http.StatusOK, "GET", path, nil, &hooks)
	if len(hooks) != 1 {
		t.Fatalf("there are %d webhooks", len(hooks))
	}
	return hooks[0].Name
}
