package pulumi

import (
	"slices"
	"strings"
)

// command is a parsed command line.
type command struct {
	name  string // the subcommand
	at    int    // its position behind the executable
	dir   string // of --cwd
	stack string
	help  bool
	flags map[string]string
}

// valued are the flags whose value may stand in the next argument. All others are switches.
var valued = []string{
	"C", "cwd", "color", "memprofilerate", "profiling", "tracing", "tracing-header", "v", "verbose", "s", "stack", "c", "config", "config-file",
	"config-path", "m", "message", "p", "parallel", "policy-pack", "policy-pack-config", "t", "target", "x", "exclude", "r", "replace",
	"target-replace", "secrets-provider", "event-log", "exec-kind", "exec-agent", "client", "plan", "save-plan", "attach-debugger",
	"suppress-permalink", "remote-env", "remote-env-secret", "o", "out", "file", "parent", "provider", "properties", "otel-traces", "neo-task-id",
	"import-pending-creates", "import-file", "run-program-args", "otel",
}

// parseCommand reads the arguments behind the executable.
func parseCommand(args []string) command {
	c := command{flags: map[string]string{}}
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			break
		}
		if arg == "-" || !strings.HasPrefix(arg, "-") {
			if c.name == "" {
				c.name, c.at = arg, i
			}
			continue
		}
		name, value, given := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if !given && !strings.HasPrefix(arg, "--") && len(name) > 1 && slices.Contains(valued, name[:1]) {
			name, value, given = name[:1], name[1:], true // -sdev
		}
		if !given {
			value = "true"
			if slices.Contains(valued, name) && i+1 < len(args) && optional(name, args[i+1]) {
				i++
				value = args[i]
			}
		}
		c.flag(name, value)
	}
	if c.name == "" {
		c.help = true
	}
	return c
}

// optional reports whether the next argument is the flag's value. One of them has a value only behind "=".
func optional(name, next string) bool {
	return name != "suppress-permalink" && (!strings.HasPrefix(next, "-") || len(next) == 1)
}

func (c *command) flag(name, value string) {
	switch name {
	case "C", "cwd":
		c.dir = value
	case "s", "stack":
		c.stack = value
	case "h", "help":
		c.help = true
	}
	c.flags[name] = value
}

// set says whether a switch is on.
func (c command) set(name string) bool {
	value, given := c.flags[name]
	return given && value != "false"
}
