package tfe

import (
	"net/url"

	"carillon/internal/delivery"
	"carillon/internal/event"
	"carillon/internal/message"
	"carillon/internal/subscription"
)

// mail writes the mail of §3.7, the same content as text and as HTML. Each recipient gets a message of its own.
func (n *notification) mail() *delivery.Message {
	var letter message.Letter
	letter.Say(message.Plain("Hello,"))
	switch {
	case n.transition != nil:
		n.sayRun(&letter)
	case n.in.Event.Kind == event.KindChangeRequest:
		n.sayChange(&letter)
	default:
		n.sayWorkspace(&letter)
	}
	letter.Say(message.Plain(n.in.Site.Product))
	msg := newMail(&letter, n.subject(), n.in.Recipients)
	if n.in.Delivery != nil {
		msg.Mail.MessageID = n.in.Delivery.Stable().String() + "@" + n.host()
	}
	if n.transition != nil {
		msg.Mail.References = []string{runID(n.in.Event.Run) + "@" + n.host()}
	}
	return msg
}

// newMail makes the message of a letter. A subject is one line, whatever a name or text in it contains.
func newMail(letter *message.Letter, subject string, recipients []string) *delivery.Message {
	return &delivery.Message{
		Channel: subscription.ChannelEmail,
		Timeout: attemptTimeout,
		Mail: &delivery.Mail{
			Recipients: recipients, Subject: message.Line(subject), Text: letter.Text(), HTML: letter.HTML(),
		},
	}
}

func (n *notification) subject() string {
	subject := "[" + n.place() + "] " + n.text
	if n.in.Event.Kind == event.KindChangeRequest {
		subject += ": " + n.in.Event.ChangeRequest.Subject
	}
	return subject
}

// sayRun says whether the run needs attention, and how to act.
func (n *notification) sayRun(letter *message.Letter) {
	e := n.in.Event
	page, workspace := runPage(n.in.Site, e), workspacePage(n.in.Site, e)
	sentence := message.LetterLine{
		{Text: "Run "}, {Text: runID(e.Run), URL: page}, {Text: " in "},
		{Text: e.Organization.Name + " / " + e.Workspace.Name, URL: workspace}, {Text: " is in state " + n.text},
	}
	if n.transition.stop {
		letter.Say(append(sentence, message.LetterSpan{Text: " and needs your attention."}),
			message.Plain("Open the run or the workspace to act:"))
	} else {
		letter.Say(append(sentence, message.LetterSpan{Text: ". No action is needed."}))
	}
	letter.Show(
		message.LetterRow{Label: "Run", URL: page},
		message.LetterRow{Label: "Workspace", URL: workspace},
		message.LetterRow{Label: "Message", Text: e.Run.Message},
	)
}

func (n *notification) sayChange(letter *message.Letter) {
	e := n.in.Event
	page := changeRequestPage(n.in.Site, e)
	letter.Say(message.LetterLine{
		{Text: "There is a new change request for "},
		{Text: e.Organization.Name + " / " + e.Workspace.Name, URL: workspacePage(n.in.Site, e)},
		{Text: ": "}, {Text: e.ChangeRequest.Subject, URL: page}, {Text: ". No action is needed."},
	})
	letter.Show(
		message.LetterRow{Label: "Change request", URL: page},
		message.LetterRow{Label: "Workspace", URL: workspacePage(n.in.Site, e)},
		message.LetterRow{Label: "Created by", Text: actorName(changeRequester(e))},
		message.LetterRow{Label: "Message", Text: e.ChangeRequest.Message},
	)
}

func (n *notification) sayWorkspace(letter *message.Letter) {
	e := n.in.Event
	page := workspacePage(n.in.Site, e)
	letter.Say(message.LetterLine{
		{Text: "Workspace "}, {Text: e.Organization.Name + " / " + e.Workspace.Name, URL: page},
		{Text: " reports " + n.text + ". No action is needed."},
	})
	rows := []message.LetterRow{{Label: "Workspace", URL: page}}
	for _, f := range n.facts() {
		rows = append(rows, message.LetterRow{Label: f.title, Text: f.value})
	}
	letter.Show(rows...)
}

// host is the right side of message identifiers.
func (n *notification) host() string {
	if u, err := url.Parse(n.in.Site.BaseURL); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return "localhost"
}
