package terraform

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	tfjson "github.com/hashicorp/terraform-json"

	"carillon/internal/event"
	"carillon/internal/runner"
)

// cancelPatience is how long an interrupted assessment may take to end by itself.
const cancelPatience = 30 * time.Second

// AssessOptions says what to assess.
type AssessOptions struct {
	Tool   string        // the executable; "" is terraform
	Dir    string        // the configuration, initialised
	Args   []string      // further arguments of plan, -var-file say
	Env    []string      // nil: this process's own
	Memory runner.Memory // holds the prior result, and remembers this one
	Now    func() time.Time
}

// Assessed is the outcome of a health assessment.
type Assessed struct {
	Result     event.AssessmentResult
	Problems   []string         // what the failed checks say
	Assessment event.Assessment // the result beside the one before it, as an event tells it
}

// Assess looks whether a configuration's real resources still are what its state says (drift), and whether its checks
// hold. It makes a refresh-only plan and changes nothing; it does not wait for anybody's lock either, since it writes no
// state. A plan that fails is an outcome (Succeeded is false); an error means that nothing could be assessed: the tool is
// not there, or ctx has ended.
func Assess(ctx context.Context, o AssessOptions) (Assessed, error) {
	if o.Tool == "" {
		o.Tool = "terraform"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Env == nil {
		o.Env = os.Environ()
	}
	a := Assessed{Result: event.AssessmentResult{CreatedAt: o.Now().UTC()}}
	if err := o.assess(ctx, &a); err != nil {
		return Assessed{}, fmt.Errorf("assess: %w", err)
	}
	a.Assessment.New = a.Result
	if subject, err := o.subject(); err == nil {
		a.Assessment = o.Memory.Compare(subject, a.Result)
		_ = o.Memory.Keep(subject, a.Result) // what can not be remembered is news again next time; that loses nothing
	}
	return a, nil
}

// subject names what is assessed: a directory, and the workspace that is selected in it.
func (o AssessOptions) subject() ([]string, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	return []string{dir, locate(dir, o.Env).String()}, nil
}

func (o AssessOptions) assess(ctx context.Context, a *Assessed) error {
	scratch, err := os.MkdirTemp("", "carillon-assess-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch) // the plan holds values in clear
	saved := filepath.Join(scratch, "plan")

	args := append([]string{"plan", "-refresh-only", "-detailed-exitcode", "-json", "-input=false", "-lock=false", "-out=" + saved}, o.Args...)
	seen, code, err := o.plan(ctx, args)
	if err != nil {
		return err
	}
	if code != 0 && code != codeChanges {
		a.Result.Error = seen.failure
		if a.Result.Error == "" {
			a.Result.Error = fmt.Sprintf("%s plan ended with exit code %d.", filepath.Base(o.Tool), code)
		}
		return nil
	}
	a.Result.Succeeded, a.Result.AllChecksSucceeded = true, true
	a.drift(seen.drifted, 0)
	if plan, err := o.show(ctx, saved); err == nil { // a remote plan can not be shown here; its stream has the drift
		a.read(plan)
	}
	return ctx.Err()
}

// stream is what the machine-readable output of a refresh-only plan says.
type stream struct {
	drifted []string
	failure string
}

// plan runs the plan and reads its output. The error says that it did not run to its end.
func (o AssessOptions) plan(ctx context.Context, args []string) (stream, int, error) {
	cmd := o.command(ctx, args...)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		return stream{}, 0, err
	}
	if err := cmd.Start(); err != nil {
		return stream{}, 0, fmt.Errorf("start %s: %w", o.Tool, err)
	}
	seen := readStream(out)
	err = cmd.Wait()
	if ctx.Err() != nil {
		return stream{}, 0, ctx.Err()
	}
	if failed := new(exec.ExitError); err != nil && !errors.As(err, &failed) {
		return stream{}, 0, err
	}
	if seen.failure == "" { // what goes wrong before the plan begins is printed for people
		seen.failure = shorten(plain([]byte(complaint.String())))
	}
	return seen, cmd.ProcessState.ExitCode(), nil
}

func (o AssessOptions) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, o.Tool, args...)
	cmd.Dir, cmd.Env = o.Dir, o.Env
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = cancelPatience
	return cmd
}

