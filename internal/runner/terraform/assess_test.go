package terraform_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"carillon/internal/event"
	"carillon/internal/runner"
	"carillon/internal/runner/terraform"
)

// player is a tool that plays an assessment's recording.
const player = `#!/bin/sh
case "$1" in
plan) for a; do case "$a" in -out=*) : > "${a#-out=}";; -lock=false|-refresh-only) flags="$flags $a";; esac; done
	[ "$flags" = " -refresh-only -lock=false" ] || { echo "unexpected: $*" >&2; exit 9; }
	cat "$RECORDING/plan.jsonl"; exit $CODE;;
show) cat "$RECORDING/show.json";;
esac
`

func TestAssessRecordings(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tests := []struct {
		name, recording string
		code            int
		want            event.AssessmentResult
		problems        []string
	}{
		{
			name: "drift and a failed check", recording: "drift", code: 2,
			want: event.AssessmentResult{
				Succeeded: true, Drifted: true, ResourcesDrifted: 1, ResourcesUndrifted: 2, ChecksFailed: 1, ChecksUnknown: 1,
				DriftedResourceList: []string{"local_file.a"},
			},
			problems: []string{"check.plain: b is not nothing"},
		},
		{
			name: "failed checks only", recording: "checks",
			want:     event.AssessmentResult{Succeeded: true, ResourcesUndrifted: 3, ChecksFailed: 2},
			problems: []string{"check.file: file says hello", "check.plain: b is not nothing"},
		},
		{
			name: "plan that fails", recording: "failed", code: 1,
			want: event.AssessmentResult{Error: "Error: Reference to undeclared local value"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			recording, err := filepath.Abs(filepath.Join("testdata", "assess", tt.recording))
			if err != nil {
				t.Fatal(err)
			}
			tool := filepath.Join(t.TempDir(), "terraform")
			if err := os.WriteFile(tool, []byte(player), 0o700); err != nil {
				t.Fatal(err)
			}
			got, err := terraform.Assess(t.Context(), terraform.AssessOptions{
				Tool: tool, Dir: t.TempDir(), Now: func() time.Time { return at },
				Env: append(os.Environ(), "RECORDING="+recording, "CODE="+strconv.Itoa(tt.code)),
			})
			if err != nil {
				t.Fatal(err)
			}
			tt.want.CreatedAt = at
			sameResult(t, got.Result, tt.want)
			if !slices.Equal(got.Problems, tt.problems) {
				t.Errorf("problems are %q, want %q", got.Problems, tt.problems)
			}
		})
	}
}

// sameResult compares two results; of an error only the first line counts.
func sameResult(t *testing.T, got, want event.AssessmentResult) {
	t.Helper()
	if !slices.Equal(got.DriftedResourceList, want.DriftedResourceList) {
		t.Errorf("drifted are %q, want %q", got.DriftedResourceList, want.DriftedResourceList)
	}
	got.Error, _, _ = strings.Cut(got.Error, "\n")
	got.DriftedResourceList, want.DriftedResourceList = nil, nil
	type comparable struct {
		succeeded, drifted, checks bool
		counts                     [6]int64
		err                        string
		at                         time.Time
	}
	view := func(r event.AssessmentResult) comparable {
		return comparable{
			r.Succeeded, r.Drifted, r.AllChecksSucceeded,
			[6]int64{r.ResourcesDrifted, r.ResourcesUndrifted, r.ChecksPassed, r.ChecksFailed, r.ChecksErrored, r.ChecksUnknown},
			r.Error, r.CreatedAt,
		}
	}
	if view(got) != view(want) {
		t.Errorf("result is %+v, want %+v", got, want)
	}
}

func TestAssessForReal(t *testing.T) {
	t.Parallel()
	tool, ok := findTerraform(t)
	if !ok {
		return
	}
	tests := []struct {
		name, config string
		args         []string
		want         event.AssessmentResult
	}{
		{
			name: "healthy", config: "checks",
			want: event.AssessmentResult{Succeeded: true, AllChecksSucceeded: true, ResourcesUndrifted: 1, ChecksPassed: 2},
		},
		{
			name: "failed check", config: "checks", args: []string{"-var=limit=2"},
			want: event.AssessmentResult{Succeeded: true, ResourcesUndrifted: 1, ChecksPassed: 1, ChecksFailed: 1},
		},
		{
			name: "broken", config: "invalid",
			want: event.AssessmentResult{Error: "Error: Reference to undeclared local value"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var before [][]string
			if tt.config == "checks" {
				before = [][]string{{"apply", "-auto-approve"}}
			}
			at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			got, err := terraform.Assess(t.Context(), terraform.AssessOptions{
				Tool: tool, Dir: prepare(t, tool, tt.config, before...), Args: tt.args, Env: quiet(), Now: func() time.Time { return at },
			})
			if err != nil {
				t.Fatal(err)
			}
			tt.want.CreatedAt = at
			sameResult(t, got.Result, tt.want)
		})
	}
}

func TestAssessRemembersThePriorResult(t *testing.T) {
	t.Parallel()
	recording, err := filepath.Abs(filepath.Join("testdata", "assess", "drift"))
	if err != nil {
		t.Fatal(err)
	}
	tool := filepath.Join(t.TempDir(), "tofu")
	if err := os.WriteFile(tool, []byte(player), 0o700); err != nil {
		t.Fatal(err)
	}
	o := terraform.AssessOptions{
		Tool: tool, Dir: t.TempDir(), Memory: runner.Memory{Dir: t.TempDir()},
		Env: append(os.Environ(), "RECORDING="+recording, "CODE=2"),
	}
	first, err := terraform.Assess(t.Context(), o)
	if err != nil || first.Assessment.Prior != nil {
		t.Fatalf("first: %+v, %v", first, err)
	}
	second, err := terraform.Assess(t.Context(), o)
	a := second.Assessment
	if err != nil || a.Prior == nil || !a.Prior.Drifted || a.DriftChanged == nil || *a.DriftChanged {
		t.Errorf("second: %+v, %v", second, err)
	}
}

func TestAssessThatCanNotBegin(t *testing.T) {
	t.Parallel()
	if got, err := terraform.Assess(t.Context(), terraform.AssessOptions{Tool: "no-such-tool-anywhere"}); err == nil {
		t.Errorf("assessed %+v", got)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := terraform.Assess(ended, terraform.AssessOptions{Tool: "/bin/sh"}); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context gives %v", err)
	}
}
