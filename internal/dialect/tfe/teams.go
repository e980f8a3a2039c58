package tfe

import (
	"strings"
	"time"

	"carillon/internal/event"
	"carillon/internal/message"
)

// teams writes the card of §3.6. The text that somebody else wrote is cut as far as the service's limit needs.
func (n *notification) teams() ([]byte, error) {
	e := n.in.Event
	switch {
	case n.transition != nil:
		return message.FitTeams(e.Run.Message, message.TeamsLimit, n.runCard)
	case e.Kind == event.KindChangeRequest:
		return message.FitTeams(e.ChangeRequest.Message, message.TeamsLimit, n.changeCard)
	}
	return message.JSON(n.workspaceCard())
}

func (n *notification) runCard(text string) message.Teams {
	e := n.in.Event
	body := n.cardHead(runCreator(e.Run), e.Run.CreatedAt)
	body = appendParagraph(body, text)
	body = append(body, n.cardFacts(
		message.Fact{Title: "Run ID:", Value: message.CardText(runID(e.Run))},
		message.Fact{Title: "Run Status:", Value: "_" + message.CardText(words(e.Run.Status)) + "_"},
	))
	return message.NewTeams(body, message.CardButton("View", runPage(n.in.Site, e)))
}

func (n *notification) changeCard(text string) message.Teams {
	e := n.in.Event
	body := n.cardHead(actorName(changeRequester(e)), changeRequestedAt(e))
	body = appendParagraph(body, message.CutRunes(message.Line(e.ChangeRequest.Subject), titleLimit))
	body = appendParagraph(body, text)
	body = append(body, n.cardFacts())
	return message.NewTeams(body, message.CardButton("View", changeRequestPage(n.in.Site, e)))
}

func (n *notification) workspaceCard() message.Teams {
	var facts []message.Fact
	for _, f := range n.facts() {
		facts = append(facts, message.Fact{Title: f.title + ":", Value: message.CardText(message.CutRunes(f.value, titleLimit))})
	}
	body := append(n.cardHead("", n.momentShown()), n.cardFacts(facts...))
	return message.NewTeams(body, message.CardButton("View", workspacePage(n.in.Site, n.in.Event)))
}

// titleLimit bounds texts of which a card shows one line.
const titleLimit = 1000

// cardHead is the part that all cards share: headline, who, when, where.
func (n *notification) cardHead(who string, at time.Time) []message.CardItem {
	e := n.in.Event
	body := []message.CardItem{message.CardTitle(message.CardText(n.in.Site.Product + ": " + n.text))}
	if who != "" {
		body = append(body, message.CardSubtitle(message.CardText(message.CutRunes(who, titleLimit))))
	}
	if !at.IsZero() {
		body = append(body, message.CardSubtitle(readable(at)))
	}
	return append(body, message.CardSubtitle("From "+message.CardLink(n.place(), workspacePage(n.in.Site, e))))
}

func appendParagraph(body []message.CardItem, text string) []message.CardItem {
	if strings.TrimSpace(text) == "" {
		return body
	}
	return append(body, message.CardParagraph(message.CardText(text)))
}

func (n *notification) cardFacts(more ...message.Fact) message.CardItem {
	return message.CardFacts(append([]message.Fact{
		{Title: "Organization:", Value: message.CardText(n.in.Event.Organization.Name)},
		{Title: "Workspace:", Value: message.CardText(n.in.Event.Workspace.Name)},
	}, more...)...)
}

// readable is a moment as the platform writes it for people, "" for none.
func readable(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("Mon, Jan 2, 2006 at 3:04 PM UTC")
}

// words is a status for people: blanks for underscores, capitalized.
func words(s event.Status) string {
	text := strings.ReplaceAll(string(s), "_", " ")
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