func readStream(out io.Reader) stream {
	var seen stream
	scanner := bufio.NewScanner(out)
	scanner.Buffer(nil, lineLimit)
	for scanner.Scan() {
		var m message
		if json.Unmarshal(scanner.Bytes(), &m) != nil {
			continue
		}
		switch {
		case m.Type == "resource_drift" && effective(m.Change.Action):
			seen.drifted = append(seen.drifted, m.Change.Resource.Address)
		case m.Type == "diagnostic" && m.Diagnostic != nil && m.Diagnostic.Severity == "error" && seen.failure == "":
			seen.failure = m.Diagnostic.text()
		}
	}
	_, _ = io.Copy(io.Discard, out) // after a line beyond all bounds, so that the tool is not left writing
	return seen
}

// show reads the saved plan.
func (o AssessOptions) show(ctx context.Context, saved string) (*tfjson.Plan, error) {
	out, err := o.command(ctx, "show", "-json", saved).Output()
	if err != nil {
		return nil, fmt.Errorf("show the plan: %w", err)
	}
	var plan tfjson.Plan
	if err := json.Unmarshal(out, &plan); err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	return &plan, nil
}

// drift notes which resources have drifted, and how many have not.
func (a *Assessed) drift(addresses []string, undrifted int64) {
	slices.Sort(addresses)
	addresses = slices.Compact(addresses)
	a.Result.Drifted = len(addresses) > 0
	a.Result.ResourcesDrifted, a.Result.ResourcesUndrifted = int64(len(addresses)), undrifted
	addresses = addresses[:min(len(addresses), event.MaxItems)] // the counts are of all
	for i, address := range addresses {
		if len(address) > event.MaxName {
			addresses[i] = strings.ToValidUTF8(address[:event.MaxName-len("…")], "") + "…"
		}
	}
	a.Result.DriftedResourceList = addresses
}

// read takes over what the saved plan says: the drift, and the checks.
func (a *Assessed) read(plan *tfjson.Plan) {
	var drifted []string
	var still int64 // drifted and still there: the refreshed state has them
	for _, d := range plan.ResourceDrift {
		if d.Change == nil || d.Change.Actions.NoOp() || d.Change.Actions.Read() {
			continue
		}
		drifted = append(drifted, d.Address)
		if !d.Change.Actions.Delete() {
			still++
		}
	}
	a.drift(drifted, max(0, managed(plan.PriorState)-still))
	for _, check := range plan.Checks {
		switch check.Status {
		case tfjson.CheckStatusPass:
			a.Result.ChecksPassed++
		case tfjson.CheckStatusFail:
			a.Result.ChecksFailed++
			a.problems(check)
		case tfjson.CheckStatusError:
			a.Result.ChecksErrored++
			a.problems(check)
		default:
			a.Result.ChecksUnknown++
		}
	}
	a.Result.AllChecksSucceeded = a.Result.ChecksFailed+a.Result.ChecksErrored == 0
}

func (a *Assessed) problems(check tfjson.CheckResultStatic) {
	for _, instance := range check.Instances {
		for _, problem := range instance.Problems {
			a.Problems = append(a.Problems, instance.Address.ToDisplay+": "+problem.Message)
		}
	}
}

// managed counts the managed resources of a state.
func managed(state *tfjson.State) int64 {
	if state == nil || state.Values == nil {
		return 0
	}
	var count func(*tfjson.StateModule) int64
	count = func(module *tfjson.StateModule) int64 {
		if module == nil {
			return 0
		}
		var n int64
		for _, r := range module.Resources {
			if r.Mode == tfjson.ManagedResourceMode {
				n++
			}
		}
		for _, child := range module.ChildModules {
			n += count(child)
		}
		return n
	}
	return count(state.Values.RootModule)
}
