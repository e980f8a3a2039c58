package smtp

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/http/httpguts"

	"carillon/internal/delivery"
)

// letter is one mail to one recipient, ready to be written. It can be written more than once.
type letter struct {
	from, to string
	message  *gomail.Msg
}

// compose builds a recipient's letter. Its errors are about the recipient or the mail and may be shown.
func compose(from *mail.Address, m *delivery.Mail, recipient string, now time.Time) (*letter, error) {
	to, err := mail.ParseAddress(recipient)
	if err != nil {
		return nil, errors.New("not a mail address")
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(from)
	msg.ToMailAddress(to)
	msg.Subject(m.Subject)
	msg.SetDateWithValue(now)
	if m.MessageID != "" {
		msg.SetMessageIDWithValue(m.MessageID)
	}
	if len(m.References) > 0 {
		msg.SetGenHeader(gomail.HeaderReferences, "<"+strings.Join(m.References, "> <")+">")
	}
	// Keeps holiday notices and the like from answering (RFC 3834).
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	for _, field := range m.Headers {
		if !httpguts.ValidHeaderFieldName(field.Name) {
			return nil, fmt.Errorf("%q is not a header name", field.Name)
		}
		msg.SetGenHeader(gomail.Header(field.Name), field.Value)
	}
	setBody(msg, m)
	return &letter{from: from.Address, to: to.Address, message: msg}, nil
}

// setBody adds the text, the HTML, or both as two forms of the same content, the better one last.
func setBody(msg *gomail.Msg, m *delivery.Mail) {
	switch {
	case m.HTML == "":
		msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	case m.Text == "":
		msg.SetBodyString(gomail.TypeTextHTML, m.HTML)
	default:
		msg.SetBodyString(gomail.TypeTextPlain, m.Text)
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
}
