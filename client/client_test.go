package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"carillon/client"
)

// script is a server that answers what a test wrote, one entry a request.
type script struct {
	answers []answer
	asked   []asked
}

type answer struct {
	status int
	header map[string]string
	body   string
	err    error
}

type asked struct {
	method, path, body string
	header             http.Header
	at                 time.Duration // since the first request
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	body := ""
	if r.Body != nil {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = string(raw)
	}
	s.asked = append(s.asked, asked{r.Method, r.URL.RequestURI(), body, r.Header, time.Since(began)})
	if len(s.answers) == 0 {
		return nil, errors.New("the script has ended")
	}
	next := s.answers[0]
	s.answers = s.answers[1:]
	if next.err != nil {
		return nil, next.err
	}
	response := &http.Response{StatusCode: next.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(next.body)), Request: r}
	for name, value := range next.header {
		response.Header.Set(name, value)
	}
	return response, nil
}

// began is when a bubble's clock starts.
var began = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func connect(t *testing.T, s *script, change ...func(*client.Options)) *client.Client {
	t.Helper()
	o := client.Options{Server: "https://carillon.test/", Token: "t0ken", HTTP: &http.Client{Transport: s}}
	for _, each := range change {
		each(&o)
	}
	c, err := client.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var (
	refusedConnection = &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	broken            = &net.OpError{Op: "read", Err: syscall.ECONNRESET}
	receipts          = answer{status: 202, body: `{"receipts":[{"event":"e1","run":"r1","sequence":0,"duplicate":false,"deliveries":2}]}`}
	unavailable       = answer{status: 503, header: map[string]string{"Retry-After": "7"}, body: `{"status":503,"code":"unavailable","detail":"Later."}`}
)

func TestWhatIsTriedAgain(t *testing.T) {
	t.Parallel()
	one := []json.RawMessage{json.RawMessage(`{"kind":"test"}`)}
	send := func(c *client.Client) error { _, err := c.Send(context.Background(), one); return err }
	read := func(c *client.Client) error {
		return c.Call(context.Background(), http.MethodGet, "/v1/whoami", nil, nil)
	}
	create := func(c *client.Client) error {
		_, err := c.CreateSubscription(context.Background(), client.SubscriptionDraft{Name: "x"}, true)
		return err
	}
	ok := answer{status: 200, body: `{}`}
	tests := map[string]struct {
		call    func(*client.Client) error
		answers []answer
		want    string // seconds at which requests were made, rounded, and the error
	}{
		"at once":                           {send, []answer{receipts}, "0"},
		"events after a broken connection":  {send, []answer{{err: broken}, receipts}, "0 0.5"},
		"events after refusals":             {send, []answer{{err: refusedConnection}, {err: refusedConnection}, receipts}, "0 0.5 1.5"},
		"events after a bad gateway":        {send, []answer{{status: 502, body: "<html>"}, receipts}, "0 0.5"},
		"Retry-After in seconds":            {send, []answer{unavailable, receipts}, "0 7"},
		"Retry-After as a date":             {send, []answer{{status: 429, header: map[string]string{"Retry-After": "Sat, 01 Jan 2000 00:00:09 GMT"}}, receipts}, "0 9"},
		"Retry-After that is no time":       {send, []answer{{status: 429, header: map[string]string{"Retry-After": "soon"}}, receipts}, "0 0.5"},
		"a Retry-After beyond all patience": {send, []answer{{status: 503, header: map[string]string{"Retry-After": "3600"}, body: `{"status":503,"detail":"Tomorrow."}`}}, "0 Tomorrow."},
		"never longer than all tries": {send, []answer{unavailable, unavailable, unavailable, unavailable, receipts},
			"0 7 14 21 Later."},
		"a refusal for good": {send, []answer{{status: 422, body: `{"status":422,"detail":"No.","errors":[{"pointer":"/0/kind","detail":"Is missing."},{"parameter":"limit","detail":"Is odd."},{"detail":"All."}]}`}, receipts},
			"0 /0/kind: Is missing.\nparameter limit: Is odd.\nAll."},
		"an answer of somebody else": {send, []answer{{status: 404, body: "<html>"}},
			"0 The server answered 404 Not Found, which is no answer of Carillon's: is the address right?"},
		"reading after a broken connection": {read, []answer{{err: broken}, ok}, "0 0.5"},
		"creating after a broken one":       {create, []answer{{err: broken}, ok}, "0 no answer from https://carillon.test: read: connection reset by peer"},
		"creating after an error":           {create, []answer{{status: 500, body: `{"status":500,"detail":"Ours."}`}, ok}, "0 Ours."},
		"creating when nobody was there":    {create, []answer{{err: refusedConnection}, ok}, "0 0.5"},
		"creating when it was not begun":    {create, []answer{unavailable, ok}, "0 7"},
		"an answer that can not be read":    {send, []answer{{status: 202, body: `{"receipts":17}`}}, "0 read the answer of https://carillon.test: json: cannot unmarshal number into Go struct field .receipts of type []client.Receipt"},
		"too few receipts":                  {send, []answer{{status: 202, body: `{"receipts":[]}`}}, "0 the server gave 0 receipts for 1 events"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: test.answers}
				err := test.call(connect(t, s))
				var got []string
				for _, a := range s.asked {
					got = append(got, strings.TrimSuffix(fmt.Sprint(nearest(a.at)), ".0"))
				}
				if err != nil {
					got = append(got, err.Error())
				}
				if strings.Join(got, " ") != test.want {
					t.Errorf("got  %s\nwant %s", strings.Join(got, " "), test.want)
				}
			})
		})
	}
}

