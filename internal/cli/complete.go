package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// completeCommand prints a script that teaches a shell to complete carillon's commands and flags.
type completeCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"The shell: ${enum}."`
}

// completionScripts ask the program itself for candidates, so that they never fall behind it.
var completionScripts = map[string]string{
	"bash": `# carillon completion for bash. Load it with:  source <(carillon completion bash)
_carillon() {
	local IFS=$'\n'
	COMPREPLY=($(compgen -W "$(carillon __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _carillon carillon
`,
	"zsh": `#compdef carillon
# carillon completion for zsh. Load it with:  source <(carillon completion zsh)
_carillon() {
	local -a candidates
	candidates=("${(@f)$(carillon __complete -- "${words[@]:1:$((CURRENT-1))}" 2>/dev/null)}")
	compadd -a candidates || _files
}
compdef _carillon carillon
`,
	"fish": `# carillon completion for fish. Load it with:  carillon completion fish | source
complete -c carillon -f -a '(carillon __complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`,
}

// Run prints the script.
func (c *completeCommand) Run(g *globals) error {
	_, err := fmt.Fprint(g.streams.Out, completionScripts[c.Shell])
	return err
}

// candidatesCommand answers the completion scripts.
type candidatesCommand struct {
	Words []string `arg:"" optional:""`
}

// Run prints one candidate a line for the last of the words.
func (c *candidatesCommand) Run(g *globals) error {
	parser, _, err := newParser(g.streams)
	if err != nil {
		return err
	}
	words := c.Words
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	for _, candidate := range candidates(parser.Model.Node, words) {
		if _, err := fmt.Fprintln(g.streams.Out, candidate); err != nil {
			return err
		}
	}
	return nil
}

// candidates lists what may stand in place of the last word: commands and their aliases, flags, or a flag's values.
func candidates(root *kong.Node, words []string) []string {
	last := ""
	if len(words) > 0 {
		last, words = words[len(words)-1], words[:len(words)-1]
	}
	node := root
	for _, word := range words {
		if word == "--" {
			return nil // what follows is another program's
		}
		if child := childNamed(node, word); child != nil {
			node = child
		}
	}
	var found []string
	if len(words) > 0 {
		if flag := flagNamed(node, words[len(words)-1]); flag != nil && !flag.IsBool() {
			found = flag.EnumSlice()
			return keepPrefix(found, last)
		}
	}
	for _, child := range node.Children {
		if !child.Hidden {
			found = append(found, child.Name)
		}
	}
	for _, positional := range node.Positional {
		found = append(found, positional.EnumSlice()...)
	}
	if strings.HasPrefix(last, "-") {
		for _, flag := range allFlags(node) {
			found = append(found, "--"+flag.Name)
		}
	}
	return keepPrefix(found, last)
}

func childNamed(node *kong.Node, name string) *kong.Node {
	for _, child := range node.Children {
		if child.Name == name || slices.Contains(child.Aliases, name) {
			return child
		}
	}
	return nil
}

func flagNamed(node *kong.Node, word string) *kong.Flag {
	for _, flag := range allFlags(node) {
		if word == "--"+flag.Name {
			return flag
		}
	}
	return nil
}

// allFlags lists the visible flags of a command and of those above it.
func allFlags(node *kong.Node) []*kong.Flag {
	var flags []*kong.Flag
	for ; node != nil; node = node.Parent {
		for _, flag := range node.Flags {
			if !flag.Hidden {
				flags = append(flags, flag)
			}
		}
	}
	return flags
}

func keepPrefix(candidates []string, prefix string) []string {
	kept := slices.DeleteFunc(candidates, func(c string) bool { return c == "" || !strings.HasPrefix(c, prefix) })
	slices.Sort(kept)
	return slices.Compact(kept)
}
