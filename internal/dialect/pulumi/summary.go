package pulumi

import (
	"cmp"
	"strconv"
	"strings"

	"carillon/internal/message"
)

// tone is how a message in a chat looks (§3.4).
type tone struct {
	mark   string // before the text in Slack
	color  string // of the edge in Slack
	accent string // of the headline in Teams
}

var (
	toneGood  = tone{":white_check_mark: ", "#36a64f", "Good"}
	toneBad   = tone{":x: ", "#e01563", "Attention"}
	toneOther = tone{":information_source: ", "#e9a820", "Default"}
)

// subject is what the content is about: organization/project/stack, or the environment in the stack's place.
func (c *content) subject() string {
	name := c.stack
	if name == "" {
		name = c.environment
	}
	return message.Line(c.organization.Login + "/" + c.project + "/" + name)
}

// summary says in one line what happened (§3.4).
func (c *content) summary() string {
	return c.subject() + " " + message.Line(c.happened())
}

func (c *content) happened() string {
	switch c.kind {
	case kindStack:
		return c.action
	case kindUpdate:
		return c.operation + " " + c.result
	case kindPreview:
		return "preview of " + c.operation + " " + c.result
	case kindDeployment:
		return "deployment " + strconv.FormatInt(c.version, 10) + " (" + c.operation + ") " + deploymentStep(c.status)
	case kindDrift:
		switch {
		case c.status == statusFailed:
			return "drift detection failed"
		case c.drifted:
			return "drift detected"
		}
		return "no drift"
	case kindRemediation:
		return "drift remediation " + c.status
	case kindPolicy:
		return c.policies()
	case kindImported:
		return spaced(c.kind)
	}
	return strings.TrimSpace(spaced(c.kind) + " " + c.outcome())
}

// outcome is the word that says how something ended, whatever the kind calls it.
func (c *content) outcome() string {
	for _, word := range []string{c.action, c.status, c.result} {
		if word != "" {
			return word
		}
	}
	return ""
}

func (c *content) policies() string {
	noun := " policy violations"
	if len(c.violations) == 1 {
		noun = " policy violation"
	}
	return strings.TrimSpace(strconv.Itoa(len(c.violations)) + " " + c.level + noun)
}

// tone is the colour of what happened.
func (c *content) tone() tone {
	switch {
	case c.kind == kindPolicy && c.level == "mandatory", c.kind != kindPolicy && (c.result == statusFailed || c.status == statusFailed):
		return toneBad
	case c.kind == kindDrift && c.drifted:
		return toneOther
	case c.kind != kindPolicy && (c.result == statusSucceeded || c.status == statusSucceeded):
		return toneGood
	}
	return toneOther
}

// fact is a title and a value that a message shows.
type fact struct{ title, value string }

// facts lists what is worth knowing beside the summary; what is not known is left out (§3.4).
func (c *content) facts() []fact {
	place := "Stack"
	if c.stack == "" && c.environment != "" {
		place = "Environment"
	}
	facts := []fact{{place, c.subject()}}
	if user := cmp.Or(c.user.Name, c.user.Login); user != "" {
		facts = append(facts, fact{"User", user})
	}
	facts = append(facts, fact{"Event", c.kind})
	if text := c.resources(); text != "" {
		facts = append(facts, fact{"Resources", text})
	}
	return facts
}

// resources spells the counts for people: "1 delete, 3 update, 9 same". What did not change comes last.
func (c *content) resources() string {
	const same = "same"
	var parts []string
	for _, name := range c.changes.names() {
		if name != same {
			parts = append(parts, strconv.FormatInt(c.changes[name], 10)+" "+name)
		}
	}
	if n := c.changes[same]; n > 0 {
		parts = append(parts, strconv.FormatInt(n, 10)+" "+same)
	}
	return strings.Join(parts, ", ")
}
