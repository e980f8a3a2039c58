package runner_test

import (
	"os"
	"path/filepath"
	"testing"

	"carillon/internal/event"
	"carillon/internal/runner"
)

func TestMemoryTellsWhatIsNew(t *testing.T) {
	t.Parallel()
	m := runner.Memory{Dir: filepath.Join(t.TempDir(), "assessments")}
	subject := []string{"/srv/shop", "prod"}
	drifted := event.AssessmentResult{Succeeded: true, Drifted: true, ResourcesDrifted: 1, DriftedResourceList: []string{"a"}}
	more := drifted
	more.DriftedResourceList = []string{"a", "b"}
	failed := event.AssessmentResult{Error: "no credentials"}
	for _, step := range []struct {
		name    string
		result  event.AssessmentResult
		prior   bool
		changed *bool
	}{
		{"first", drifted, false, nil},
		{"same drift", drifted, true, new(false)},
		{"more drift", more, true, new(true)},
		{"failed", failed, true, nil},
		{"after a failure", drifted, true, nil},
	} {
		a := m.Compare(subject, step.result)
		if (a.Prior != nil) != step.prior || (a.DriftChanged == nil) != (step.changed == nil) ||
			(step.changed != nil && *a.DriftChanged != *step.changed) {
			t.Errorf("%s: %+v", step.name, a)
		}
		if err := m.Keep(subject, step.result); err != nil {
			t.Fatal(err)
		}
	}
	if a := m.Compare([]string{"/srv/shop", "blue"}, drifted); a.Prior != nil {
		t.Errorf("another workspace has the prior result %+v", a.Prior)
	}
}

func TestMemoryThatIsDamagedIsNone(t *testing.T) {
	t.Parallel()
	m := runner.Memory{Dir: t.TempDir()}
	subject := []string{"/srv/shop"}
	if err := m.Keep(subject, event.AssessmentResult{Succeeded: true}); err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(m.Dir, "*.json"))
	if err != nil || len(paths) != 1 {
		t.Fatal(paths, err)
	}
	if err := os.WriteFile(paths[0], []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if a := m.Compare(subject, event.AssessmentResult{}); a.Prior != nil {
		t.Errorf("prior is %+v", a.Prior)
	}
}

func TestMemoryWithoutADirectoryIsNone(t *testing.T) {
	t.Parallel()
	var m runner.Memory
	if err := m.Keep([]string{"a"}, event.AssessmentResult{}); err != nil {
		t.Fatal(err)
	}
	if a := m.Compare([]string{"a"}, event.AssessmentResult{}); a.Prior != nil {
		t.Errorf("prior is %+v", a.Prior)
	}
}
