// Package pulumi reads the Pulumi command: its command lines, the log that its engine writes, and the few lines of its
// output that the log does not have.
//
// The reading is pure. The log is what counts: what is printed changes from release to release. Of the log only what
// begins and ends a phase, violated policies and errors are looked at; the rest holds inputs and outputs of resources and
// is passed over. The package never runs a command.
package pulumi

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"carillon/internal/event"
	"carillon/internal/runner"
)

// Tool is the runner.Tool of Pulumi.
type Tool struct{}

var executable = regexp.MustCompile(`^pulumi(?:[-_.@]?v?[0-9][0-9A-Za-z.+-]*)?$`)

// Name is what people call the tool.
func (Tool) Name() string { return "Pulumi" }

// Commands that are runs, under all their names.
var commands = map[string]string{
	"up": "up", "update": "up", "preview": "preview", "pre": "preview", "destroy": "destroy", "down": "destroy", "dn": "destroy",
	"refresh": "refresh", "import": "import",
}

// Read judges a command line: a call of pulumi, by whatever path, also behind "env NAME=value …" or behind the "--" of a
// program that starts another one.
func (Tool) Read(args []string, env runner.Environment) (runner.Invocation, bool) {
	at := findTool(args)
	if at < 0 {
		return runner.Invocation{}, false
	}
	c := parseCommand(args[at+1:])
	inv := runner.Invocation{Tool: "pulumi", Command: c.name, Dir: c.dir, Locate: c.locate, Actor: actor}
	name, isRun := commands[c.name]
	if !isRun || c.help {
		return inv, true
	}
	inv.Operation = map[string]event.Operation{
		"up": event.OperationApply, "preview": event.OperationPlan, "destroy": event.OperationDestroy,
		"refresh": event.OperationRefresh, "import": event.OperationImport,
	}[name]
	switch {
	case name == "preview":
		inv.PlanOnly = true
	case c.set("preview-only"):
		inv.Operation, inv.PlanOnly, inv.Drift = event.OperationPlan, true, name == "refresh"
		inv.Command += " --preview-only"
	default:
		inv.ApplyOnly = c.set("skip-preview") || c.set("f") || isTrue(env.Get("PULUMI_SKIP_PREVIEW"))
		inv.AutoApply = new(c.set("yes") || c.set("y") || isTrue(env.Get("PULUMI_SKIP_CONFIRMATIONS")))
	}
	if c.flags["event-log"] == "" {
		inv.Aside = func(path string) ([]string, []string) { return withLog(args, at+1+c.at, path) }
	}
	inv.Recognizer = NewRecognizer(inv.PlanOnly, inv.ApplyOnly, inv.Drift)
	return inv, true
}

// withLog adds the flag behind the subcommand. The flag is there only for those who debug the command.
func withLog(args []string, at int, path string) (command, env []string) {
	command = slices.Concat(args[:at+1], []string{"--event-log=" + path}, args[at+1:])
	return command, []string{"PULUMI_DEBUG_COMMANDS=true"}
}

func isTrue(value string) bool {
	on, err := strconv.ParseBool(value)
	return err == nil && on
}

// findTool finds the tool in a command line, -1 when it is not there.
func findTool(args []string) int {
	for i := 0; i < len(args); {
		if executable.MatchString(strings.TrimSuffix(base(args[i]), ".exe")) {
			return i
		}
		if base(args[i]) == "env" {
			for i++; i < len(args) && strings.Contains(args[i], "="); i++ {
			}
			continue
		}
		dashes := slices.Index(args[i:], "--")
		if dashes < 0 {
			return -1
		}
		i += dashes + 1
	}
	return -1
}

func base(path string) string { return path[strings.LastIndexAny(path, `/\`)+1:] }
