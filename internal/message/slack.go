package message

import "strings"

// SlackTextLimit is the number of characters after which Slack folds or refuses a text of a message.
const SlackTextLimit = 3000

// Slack is a message to an incoming webhook. Text is never empty: clients show it where they can show nothing else.
type Slack struct {
	Text        string            `json:"text"`
	Attachments []SlackAttachment `json:"attachments,omitempty"`
}

// SlackAttachment is a block with a coloured edge below a message's text.
type SlackAttachment struct {
	Fallback   string       `json:"fallback"`
	Color      string       `json:"color,omitempty"` // "#rrggbb"
	AuthorName string       `json:"author_name,omitempty"`
	AuthorIcon string       `json:"author_icon,omitempty"`
	Title      string       `json:"title,omitempty"`
	TitleLink  string       `json:"title_link,omitempty"`
	Text       string       `json:"text,omitempty"`
	MarkdownIn []string     `json:"mrkdwn_in,omitempty"`
	Fields     []SlackField `json:"fields,omitempty"`
	Footer     string       `json:"footer,omitempty"`
	At         int64        `json:"ts,omitempty"` // Unix seconds
}

// SlackField is a title and a value in an attachment; short ones stand side by side.
type SlackField struct {
	Title string `json:"title"`
	Value string `json:"value"`
	Short bool   `json:"short"`
}

var slackEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// SlackText escapes the three characters that Slack gives a meaning in every text and cuts the result to SlackTextLimit.
// The cut is made before escaping, so that no escape is split; the limit counts characters as people see them.
func SlackText(text string) string { return slackEscaper.Replace(CutRunes(text, SlackTextLimit)) }

// SlackLink writes a link with a label. What would end the link inside the address is percent-encoded.
func SlackLink(url, label string) string {
	return "<" + slackAddress.Replace(url) + "|" + strings.ReplaceAll(SlackText(label), "|", "¦") + ">"
}

var slackAddress = strings.NewReplacer("&", "&amp;", "<", "%3C", ">", "%3E", "|", "%7C")
