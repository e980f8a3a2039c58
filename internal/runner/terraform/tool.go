// Package terraform reads Terraform and OpenTofu: their command lines, what they print, and their health assessments.
//
// The reading is pure. A Recognizer understands both kinds of output, the one for people and the one for machines (-json),
// by the lines that have kept their wording since release 1.0 in either tool; what it does not know it passes over. It
// never runs a command. Only Assess does, and only commands that change nothing.
package terraform

import (
	"regexp"
	"slices"
	"strings"

	"carillon/internal/event"
	"carillon/internal/runner"
)

// Tool is the runner.Tool of Terraform and OpenTofu.
type Tool struct{}

// executable matches the names under which people install the two: terraform, tofu, terraform-1.5.7, tofu_1.10, …
var executable = regexp.MustCompile(`^(terraform|tofu|opentofu)(?:[-_.@]?v?[0-9][0-9A-Za-z.+-]*)?$`)

// Name is what people call the tool.
func (Tool) Name() string { return "Terraform" }

// Read judges a command line: a call of terraform or tofu, by whatever path, also behind "env NAME=value …" or behind the
// "--" of a program that starts another one (a credentials helper, say).
func (Tool) Read(args []string, env runner.Environment) (runner.Invocation, bool) {
	tool, rest, ok := findTool(args)
	if !ok {
		return runner.Invocation{}, false
	}
	c := parseCommand(rest, env)
	inv := runner.Invocation{Tool: tool, Command: c.words(), Dir: c.dir, Locate: locate}
	if c.help {
		return inv, true
	}
	refreshOnly, destroy := c.set("refresh-only"), c.set("destroy")
	switch c.name {
	case "plan":
		inv.Operation, inv.PlanOnly, inv.Drift = event.OperationPlan, true, refreshOnly
		if c.set("detailed-exitcode") {
			inv.ChangesCode = codeChanges
		}
	case "apply", "destroy":
		inv.Operation = event.OperationApply
		if destroy || c.name == "destroy" {
			inv.Operation = event.OperationDestroy
		} else if refreshOnly {
			inv.Operation = event.OperationRefresh
		}
		// A plan file is applied without a question: that it is applied at all is the approval.
		inv.ApplyOnly = c.name == "apply" && len(c.positional) > 0
		inv.AutoApply = new(c.set("auto-approve") || inv.ApplyOnly)
	case "refresh":
		inv.Operation, inv.ApplyOnly, inv.AutoApply = event.OperationRefresh, true, new(true)
	case "import":
		inv.Operation, inv.ApplyOnly, inv.AutoApply = event.OperationImport, true, new(true)
	default:
		return inv, true
	}
	inv.Recognizer = NewRecognizer(refreshOnly)
	return inv, true
}

// codeChanges is the exit code of plan -detailed-exitcode when there are changes.
const codeChanges = 2

// findTool finds the tool in a command line and returns its name and its arguments.
func findTool(args []string) (tool string, rest []string, ok bool) {
	for len(args) > 0 {
		if tool, ok = toolName(args[0]); ok {
			return tool, args[1:], true
		}
		if base(args[0]) == "env" {
			args = args[1:]
			for len(args) > 0 && strings.Contains(args[0], "=") {
				args = args[1:]
			}
			continue
		}
		dashes := slices.Index(args, "--")
		if dashes < 0 {
			return "", nil, false
		}
		args = args[dashes+1:]
	}
	return "", nil, false
}

func toolName(arg string) (string, bool) {
	m := executable.FindStringSubmatch(strings.TrimSuffix(base(arg), ".exe"))
	if m == nil {
		return "", false
	}
	return strings.TrimPrefix(m[1], "open"), true
}

func base(path string) string {
	return path[strings.LastIndexAny(path, `/\`)+1:]
}
