package message

import (
	"fmt"
	"sort"
)

// TeamsLimit is the most bytes that a Teams webhook takes.
const TeamsLimit = 28 * 1024

// Teams is the envelope in which both Workflows and the older connectors take an adaptive card.
type Teams struct {
	Type        string            `json:"type"`
	Attachments []TeamsAttachment `json:"attachments"`
}

// TeamsAttachment holds one card.
type TeamsAttachment struct {
	ContentType string `json:"contentType"`
	Content     Card   `json:"content"`
}

// Card is an Adaptive Card 1.4.
type Card struct {
	Schema  string       `json:"$schema"`
	Type    string       `json:"type"`
	Version string       `json:"version"`
	Body    []CardItem   `json:"body"`
	Actions []CardAction `json:"actions,omitempty"`
}

// CardItem is a TextBlock or a FactSet. The text of a TextBlock and the values of a FactSet are Markdown: see CardText.
type CardItem struct {
	Type      string `json:"type"`
	Weight    string `json:"weight,omitempty"`
	Size      string `json:"size,omitempty"`
	IsSubtle  bool   `json:"isSubtle,omitempty"`
	Separator bool   `json:"separator,omitempty"`
	Wrap      bool   `json:"wrap,omitempty"`
	Spacing   string `json:"spacing,omitempty"`
	Text      string `json:"text,omitempty"`
	Facts     []Fact `json:"facts,omitempty"`
}

// Fact is one row of a FactSet.
type Fact struct {
	Title string `json:"title"`
	Value string `json:"value"`
}

// CardAction is a button that opens an address.
type CardAction struct {
	Type  string `json:"type"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

// CardTitle is a bold headline.
func CardTitle(markdown string) CardItem {
	return CardItem{Type: "TextBlock", Weight: "Bolder", Size: "Medium", Wrap: true, Text: markdown}
}

// CardSubtitle is a line in grey, close below what stands above it.
func CardSubtitle(markdown string) CardItem {
	return CardItem{Type: "TextBlock", IsSubtle: true, Wrap: true, Spacing: "None", Text: markdown}
}

// CardParagraph is ordinary text.
func CardParagraph(markdown string) CardItem {
	return CardItem{Type: "TextBlock", Wrap: true, Text: markdown}
}

// CardFacts is a table of titles and values below a rule.
func CardFacts(facts ...Fact) CardItem {
	return CardItem{Type: "FactSet", Separator: true, Facts: facts}
}

// CardButton is a button that opens an address.
func CardButton(title, url string) CardAction {
	return CardAction{Type: "Action.OpenUrl", Title: title, URL: url}
}

// NewTeams wraps a card's body and buttons in the envelope.
func NewTeams(body []CardItem, actions ...CardAction) Teams {
	return Teams{
		Type: "message",
		Attachments: []TeamsAttachment{{
			ContentType: "application/vnd.microsoft.card.adaptive",
			Content: Card{
				Schema:  "http://adaptivecards.io/schemas/adaptive-card.json",
				Type:    "AdaptiveCard",
				Version: "1.4",
				Body:    body,
				Actions: actions,
			},
		}},
	}
}

// FitTeams encodes the message that build makes of a text and cuts the text as far as the limit of bytes needs. It fails
// when even the empty text leaves a message that is too large.
func FitTeams(text string, limit int, build func(text string) Teams) ([]byte, error) {
	body, err := JSON(build(text))
	if err != nil || len(body) <= limit {
		return body, err
	}
	// How many bytes a character takes in the end depends on two kinds of escapes, so the longest cut that fits is searched.
	over := sort.Search(len(text), func(n int) bool {
		cut, err := JSON(build(CutBytes(text, n)))
		return err != nil || len(cut) > limit
	})
	body, err = JSON(build(CutBytes(text, max(0, over-1))))
	if err == nil && len(body) > limit {
		return nil, fmt.Errorf("the card has %d bytes without its text, want at most %d", len(body), limit)
	}
	return body, err
}
