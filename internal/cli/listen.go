package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"carillon/webhook"
)

// listenCommand is a receiver for people who try things out.
type listenCommand struct {
	Listen    string   `default:"127.0.0.1:9000" help:"Address to listen on; port 0 takes a free one." placeholder:"HOST:PORT"`
	Dialect   string   `help:"Accept only this dialect; any by default." placeholder:"NAME"`
	Secret    []string `help:"Secrets to verify with; without one requests are shown and marked as not verified." placeholder:"TEXT,…"`
	Status    int      `default:"200" help:"Answer with this status, to see how failures are handled." placeholder:"STATUS"`
	Body      bool     `default:"true" negatable:"" help:"Print the bodies."`
	JSONLines bool     `name:"json-lines" help:"Print one JSON object a line instead of text."`
}

// received is one request as it is printed.
type received struct {
	At       time.Time       `json:"at"`
	Dialect  string          `json:"dialect,omitempty"`
	Verified bool            `json:"verified"`
	Problem  string          `json:"problem,omitempty"`
	Path     string          `json:"path"`
	Header   http.Header     `json:"header"`
	Body     json.RawMessage `json:"body,omitempty"`
	Text     string          `json:"text,omitempty"` // a body that is not JSON
}

// Run receives until it is stopped.
func (l *listenCommand) Run(ctx context.Context, g *globals) error {
	listener, err := net.Listen("tcp", l.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	fmt.Fprintf(g.streams.Out, "listening on http://%s\n", listener.Addr())
	server := &http.Server{Handler: &printer{listenCommand: l, to: g.streams.Out}, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); ctx.Err() == nil {
		return err
	}
	return nil
}

// printer prints what arrives.
type printer struct {
	*listenCommand
	mu sync.Mutex
	to io.Writer
}

// maxListened bounds the bodies that are read.
const maxListened = 4 << 20

// ServeHTTP verifies, prints and answers one request.
func (p *printer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxListened))
	if err != nil {
		http.Error(w, "the body can not be read", http.StatusBadRequest)
		return
	}
	shown := p.judge(r, body)
	p.print(shown)
	if len(p.Secret) > 0 && !shown.Verified {
		http.Error(w, shown.Problem, http.StatusUnauthorized)
		return
	}
	w.WriteHeader(p.Status)
}

// judge verifies a request.
func (p *printer) judge(r *http.Request, body []byte) received {
	shown := received{At: time.Now().UTC(), Path: r.URL.Path, Header: r.Header}
	if json.Valid(body) {
		shown.Body = body
	} else {
		shown.Text = string(body)
	}
	dialect := webhook.Dialect(p.Dialect)
	if p.Dialect == "" {
		var known bool
		if dialect, known = webhook.Detect(r.Header, body); !known {
			shown.Problem = "it is no dialect's request"
			return shown
		}
	}
	shown.Dialect = string(dialect)
	if len(p.Secret) == 0 {
		shown.Problem = "there is no secret to verify with"
		return shown
	}
	if err := webhook.Verify(dialect, r.Header, body, p.Secret...); err != nil {
		shown.Problem = err.Error()
		return shown
	}
	shown.Verified = true
	return shown
}

func (p *printer) print(shown received) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.JSONLines {
		line, err := json.Marshal(shown)
		if err == nil {
			fmt.Fprintf(p.to, "%s\n", line)
		}
		return
	}
	verdict := "verified"
	if !shown.Verified {
		verdict = "NOT VERIFIED: " + shown.Problem
	}
	fmt.Fprintf(p.to, "\n%s  %s  %s  %s\n", shown.At.Format(time.RFC3339), shown.Path, strings.ToUpper(shown.Dialect), verdict)
	if !p.Body {
		return
	}
	if shown.Body == nil {
		fmt.Fprintln(p.to, shown.Text)
		return
	}
	pretty, err := json.MarshalIndent(shown.Body, "", "  ")
	if err == nil {
		fmt.Fprintf(p.to, "%s\n", pretty)
	}
}
