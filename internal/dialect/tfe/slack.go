package tfe

import (
	"strconv"
	"time"

	"carillon/internal/event"
	"carillon/internal/message"
)

// slack writes the message of §3.5: what it is about, then what happened.
func (n *notification) slack() ([]byte, error) {
	e := n.in.Event
	place := message.SlackLink(workspacePage(n.in.Site, e), n.place())
	switch {
	case n.transition != nil:
		return message.JSON(message.Slack{
			Text:        "Run notification for " + place,
			Attachments: []message.SlackAttachment{n.slackRun(), n.slackStep(happened(e), firstNamed(e.Actor, e.Run.CreatedBy), runCreator(e.Run))},
		})
	case e.Kind == event.KindChangeRequest:
		return message.JSON(message.Slack{
			Text:        "Change request for " + place,
			Attachments: []message.SlackAttachment{n.slackChange(), n.slackStep(changeRequestedAt(e), nil, "")},
		})
	}
	return message.JSON(message.Slack{
		Text:        "Workspace notification for " + place,
		Attachments: []message.SlackAttachment{n.slackWorkspace()},
	})
}

// place names the workspace for people.
func (n *notification) place() string {
	return n.in.Event.Organization.Name + "/" + n.in.Event.Workspace.Name
}

// slackRun shows the run itself.
func (n *notification) slackRun() message.SlackAttachment {
	run := n.in.Event.Run
	title := "Run " + runID(run)
	return message.SlackAttachment{
		Fallback:   title,
		Color:      string(toneProgress),
		AuthorName: message.SlackText(runCreator(run)),
		AuthorIcon: avatar(run.CreatedBy),
		Title:      title,
		TitleLink:  runPage(n.in.Site, n.in.Event),
		Text:       message.SlackText(run.Message),
		Footer:     n.in.Site.Product,
		At:         unix(run.CreatedAt),
	}
}

// slackStep shows what happened, and who did it; otherwise is named when no actor is.
func (n *notification) slackStep(at time.Time, actor *event.Actor, otherwise string) message.SlackAttachment {
	name := actorName(actor)
	if name == "" {
		name = otherwise
	}
	return message.SlackAttachment{
		Fallback:   n.text,
		Color:      string(n.tone),
		AuthorName: message.SlackText(name),
		AuthorIcon: avatar(actor),
		Text:       "*" + n.text + "*",
		MarkdownIn: []string{"text"},
		At:         unix(at),
	}
}

func (n *notification) slackChange() message.SlackAttachment {
	e := n.in.Event
	return message.SlackAttachment{
		Fallback:   n.text,
		Color:      string(toneProgress),
		AuthorName: message.SlackText(actorName(changeRequester(e))),
		AuthorIcon: avatar(changeRequester(e)),
		Title:      message.SlackText(message.Line(e.ChangeRequest.Subject)),
		TitleLink:  changeRequestPage(n.in.Site, e),
		Text:       message.SlackText(e.ChangeRequest.Message),
		Footer:     n.in.Site.Product,
		At:         unix(changeRequestedAt(e)),
	}
}

func (n *notification) slackWorkspace() message.SlackAttachment {
	a := n.slackStep(n.momentShown(), n.in.Event.Actor, "")
	for _, f := range n.facts() {
		a.Fields = append(a.Fields, message.SlackField{Title: f.title, Value: message.SlackText(f.value), Short: len(f.value) < 40})
	}
	a.Footer = n.in.Site.Product
	return a
}

// fact is a title and a value that a workspace's message shows.
type fact struct{ title, value string }

// facts lists what is worth knowing of a workspace event.
func (n *notification) facts() []fact {
	e := n.in.Event
	var facts []fact
	add := func(title, value string) {
		if value != "" {
			facts = append(facts, fact{title, value})
		}
	}
	switch {
	case e.Assessment != nil:
		r := e.Assessment.New
		add("Resources drifted", strconv.FormatInt(r.ResourcesDrifted, 10))
		add("Resources undrifted", strconv.FormatInt(r.ResourcesUndrifted, 10))
		add("Checks passed", strconv.FormatInt(r.ChecksPassed, 10))
		add("Checks failed", strconv.FormatInt(r.ChecksFailed, 10))
	case e.AutoDestroy != nil:
		add("Auto destroy at", readable(e.AutoDestroy.At))
		add("Run", e.AutoDestroy.RunSourceID)
		add("Run status", words(e.AutoDestroy.RunStatus))
		add("Error", e.AutoDestroy.RunError)
	default:
		add("Deleted by", actorName(e.Actor))
	}
	return facts
}

// momentShown is the time that a workspace's message shows: the assessment's own, else the event's.
func (n *notification) momentShown() time.Time {
	if a := n.in.Event.Assessment; a != nil && !a.New.CreatedAt.IsZero() {
		return a.New.CreatedAt
	}
	return happened(n.in.Event)
}

func avatar(a *event.Actor) string {
	if a == nil {
		return ""
	}
	return a.AvatarURL
}

// firstNamed returns the first actor that has a name.
func firstNamed(a, b *event.Actor) *event.Actor {
	if actorName(a) != "" {
		return a
	}
	return b
}

// unix is the time for Slack, 0 for none.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
