package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	terraformdata "carillon/examples/terraform-data"
	terraformerror "carillon/examples/terraform-error"
)

// run applies one of the examples with the real tool under `carillon run`, or replays what was recorded when the tool is
// not on this machine.
func (d *demo) run(ctx context.Context, e example) error {
	tool, err := exec.LookPath("terraform")
	if err != nil {
		fmt.Fprintf(d.out, "terraform is not on this machine: replaying a recorded run of examples/%s instead.\n", e.dir)
		return d.replay(ctx, e)
	}
	dir := filepath.Join(d.dir, e.dir)
	if err := e.unpack(dir); err != nil {
		return err
	}
	if out, err := d.command(ctx, dir, tool, "init", "-input=false", "-no-color").CombinedOutput(); err != nil {
		return fmt.Errorf("terraform init in examples/%s: %w\n%s", e.dir, err, out)
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	fmt.Fprintf(d.out, "$ carillon run --workspace %s/%s -- terraform apply -auto-approve   (in examples/%s)\n", demoOrganization, demoWorkspace, e.dir)
	command := d.command(ctx, dir, program, "run", "--workspace", demoOrganization+"/"+demoWorkspace, "--message", "The demo of examples/"+e.dir,
		"--", tool, "apply", "-auto-approve", "-input=false", "-no-color")
	command.Stdout, command.Stderr = d.out, d.out
	err = command.Run()
	switch _, exited := errors.AsType[*exec.ExitError](err); {
	case e.fails && exited:
		return nil
	case e.fails && err == nil:
		return fmt.Errorf("examples/%s was to fail and did not", e.dir)
	}
	if err != nil {
		return fmt.Errorf("apply examples/%s: %w", e.dir, err)
	}
	return nil
}

// command prepares a program with the demo's server in its environment and nothing of the user's settings.
func (d *demo) command(ctx context.Context, dir, program string, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, program, args...)
	command.Dir = dir
	command.Env = append(slices.DeleteFunc(os.Environ(), func(entry string) bool { return strings.HasPrefix(entry, "CARILLON_") }),
		"CARILLON_SERVER="+d.server.BaseURL(), "CARILLON_TOKEN="+demoToken, "CARILLON_SPOOL="+filepath.Join(d.dir, "spool"),
		"TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1", "TF_CLI_CONFIG_FILE="+os.DevNull,
	)
	return command
}

// example is one of the configurations that come with the program.
type example struct {
	dir           string // below examples/
	configuration func() ([]byte, error)
	recording     func() ([]json.RawMessage, error)
	fails         bool
}

// applies is the example whose run succeeds. Its recording starts with an apply; later runs are left out.
func applies() example {
	return example{dir: "terraform-data", configuration: terraformdata.Configuration, recording: func() ([]json.RawMessage, error) {
		steps, err := terraformdata.Recording()
		events := make([]json.RawMessage, len(steps))
		for i := range steps {
			events[i] = steps[i].Event
		}
		return events, err
	}}
}

// breaks is the example whose run fails.
func breaks() example {
	return example{
		dir: "terraform-error", fails: true,
		configuration: func() ([]byte, error) { return []byte(terraformerror.Configuration()), nil },
		recording: func() (events []json.RawMessage, err error) {
			for line := range strings.Lines(terraformerror.Recording()) {
				events = append(events, json.RawMessage(strings.TrimSpace(line)))
			}
			return events, nil
		},
	}
}

// unpack writes the example's configuration into a directory of its own.
func (e example) unpack(dir string) error {
	configuration, err := e.configuration()
	if err != nil {
		return fmt.Errorf("read examples/%s: %w", e.dir, err)
	}
	err = errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, "main.tf"), configuration, 0o600))
	if err != nil {
		return fmt.Errorf("copy examples/%s: %w", e.dir, err)
	}
	return nil
}

// replay hands in the recorded events of an example's first run as if they happened now.
func (d *demo) replay(ctx context.Context, e example) error {
	recorded, err := e.recording()
	if err != nil {
		return fmt.Errorf("read the recording of examples/%s: %w", e.dir, err)
	}
	var events []json.RawMessage
	first := ""
	for _, line := range recorded {
		placed, run, err := placeRecorded(line, time.Now())
		if err != nil {
			return fmt.Errorf("read the recording of examples/%s: %w", e.dir, err)
		}
		if first == "" {
			first = run
		}
		if run == first {
			events = append(events, placed)
		}
	}
	_, err = d.client.Send(ctx, events)
	return err
}

// placeRecorded moves a recorded event into the demo's workspace and to the present, and returns the run that it is of.
func placeRecorded(line []byte, now time.Time) (placed json.RawMessage, run string, err error) {
	var e map[string]any
	if err := json.Unmarshal(line, &e); err != nil {
		return nil, "", err
	}
	e["organization"] = map[string]any{"name": demoOrganization}
	e["workspace"] = map[string]any{"name": demoWorkspace}
	e["occurred_at"] = now.UTC()
	delete(e, "project")
	if r, ok := e["run"].(map[string]any); ok {
		run, _ = r["source_id"].(string)
	}
	placed, err = json.Marshal(e)
	return placed, run, err
}
