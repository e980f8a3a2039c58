package terraform_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"carillon/internal/runner"
)

// scenario is one command that was recorded from the real tool, and is run again with it where it is installed.
type scenario struct {
	name   string
	config string     // below testdata/configs
	before [][]string // commands that come first
	args   []string
	stdin  string
	code   int
}

// scenarios lists what was recorded. Every name is a directory of testdata/recordings.
func scenarios() []scenario {
	auto := []string{"apply", "-auto-approve", "-no-color"}
	return []scenario{
		{name: "apply-approved", config: "data", args: []string{"apply"}, stdin: "yes\n"},
		{name: "apply-declined", config: "data", args: []string{"apply"}, stdin: "no\n", code: 1},
		{name: "apply-unanswered", config: "data", args: []string{"apply", "-no-color"}, code: 1},
		{name: "apply-auto", config: "data", args: []string{"apply", "-auto-approve"}},
		{name: "apply-auto-nocolor", config: "data", args: auto},
		{name: "apply-json", config: "data", args: []string{"apply", "-auto-approve", "-json"}},
		{name: "apply-replace", config: "data", before: [][]string{auto}, args: append(auto, "-var=release=two")},
		{name: "apply-replace-json", config: "data", before: [][]string{auto}, args: append(auto, "-json", "-var=release=two")},
		{name: "apply-nochange", config: "data", before: [][]string{auto}, args: auto},
		{name: "apply-nochange-json", config: "data", before: [][]string{auto}, args: []string{"apply", "-auto-approve", "-json"}},
		{name: "apply-outputs", config: "outputs", before: [][]string{auto}, args: append(auto, "-var=more=true")},
		{name: "apply-outputs-json", config: "outputs", before: [][]string{auto}, args: append(auto, "-json", "-var=more=true")},
		{name: "apply-tricky-output", config: "outputs", args: auto},
		{name: "apply-asks-variable", config: "asking", args: []string{"apply"}, stdin: "forty-two\n", code: 1},
		{name: "apply-error", config: "error", args: []string{"apply", "-auto-approve"}, code: 1},
		{name: "apply-error-nocolor", config: "error", args: auto, code: 1},
		{name: "apply-error-json", config: "error", args: []string{"apply", "-auto-approve", "-json"}, code: 1},
		{name: "apply-plan-error", config: "invalid", args: []string{"apply"}, code: 1},
		{name: "apply-plan-error-json", config: "invalid", args: []string{"apply", "-auto-approve", "-json"}, code: 1},
		{name: "apply-saved", config: "data", before: [][]string{{"plan", "-out=saved"}}, args: []string{"apply", "saved"}},
		{
			name: "apply-stale", config: "data", before: [][]string{{"plan", "-out=saved"}, {"apply", "saved"}},
			args: []string{"apply", "saved"}, code: 1,
		},
		{name: "apply-refresh-only", config: "data", before: [][]string{auto}, args: []string{"apply", "-refresh-only"}},
		{name: "apply-bad-flag", config: "data", args: []string{"apply", "-wrong"}, code: 1},
		{name: "plan", config: "data", args: []string{"plan"}},
		{name: "plan-json", config: "data", args: []string{"plan", "-json"}},
		{name: "plan-detailed", config: "data", args: []string{"plan", "-detailed-exitcode"}, code: 2},
		{name: "plan-nochange", config: "data", before: [][]string{auto}, args: []string{"plan", "-detailed-exitcode"}},
		{name: "plan-destroy", config: "data", before: [][]string{auto}, args: []string{"plan", "-destroy", "-no-color"}},
		{name: "plan-error", config: "invalid", args: []string{"plan", "-no-color"}, code: 1},
		{name: "destroy-approved", config: "data", before: [][]string{auto}, args: []string{"destroy"}, stdin: "yes\n"},
		{name: "destroy-json", config: "data", before: [][]string{auto}, args: []string{"destroy", "-auto-approve", "-json"}},
		{name: "destroy-nothing", config: "data", args: []string{"apply", "-destroy", "-auto-approve"}},
		{name: "refresh", config: "data", before: [][]string{auto}, args: []string{"refresh"}},
	}
}

// findTerraform returns the real tool's path, or says how to get it and leaves the recordings to speak alone.
func findTerraform(t *testing.T) (path string, ok bool) {
	t.Helper()
	path, err := exec.LookPath("terraform")
	if err != nil {
		t.Log("terraform is not installed: only its recordings were read. Put a terraform executable on the PATH to run it here.")
		return "", false
	}
	return path, true
}

// quiet is the environment of the real tool: no configuration of the user's, no question about newer releases.
func quiet(extra ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(entry string) bool { return len(entry) > 3 && entry[:3] == "TF_" })
	return append(env, append([]string{"CHECKPOINT_DISABLE=1", "TF_CLI_CONFIG_FILE=" + os.DevNull}, extra...)...)
}

// prepare copies a configuration into a fresh directory and initialises it.
func prepare(t *testing.T, tool, config string, before ...[]string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "configs", config))); err != nil {
		t.Fatal(err)
	}
	for _, args := range append([][]string{{"init", "-input=false"}}, before...) {
		cmd := exec.Command(tool, args...)
		cmd.Dir, cmd.Env = dir, quiet()
		// What is broken on purpose may fail to initialise; the scenario shows it.
		if out, err := cmd.CombinedOutput(); err != nil && config != "invalid" {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	return dir
}

// invocation reads a scenario's command line as the program does.
func (s scenario) invocation(t *testing.T) runner.Invocation {
	t.Helper()
	return read(t, append([]string{"terraform"}, s.args...)...)
}
