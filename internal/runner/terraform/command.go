package terraform

import (
	"slices"
	"strconv"
	"strings"

	"carillon/internal/runner"
)

// command is a parsed command line.
type command struct {
	name       string // the subcommand
	dir        string // of -chdir
	help       bool   // it only prints help
	flags      map[string]string
	positional []string
}

// valued are the flags whose value may stand in the next argument. All others are switches.
var valued = []string{
	"var", "var-file", "target", "target-file", "exclude", "exclude-file", "replace", "state", "state-out", "backup",
	"parallelism", "lock-timeout", "out", "generate-config-out", "config", "show-sensitive-values", "json-into", "deprecation",
	"provider", "allow-deferral-of", "invoke", "query",
}

// parseCommand reads the arguments after the executable, with those that TF_CLI_ARGS and TF_CLI_ARGS_<name> insert right
// after the subcommand.
func parseCommand(args []string, env runner.Environment) command {
	c := command{flags: map[string]string{}}
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		name, value := flagOf(args[0])
		switch name {
		case "chdir":
			c.dir = value
		case "help", "h", "version", "v":
			c.help = true
		}
		args = args[1:]
	}
	if len(args) == 0 {
		c.help = true
		return c
	}
	c.name = args[0]
	inserted := append(splitWords(env.Get("TF_CLI_ARGS_"+c.name)), splitWords(env.Get("TF_CLI_ARGS"))...)
	c.parse(append(inserted, args[1:]...))
	return c
}

func (c *command) parse(args []string) {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if arg == "-" || !strings.HasPrefix(arg, "-") {
			c.positional = append(c.positional, arg)
			continue
		}
		name, value := flagOf(arg)
		if name == "help" || name == "h" {
			c.help = true
		}
		if !strings.Contains(arg, "=") && slices.Contains(valued, name) && len(args) > 0 {
			value, args = args[0], args[1:]
		}
		c.flags[name] = value
	}
}

// set says whether a switch is on.
func (c command) set(name string) bool {
	value, given := c.flags[name]
	if !given {
		return false
	}
	on, err := strconv.ParseBool(value)
	return err != nil || on
}

// words is the tool's own word for what the command does.
func (c command) words() string {
	words := c.name
	for _, flag := range []string{"destroy", "refresh-only"} {
		if c.set(flag) {
			words += " -" + flag
		}
	}
	return words
}

// flagOf splits -name=value or --name=value. Without a value it is on.
func flagOf(arg string) (name, value string) {
	arg = strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-")
	name, value, ok := strings.Cut(arg, "=")
	if !ok {
		return name, "true"
	}
	return name, value
}

// splitWords splits a variable's value as a shell does: at blanks outside of quotes.
func splitWords(text string) []string {
	var words []string
	var word strings.Builder
	var quote rune
	open, escaped := false, false
	for _, r := range text {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			open, escaped = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			open, quote = true, r
		case r == ' ' || r == '\t' || r == '\n':
			if open {
				words = append(words, word.String())
				word.Reset()
			}
			open = false
		default:
			open = true
			word.WriteRune(r)
		}
	}
	if open {
		words = append(words, word.String())
	}
	return words
}
