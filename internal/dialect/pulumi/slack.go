package pulumi

import (
	"strings"

	"carillon/internal/message"
)

// slackMessage is the form of §3.4 for Slack, and for what understands Slack's form. The members stand in the order in
// which the samples have them.
type slackMessage struct {
	Text        string            `json:"text"`
	Attachments []slackAttachment `json:"attachments,omitempty"`
}

type slackAttachment struct {
	Color    string               `json:"color"`
	Fallback string               `json:"fallback"`
	Fields   []message.SlackField `json:"fields"`
}

// slack writes the message for Slack.
func (c *content) slack() ([]byte, error) {
	tone := c.tone()
	text := tone.mark + slackEscape(c.summary())
	var fields []message.SlackField
	for _, f := range c.facts() {
		fields = append(fields, message.SlackField{Title: f.title, Value: slackEscape(f.value), Short: true})
	}
	if c.link != "" {
		fields = append(fields, message.SlackField{Title: "Link", Value: "<" + slackAddress.Replace(c.link) + ">"})
	}
	return encode(slackMessage{Text: text, Attachments: []slackAttachment{{Color: tone.color, Fallback: text, Fields: fields}}})
}

// slackEscape takes the meaning from what Slack gives one, and cuts what it would refuse.
func slackEscape(text string) string { return message.SlackText(text) }

// slackAddress encodes what would end the link inside the address.
var slackAddress = strings.NewReplacer("&", "&amp;", "<", "%3C", ">", "%3E", "|", "%7C", "\n", "%0A", "\r", "%0D")
