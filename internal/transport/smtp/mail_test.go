package smtp_test

import (
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"

	"carillon/internal/delivery"
)

// part is one decoded part of a mail.
type part struct{ kind, text string }

// parse takes a mail apart, as a reader's program does.
func parse(t *testing.T, data string) (mail.Header, []part) {
	t.Helper()
	msg, err := mail.ReadMessage(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(kind, "multipart/") {
		return msg.Header, []part{{kind, decode(t, msg.Header.Get("Content-Transfer-Encoding"), msg.Body)}}
	}
	parts := []part{{kind: kind}}
	r := multipart.NewReader(msg.Body, params["boundary"])
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return msg.Header, parts
		}
		if err != nil {
			t.Fatal(err)
		}
		kind, params, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
		if err != nil || !strings.EqualFold(params["charset"], "utf-8") {
			t.Errorf("part %q, charset %q: %v", kind, params["charset"], err)
		}
		parts = append(parts, part{kind, decode(t, p.Header.Get("Content-Transfer-Encoding"), p)})
	}
}

func decode(t *testing.T, encoding string, r io.Reader) string {
	t.Helper()
	if encoding == "quoted-printable" {
		r = quotedprintable.NewReader(r)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

func subject(t *testing.T, h mail.Header) string {
	t.Helper()
	text, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
	if err != nil {
		t.Error(err)
	}
	return text
}

func TestParts(t *testing.T) {
	t.Parallel()
	const text, html = "Zoë, the run ended.\n.\nA line of a single dot stands above; this one is long: " +
		"0123456789012345678901234567890123456789012345678901234567890123456789\n", "<p>Zoë, the <b>run</b> ended 🍹</p>\n"
	for name, c := range map[string]struct {
		text, html string
		want       []part
	}{
		"text":          {text, "", []part{{"text/plain", text}}},
		"html":          {"", html, []part{{"text/html", html}}},
		"text and html": {text, html, []part{{kind: "multipart/alternative"}, {"text/plain", text}, {"text/html", html}}},
		"nothing":       {"", "", []part{{"text/plain", ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newServer(t, nil)
			sender, _ := newTransport(t, "smtp://"+server.addr, nil)
			msg := mailTo("bob@example.com")
			msg.Mail.Text, msg.Mail.HTML = c.text, c.html
			if result := sender.Send(t.Context(), lane, msg); !result.OK() {
				t.Fatalf("%+v", result)
			}
			_, got := parse(t, server.took()[0].data)
			if len(got) != len(c.want) {
				t.Fatalf("%d parts: %q", len(got), got)
			}
			for i := range got {
				if got[i].kind != c.want[i].kind || strings.TrimRight(got[i].text, "\n") != strings.TrimRight(c.want[i].text, "\n") {
					t.Errorf("part %d: %q, want %q", i, got[i], c.want[i])
				}
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	server := newServer(t, nil)
	sender, _ := newTransport(t, "smtp://"+server.addr, nil)
	msg := mailTo("Bob Büttner <bob@example.com>", "eve@example.com")
	msg.Mail.Subject = "[acme/network] Zoë's run 🍹\r\nBcc: mallory@example.com"
	msg.Mail.MessageID = "dlv-1@carillon.example"
	msg.Mail.References = []string{"run-1@carillon.example", "run-0@carillon.example"}
	msg.Mail.Headers = []delivery.HeaderField{
		{Name: "List-Unsubscribe", Value: "<https://carillon.example/u/1>"},
		{Name: "List-Unsubscribe-Post", Value: "List-Unsubscribe=One-Click"},
		{Name: "X-Evil", Value: "a\r\nBcc: mallory@example.com"},
	}
	for range 2 {
		if result := sender.Send(t.Context(), lane, msg); !result.OK() || result.Status != 250 {
			t.Fatalf("%+v", result)
		}
	}
	letters := server.took()
	if len(letters) != 4 {
		t.Fatalf("%d letters", len(letters))
	}
	for i, l := range letters {
		h, _ := parse(t, l.data)
		want := []string{"bob@example.com", "eve@example.com"}[i%2]
		to, err := h.AddressList("To")
		if err != nil || len(to) != 1 || to[0].Address != want || len(l.to) != 1 || l.to[0] != want {
			t.Errorf("letter %d is to %v, envelope %q, want %s", i, to, l.to, want)
		}
		for name, want := range map[string]string{
			"Message-Id": "<dlv-1@carillon.example>", "References": "<run-1@carillon.example> <run-0@carillon.example>",
			"From": `"Carillon" <carillon@example.com>`, "List-Unsubscribe": "<https://carillon.example/u/1>",
			"List-Unsubscribe-Post": "List-Unsubscribe=One-Click", "Auto-Submitted": "auto-generated", "Bcc": "",
			"User-Agent": "", "X-Mailer": "", "Mime-Version": "1.0",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if _, err := h.Date(); err != nil {
			t.Error(err)
		}
		if got := subject(t, h); !strings.HasPrefix(got, "[acme/network] Zoë's run 🍹") {
			t.Errorf("subject %q", got)
		}
		if l.from != "carillon@example.com" {
			t.Errorf("envelope from %q", l.from)
		}
	}
	if n := server.sessionCount(); n != 1 {
		t.Errorf("%d sessions for four letters", n)
	}
}
