package http_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"carillon/internal/delivery"
)

// TestRequestBytes compares what arrives at a listener with files, byte for byte but for the listener's address.
func TestRequestBytes(t *testing.T) {
	t.Parallel()
	for name, msg := range map[string]*delivery.Message{
		"post": {
			URL: "/hooks/a%2Fb?sig=x&y=%20", Body: []byte(`{"message":"Plan finished","emoji":"🍹"}`),
			Header: []delivery.HeaderField{
				{Name: "Content-Type", Value: "application/json"}, {Name: "Accept", Value: "application/json"},
				{Name: "User-Agent", Value: "Carillon/1.0 (+https://carillon.example)"},
				{Name: "X-OLD-Notification-Signature", Value: "abc"},
			},
		},
		"no-user-agent": {
			URL: "/", Body: []byte("x"), Header: []delivery.HeaderField{{Name: "content-type", Value: "text/plain"}},
		},
		"empty-value":    {URL: "/", Body: []byte("x"), Header: []delivery.HeaderField{{Name: "X-Signature", Value: ""}}},
		"repeated":       {URL: "", Body: []byte("x"), Header: []delivery.HeaderField{{Name: "X-A", Value: "1"}, {Name: "x-a", Value: "2"}, {Name: "X-A", Value: "3"}}},
		"empty-body":     {URL: "/empty"},
		"get":            {URL: "/get", Method: "GET"},
		"put":            {URL: "/put", Method: "PUT"},
		"space-in-query": {URL: "/q?a b", Method: "DELETE"},
		"date":           {URL: "/", Body: []byte("x"), Header: []delivery.HeaderField{{Name: "Date", Value: "2020-11-25T00:43:38+0000"}}},
		"plain-client": {
			URL: "/", Body: []byte("x"), PlainClient: true, Header: []delivery.HeaderField{{Name: "Content-Type", Value: "application/json"}},
		},
		"plain-client-overridden": {
			URL: "/", Body: []byte("x"), PlainClient: true,
			Header: []delivery.HeaderField{{Name: "user-agent", Value: "mine"}, {Name: "Accept-Encoding", Value: "identity"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newAnswering(t, okReply)
			sender, _ := newTransport(t, nil)
			sent := *msg
			sent.URL = "http://" + server.addr + msg.URL
			if result := sender.Send(t.Context(), lane, &sent); !result.OK() {
				t.Fatalf("%+v", result)
			}
			requests, _ := server.seen()
			if len(requests) != 1 {
				t.Fatalf("%d requests", len(requests))
			}
			got := bytes.ReplaceAll(requests[0], []byte(server.addr), []byte("HOST"))
			compare(t, name, got)
		})
	}
}

// TestLargeBodiesAreWrittenWhole sends more than fits a buffer.
func TestLargeBodiesAreWrittenWhole(t *testing.T) {
	t.Parallel()
	server := newAnswering(t, okReply)
	sender, _ := newTransport(t, nil)
	msg := post("http://" + server.addr)
	msg.Body = bytes.Repeat([]byte("0123456789"), 30_000)
	for range 2 {
		if result := sender.Send(t.Context(), lane, msg); !result.OK() {
			t.Fatalf("%+v", result)
		}
	}
	requests, conns := server.seen()
	if len(requests) != 2 || conns != 1 || !bytes.HasSuffix(requests[1], msg.Body) {
		t.Errorf("%d requests over %d connections", len(requests), conns)
	}
}

// TestHostHeader has names, ports and international names.
func TestHostHeader(t *testing.T) {
	t.Parallel()
	server := newAnswering(t, okReply)
	port := server.addr[len("127.0.0.1"):]
	sender, _ := newTransport(t, nil)
	for _, host := range []string{"example.com", "bücher.example", "EXAMPLE.com"} {
		if result := sender.Send(t.Context(), lane, post("http://"+host+port+"/")); !result.OK() {
			t.Errorf("%s: %+v", host, result)
		}
	}
	requests, _ := server.seen()
	for i, want := range []string{"example.com", "xn--bcher-kva.example", "EXAMPLE.com"} {
		if !bytes.Contains(requests[i], []byte("\r\nHost: "+want+port+"\r\n")) {
			t.Errorf("request %d: %s, want host %s", i, requests[i], want)
		}
	}
}

func compare(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "request-"+name+".http")
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the request is not %s:\n%q\nwant\n%q", path, got, want)
	}
}
