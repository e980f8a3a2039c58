package pulumi_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"carillon/test/conformance"
)

// language is the directory of a language host that needs nothing but itself: the platform's own ones must be downloaded.
var language = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(conformance.Built(), "language")
	if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "pulumi-language-lines"), "./pulumi-language-lines").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the language: %w\n%s", err, out)
	}
	return dir, nil
})

// workshop is a project whose state lies in a directory, and a server that hears of it.
type workshop struct {
	*platform
	t    *testing.T
	dir  string
	env  []string
	path string
}

func newWorkshop(t *testing.T) *workshop {
	t.Helper()
	path, err := command()
	if err != nil {
		t.Fatal(err)
	}
	host, err := language()
	if err != nil {
		t.Fatal(err)
	}
	w := &workshop{platform: newPlatform(t), t: t, dir: t.TempDir(), path: path}
	for _, name := range []string{"state", "home", "tmp"} {
		if err := os.Mkdir(filepath.Join(w.dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	w.write("Pulumi.yaml", "name: website\nruntime: lines\n")
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "PULUMI_") || strings.HasPrefix(v, "CI=") })
	w.env = append(env,
		"PATH="+host+string(filepath.ListSeparator)+os.Getenv("PATH"), "PULUMI_BACKEND_URL=file://"+filepath.Join(w.dir, "state"),
		"PULUMI_HOME="+filepath.Join(w.dir, "home"), "PULUMI_CONFIG_PASSPHRASE=", "PULUMI_SKIP_UPDATE_CHECK=true", "NO_COLOR=1",
		"CARILLON_SERVER="+w.URL, "CARILLON_TOKEN="+w.admin, "XDG_STATE_HOME="+filepath.Join(w.dir, "spool"), "TMPDIR="+filepath.Join(w.dir, "tmp"),
	)
	if out, code := w.call(path, "stack", "init", "dev"); code != 0 {
		t.Fatalf("exit code %d: %s", code, out)
	}
	return w
}

func (w *workshop) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *workshop) call(name string, args ...string) (out string, code int) {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), name, args...)
	cmd.Dir, cmd.Env = w.dir, w.env
	text, err := cmd.CombinedOutput()
	if err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			w.t.Fatal(err)
		}
		code = exit.ExitCode()
	}
	return string(text), code
}

// wrapped runs the command through the wrapper; it must end with the code.
func (w *workshop) wrapped(code int, line string) {
	w.t.Helper()
	args := append([]string{"run", "--workspace", "acme/website/dev", "--actor", "morty", "--", w.path}, strings.Fields(line)...)
	out, got := w.call(w.Program, args...)
	if got != code || strings.Contains(out, "carillon:") {
		w.t.Fatalf("%s: exit code %d, want %d\n%s", line, got, code, out)
	}
}

// TestWrappedCommand follows a stack from its first preview to its end, through the wrapper, to a webhook.
func TestWrappedCommand(t *testing.T) {
	t.Parallel()
	w, sink := newWorkshop(t), conformance.NewSink(t)
	w.hook(t, "/api/stacks/acme/website/dev/hooks", map[string]any{"payloadUrl": sink.URL, "secret": "s3cret"})
	next := 0
	told := func(want ...string) {
		t.Helper()
		var got []string
		for _, r := range sink.Wait(t, next+len(want))[next:] {
			m := arrived(t, r, "s3cret")
			if m.User.Login != "morty" || m.ProjectName != "website" || m.StackName != "dev" {
				t.Errorf("told %s", r.Body)
			}
			switch m.Kind {
			case "drift_detection":
				got = append(got, fmt.Sprintf("%s %v %s %v", m.Kind, m.DriftDetected, m.Status, m.ResourceChanges))
			default:
				got = append(got, fmt.Sprintf("%s %s %s %v", m.Kind, m.UpdateKind, m.Result, m.ResourceChanges))
			}
		}
		next += len(want)
		if !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	w.write("program.txt", "a=1\nb=2\n")
	w.wrapped(0, "preview")
	told("stack_preview update succeeded map[create:3]")
	w.wrapped(0, "up --yes")
	told("stack_preview update succeeded map[create:3]", "stack_update update succeeded map[create:3]")
	w.write("program.txt", "a=1\nb=3\nc=4\n")
	w.wrapped(0, "up --yes --skip-preview")
	told("stack_update update succeeded map[create:1 same:2 update:1]")
	w.wrapped(0, "refresh --preview-only")
	told("drift_detection false succeeded map[same:4]")
	w.wrapped(0, "refresh --yes --skip-preview")
	told("stack_update refresh succeeded map[same:4]")
	w.write("program.txt", "a=1\nfail\n")
	w.wrapped(1, "preview")
	told("stack_preview update failed map[]")
	w.wrapped(1, "up --yes --skip-preview")
	told("stack_update update failed map[same:2]")
	w.wrapped(0, "destroy --yes")
	told("stack_preview destroy succeeded map[delete:4]", "stack_update destroy succeeded map[delete:4]")
	w.wrapped(6, "up --yes -s nosuch")
	told("stack_update update failed map[]")
	if left, err := filepath.Glob(filepath.Join(w.dir, "tmp", "carillon-*")); err != nil || len(left) != 0 {
		t.Errorf("the wrapper leaves %v, %v", left, err)
	}
}

// TestWrappedTerraform sends what another tool does to a webhook: what happens is told in the platform's words.
func TestWrappedTerraform(t *testing.T) {
	t.Parallel()
	p, sink := newPlatform(t), conformance.NewSink(t)
	p.hook(t, stackHooks, map[string]any{"payloadUrl": sink.URL})
	if terraform, err := exec.LookPath("terraform"); err == nil {
		p.applied(t, terraform)
	} else { // where the tool is missing its events are sent as it would cause them
		for _, status := range []string{"pending", "planning", "planned", "applying", "applied"} {
			p.run(t, map[string]any{"source_id": "tf", "status": status, "operation": "apply", "changes": map[string]any{"add": 1}})
		}
	}
	for i, want := range []string{"stack_preview update succeeded map[create:1]", "stack_update update succeeded map[create:1]"} {
		m := arrived(t, sink.Wait(t, 2)[i], "")
		if got := fmt.Sprintf("%s %s %s %v", m.Kind, m.UpdateKind, m.Result, m.ResourceChanges); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// applied applies one resource of terraform's own through the wrapper.
func (p *platform) applied(t *testing.T, terraform string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte("resource \"terraform_data\" \"a\" {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{terraform, "init", "-no-color"}, {p.Program, "run", "--workspace", "acme/website/prod", "--", terraform, "apply", "-auto-approve", "-no-color"},
	} {
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "CARILLON_SERVER="+p.URL, "CARILLON_TOKEN="+p.admin, "XDG_STATE_HOME="+dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
}
