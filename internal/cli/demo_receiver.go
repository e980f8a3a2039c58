package cli

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"carillon/webhook"
)

// demoArrival is one request that arrived at the demo's receiver.
type demoArrival struct {
	at      time.Time
	dialect string
	what    string // the dialect's word for it
	bytes   int
	problem error // why it was not accepted
}

func (a demoArrival) verdict() string {
	if a.problem != nil {
		return "WRONG: " + a.problem.Error()
	}
	return "verified"
}

// demoReceiver is a receiver as users write one: with the webhook package. The first part of the path names the dialect.
type demoReceiver struct {
	url    string
	server *http.Server

	mu      sync.Mutex
	arrived []demoArrival
}

// startDemoReceiver listens on a free port of this machine.
func startDemoReceiver() (*demoReceiver, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the receiver: %w", err)
	}
	r := &demoReceiver{url: "http://" + listener.Addr().String()}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = r.server.Serve(listener) }()
	return r, nil
}

func (r *demoReceiver) close() error { return r.server.Shutdown(context.Background()) }

// ServeHTTP verifies and parses one notification and notes it down.
func (r *demoReceiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	a := demoArrival{at: time.Now(), dialect: strings.Trim(q.URL.Path, "/"), what: "unreadable"}
	body, err := io.ReadAll(http.MaxBytesReader(w, q.Body, maxListened))
	a.bytes = len(body)
	if err == nil {
		err = webhook.Verify(webhook.Dialect(a.dialect), q.Header, body, demoSecret)
	}
	if err == nil {
		a.what, err = describe(webhook.Dialect(a.dialect), q.Header, body)
	}
	a.problem = err
	r.mu.Lock()
	r.arrived = append(r.arrived, a)
	r.mu.Unlock()
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

// describe parses a verified notification and returns what it says has happened.
func describe(dialect webhook.Dialect, header http.Header, body []byte) (string, error) {
	m, err := webhook.Parse(dialect, header, body)
	return m.Kind, err
}

// take returns what arrived since the last call.
func (r *demoReceiver) take() []demoArrival {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.arrived
	r.arrived = nil
	return taken
}
