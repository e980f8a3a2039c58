package pulumi

import "carillon/internal/message"

// teamsMessage is the envelope in which both Teams Workflows and the older incoming webhooks take a card (§3.4). The
// members stand in the order in which the samples have them.
type teamsMessage struct {
	Type        string            `json:"type"`
	Attachments []teamsAttachment `json:"attachments"`
}

type teamsAttachment struct {
	ContentType string  `json:"contentType"`
	ContentURL  *string `json:"contentUrl"`
	Content     card    `json:"content"`
}

type card struct {
	Schema  string               `json:"$schema"`
	Type    string               `json:"type"`
	Version string               `json:"version"`
	Body    []any                `json:"body"`
	Actions []message.CardAction `json:"actions,omitempty"`
}

type textBlock struct {
	Type   string `json:"type"`
	Text   string `json:"text"`
	Size   string `json:"size"`
	Weight string `json:"weight"`
	Color  string `json:"color"`
	Wrap   bool   `json:"wrap"`
}

type factSet struct {
	Type  string         `json:"type"`
	Facts []message.Fact `json:"facts"`
}

func cardBlock(markdown, accent string) textBlock {
	return textBlock{Type: "TextBlock", Text: markdown, Size: "Medium", Weight: "Bolder", Color: accent, Wrap: true}
}

func newTeams(body ...any) teamsMessage {
	return teamsMessage{Type: "message", Attachments: []teamsAttachment{{
		ContentType: "application/vnd.microsoft.card.adaptive",
		Content: card{
			Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.4", Body: body,
		},
	}}}
}

// valueLimit bounds one fact of a card, so that the card stays below what Teams takes.
const valueLimit = 1000

// teams writes the card for Teams. Names that people chose are escaped, the platform's own words need it not.
func (c *content) teams() ([]byte, error) {
	var facts []message.Fact
	for _, f := range c.facts() {
		value := message.CutRunes(f.value, valueLimit)
		if f.title != "Event" {
			value = message.CardText(value)
		}
		facts = append(facts, message.Fact{Title: f.title, Value: value})
	}
	headline := message.CardText(message.CutRunes(c.summary(), valueLimit))
	msg := newTeams(cardBlock(headline, c.tone().accent), factSet{Type: "FactSet", Facts: facts})
	if c.link != "" {
		msg.Attachments[0].Content.Actions = []message.CardAction{message.CardButton("Open", c.link)}
	}
	return encode(msg)
}
