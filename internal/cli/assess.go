package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"carillon/internal/runner"
	"carillon/internal/runner/terraform"
	"carillon/internal/spool"
)

// assessCommand makes a health assessment and reports it.
type assessCommand struct {
	reporting
	output
	Dir  string `arg:"" default:"." help:"Directory of the configuration, initialized." type:"existingdir"`
	Tool string `default:"terraform" help:"The program to ask: terraform or tofu, or its path." placeholder:"PROGRAM"`
}

// Run assesses the directory.
func (a *assessCommand) Run(ctx context.Context, g *globals) error {
	given, err := a.given()
	if err != nil {
		return err
	}
	environment := runner.Environment(os.Environ())
	invocation, known := runner.Find(tools(), []string{a.Tool, "plan"}, environment)
	if !known {
		return usageError{fmt.Errorf("--tool %s is no program that can assess; name terraform or tofu", a.Tool)}
	}
	if !a.placed(given, invocation, environment) {
		return usageError{errors.New("no organization is known: give --workspace ORG/NAME")}
	}
	assessed, err := terraform.Assess(ctx, terraform.AssessOptions{Tool: a.Tool, Dir: a.Dir, Memory: assessments(os.Getenv)})
	if err != nil {
		return err
	}
	kept := spool.Open(a.spool())
	facts := runner.Gather(ctx, given, invocation, a.Dir, environment)
	kept.Put(facts.AssessmentEvent(assessed.Assessment, time.Now()))
	a.tell(g, kept.Close(ctx))
	return a.print(g.streams.Out, assessed.Result, func(w io.Writer) { assessmentTable(w, assessed) })
}

// assessments is where the results are remembered that the next ones are compared with: beside the spool, and never
// directly in a directory that everybody writes to.
func assessments(getenv func(string) string) runner.Memory {
	kept := spool.DefaultDir(getenv)
	if filepath.Base(kept) == "spool" {
		return runner.Memory{Dir: filepath.Join(filepath.Dir(kept), "assessments")}
	}
	return runner.Memory{Dir: kept + "-assessments"}
}

func assessmentTable(w io.Writer, assessed terraform.Assessed) {
	r := assessed.Result
	row(w, "succeeded", r.Succeeded)
	if r.Error != "" {
		row(w, "error", r.Error)
	}
	row(w, "drifted", fmt.Sprintf("%v (%d of %d resources)", r.Drifted, r.ResourcesDrifted, r.ResourcesDrifted+r.ResourcesUndrifted))
	row(w, "checks", fmt.Sprintf("%d passed, %d failed, %d errored, %d unknown", r.ChecksPassed, r.ChecksFailed, r.ChecksErrored, r.ChecksUnknown))
	for _, problem := range assessed.Problems {
		row(w, "", problem)
	}
}