// nearest undoes the jitter: the waits of the tests are far enough apart.
func nearest(at time.Duration) float64 {
	best := 0.0
	for _, planned := range []float64{0, 0.5, 1.5, 7, 9, 14, 21} {
		if abs(at.Seconds()-planned) < abs(at.Seconds()-best) {
			best = planned
		}
	}
	return best
}

func abs(x float64) float64 { return max(x, -x) }

func TestACallEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		s := &script{answers: []answer{unavailable, receipts}}
		_, err := connect(t, s).Send(ctx, []json.RawMessage{json.RawMessage(`{}`)})
		if problem, ok := errors.AsType[*client.Problem](err); !ok || problem.Code != "unavailable" || len(s.asked) != 1 {
			t.Errorf("%v after %d requests", err, len(s.asked))
		}
	})
}

func TestRepeatsCarryTheSameKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []answer{{err: broken}, receipts, receipts}}
		c := connect(t, s)
		for range 2 {
			if _, err := c.Send(t.Context(), []json.RawMessage{json.RawMessage(`{"kind":"test"}`)}); err != nil {
				t.Fatal(err)
			}
		}
		key := func(n int) string { return s.asked[n].header.Get("Idempotency-Key") }
		if key(0) == "" || key(0) != key(1) || key(1) == key(2) {
			t.Errorf("keys %q, %q, %q", key(0), key(1), key(2))
		}
		first := s.asked[0]
		if first.method != "POST" || first.path != "/v1/events" || first.body != `[{"kind":"test"}]` ||
			first.header.Get("Authorization") != "Bearer t0ken" || first.header.Get("Content-Type") != "application/json" ||
			first.header.Get("User-Agent") != "carillon-client" {
			t.Errorf("%+v", first)
		}
	})
}

func TestNothingToSendAsksNobody(t *testing.T) {
	t.Parallel()
	s := &script{}
	if got, err := connect(t, s).Send(t.Context(), nil); got != nil || err != nil || len(s.asked) != 0 {
		t.Errorf("%v, %v, %d requests", got, err, len(s.asked))
	}
}

func TestSendLines(t *testing.T) {
	t.Parallel()
	s := &script{answers: []answer{{status: 202, body: `{"line":1,"receipt":{"event":"e1"}}` + "\n" + `{"line":2,"error":{"status":422,"code":"invalid","detail":"No."}}` + "\n"}}}
	results, err := connect(t, s).SendLines(t.Context(), "spool-7", strings.NewReader("{}\n{}\n"))
	if err != nil || len(results) != 2 || results[0].Receipt.Event != "e1" || results[1].Error.Code != "invalid" || results[1].Line != 2 {
		t.Errorf("%+v, %v", results, err)
	}
	if a := s.asked[0]; a.header.Get("Idempotency-Key") != "spool-7" || a.header.Get("Content-Type") != "application/x-ndjson" || a.body != "{}\n{}\n" {
		t.Errorf("%+v", a)
	}
}

func TestAllFollowsTheCursor(t *testing.T) {
	t.Parallel()
	pages := func() []answer {
		return []answer{{status: 200, body: `{"items":[{"id":"a"},{"id":"b"}],"next":"c1"}`}, {status: 200, body: `{"items":[{"id":"c"}]}`}}
	}
	s := &script{answers: pages()}
	query := url.Values{"name": {"x"}}
	got, err := connect(t, s).Subscriptions(t.Context(), query)
	if err != nil || len(got) != 3 || got[2].ID != "c" || s.asked[1].path != "/v1/subscriptions?cursor=c1&name=x" || query.Has("cursor") {
		t.Errorf("%+v, %v, %+v", got, err, s.asked)
	}
	s = &script{answers: pages()}
	some, err := connect(t, s).Deliveries(t.Context(), nil, 2)
	if err != nil || len(some) != 2 || len(s.asked) != 1 {
		t.Errorf("%+v, %v", some, err)
	}
}

func TestNewRefusesWhatIsNoServer(t *testing.T) {
	t.Parallel()
	for _, server := range []string{"", "carillon.example.com", "ftp://x", "http://", "http://a b"} {
		if _, err := client.New(client.Options{Server: server}); err == nil {
			t.Errorf("%q was taken", server)
		}
	}
}

func TestErrorsDoNotQuoteTheRequest(t *testing.T) {
	t.Parallel()
	s := &script{answers: []answer{{err: broken}}}
	c := connect(t, s, func(o *client.Options) { o.Tries = 1 })
	_, err := c.CreateSubscription(t.Context(), client.SubscriptionDraft{URL: "https://hooks.example/secret", Secret: "s3cret"}, false)
	if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "t0ken") || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v", err)
	}
}

func TestCallWithRawDocuments(t *testing.T) {
	t.Parallel()
	s := &script{answers: []answer{{status: 200, body: `{"a": 1}`}, {status: 204}}}
	c := connect(t, s)
	var out json.RawMessage
	if err := c.Call(t.Context(), http.MethodPost, "/v1/x", json.RawMessage(`{"b":2}`), &out); err != nil || string(out) != `{"a": 1}` || s.asked[0].body != `{"b":2}` {
		t.Errorf("%s, %v, %+v", out, err, s.asked)
	}
	if err := c.DeleteSubscription(t.Context(), "a/b"); err != nil || s.asked[1].path != "/v1/subscriptions/a%2Fb" {
		t.Errorf("%v, %+v", err, s.asked[1])
	}
	if err := c.Call(t.Context(), http.MethodPost, "/v1/x", make(chan int), nil); err == nil {
		t.Error("a channel was encoded")
	}
}
