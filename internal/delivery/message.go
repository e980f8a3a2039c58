package delivery

import (
	"time"

	"carillon/internal/subscription"
)

// Message is what leaves: one HTTP request or one mail, complete but for the connection. Its bytes are exact.
type Message struct {
	Channel subscription.Channel
	Method  string // "POST" when empty
	URL     string // a secret: never logged
	Header  []HeaderField
	Body    []byte
	Mail    *Mail // set for ChannelEmail, instead of Method, URL, Header and Body
	Trigger string

	// Held are names of headers that the subscription's own do not replace.
	Held []string

	// Masked are names of headers whose values a log must not show.
	Masked []string

	// PlainClient sends what a plain HTTP client of Go would add: its User-Agent and "Accept-Encoding: gzip", unless Header
	// has them. Without it a request carries no header but those of Header, Host and Content-Length.
	PlainClient bool

	Timeout        time.Duration // of the whole attempt
	ConnectTimeout time.Duration
	KeepBody       int // bytes of the answer's body to keep; 16 KiB when 0
}

// HeaderField is one header line. The name goes out as spelled here, not canonicalized.
type HeaderField struct {
	Name  string
	Value string
}

// Mail is one mail message before it is encoded. Each recipient gets a message of its own.
type Mail struct {
	Recipients []string
	Subject    string
	Text       string
	HTML       string
	MessageID  string // stable per delivery, without angle brackets
	References []string
	Headers    []HeaderField
}

// Set adds a header, replacing one of the same name whatever its spelling.
func (m *Message) Set(name, value string) {
	for i := range m.Header {
		if equalFold(m.Header[i].Name, name) {
			m.Header[i] = HeaderField{Name: name, Value: value}
			return
		}
	}
	m.Header = append(m.Header, HeaderField{Name: name, Value: value})
}

// Add adds a header line, keeping those of the same name.
func (m *Message) Add(name, value string) {
	m.Header = append(m.Header, HeaderField{Name: name, Value: value})
}

// Get returns the first value of a header, "" without one.
func (m *Message) Get(name string) string {
	for _, field := range m.Header {
		if equalFold(field.Name, name) {
			return field.Value
		}
	}
	return ""
}

// equalFold compares header names without case; they are ASCII.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
