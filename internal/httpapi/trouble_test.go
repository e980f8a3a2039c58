package httpapi_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/httpapi"
)

const oneEvent = `{"kind":"test","organization":{"name":"acme"}}`

// inAcme runs a test in a world that has the organization "acme".
func inAcme(t *testing.T, test func(w *world)) {
	t.Helper()
	in(t, func(w *world) {
		if got := w.do(request(http.MethodPost, "/v1/organizations", adminToken, `{"name":"acme"}`)); got.Code != http.StatusCreated {
			t.Fatalf("%d %s", got.Code, got.Body)
		}
		test(w)
	})
}

func (w *world) setTrouble(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.accept = func([]event.Event) error { return err }
}

func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	long := `{"kind":"test","key":"` + strings.Repeat("k", 2<<20) + `","organization":{"name":"acme"}}`
	inAcme(t, func(w *world) {
		tests := map[string]struct {
			media string
			body  string
			known bool // whether the length is announced
			code  int
			want  string
		}{
			"announced":        {"application/json", long, true, 413, "The body is larger than 1048576 bytes."},
			"not announced":    {"application/json", long, false, 413, "The body is larger than 1048576 bytes."},
			"stream":           {"application/x-ndjson", strings.Repeat(oneEvent+"\n", 17<<20/len(oneEvent)), true, 413, "The body is larger than 16777216 bytes."},
			"a line":           {"application/x-ndjson", oneEvent + "\n" + long + "\n" + oneEvent, true, 202, `{"line":2,"error":{"type":"urn:carillon:problem:too_large"`},
			"the line's world": {"application/x-ndjson", oneEvent + "\n" + long + "\n" + oneEvent, true, 202, `{"line":3,"receipt"`},
		}
		for name, test := range tests {
			r := request(http.MethodPost, "/v1/events", adminToken, test.body)
			r.Header.Set("Content-Type", test.media)
			if !test.known {
				r.ContentLength = -1
			}
			if got := w.do(r); got.Code != test.code || !strings.Contains(got.Body.String(), test.want) {
				t.Errorf("%s: %d %.300s", name, got.Code, got.Body)
			}
		}
	})
}

func TestAStreamThatGrowsTooLongEndsWithTheReason(t *testing.T) {
	t.Parallel()
	inAcme(t, func(w *world) {
		// The lines are padded with blanks: it is the bytes that count.
		line := oneEvent + strings.Repeat(" ", 1<<20-len(oneEvent)-1) + "\n"
		r := request(http.MethodPost, "/v1/events", adminToken, strings.Repeat(line, 17))
		r.Header.Set("Content-Type", "application/x-ndjson")
		r.ContentLength = -1
		got := w.do(r)
		lines := strings.Split(strings.TrimSpace(got.Body.String()), "\n")
		if got.Code != http.StatusAccepted || len(lines) != 17 || !strings.Contains(lines[16], `{"line":17,"error":{"type":"urn:carillon:problem:too_large"`) {
			t.Errorf("%d, %d lines, the last: %s", got.Code, len(lines), lines[len(lines)-1])
		}
		checkedLines(t, got.Body.String())
	})
}

func TestABodyThatBreaksOffIsTheSendersFault(t *testing.T) {
	t.Parallel()
	inAcme(t, func(w *world) {
		for _, media := range []string{"application/json", "application/x-ndjson"} {
			r := request(http.MethodPost, "/v1/events", adminToken, "x")
			r.Header.Set("Content-Type", media)
			r.ContentLength = -1
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader(oneEvent), iotest.ErrReader(errors.New("connection reset"))))
			got := w.do(r)
			if got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), "The body ended early.") {
				t.Errorf("%s: %d %s", media, got.Code, got.Body)
			}
		}
	})
}

func TestWhatCanNotBeStoredNowMayBeSentAgain(t *testing.T) {
	t.Parallel()
	inAcme(t, func(w *world) {
		w.setTrouble(fault.New(fault.Unavailable, "The events could not be stored. Send them again."))
		for name, body := range map[string]string{"one": oneEvent, "a batch": "[" + oneEvent + "]"} {
			got := w.do(request(http.MethodPost, "/v1/events", adminToken, body))
			if got.Code != http.StatusServiceUnavailable || got.Header().Get("Retry-After") != "1" {
				t.Errorf("%s: %d, %v, %s", name, got.Code, got.Header(), got.Body)
			}
		}
		r := request(http.MethodPost, "/v1/events", adminToken, oneEvent+"\n"+oneEvent)
		r.Header.Set("Content-Type", "application/x-ndjson")
		if got := w.do(r); got.Code != http.StatusServiceUnavailable {
			t.Errorf("a stream: %d %s", got.Code, got.Body)
		}
		r = request(http.MethodPost, "/v1/events", adminToken, "nonsense\n"+oneEvent)
		r.Header.Set("Content-Type", "application/x-ndjson")
		got := w.do(r)
		lines := strings.Split(strings.TrimSpace(got.Body.String()), "\n")
		if got.Code != http.StatusAccepted || len(lines) != 2 || !strings.Contains(lines[1], `{"line":0,"error":{"type":"urn:carillon:problem:unavailable"`) {
			t.Errorf("a stream that was answered in part: %d %s", got.Code, got.Body)
		}
	})
}

func TestOurOwnErrorsAreLoggedOnceAndNotShown(t *testing.T) {
	t.Parallel()
	inAcme(t, func(w *world) {
		w.setTrouble(errors.New("the disk at /var/lib is on fire"))
		got := w.do(request(http.MethodPost, "/v1/events", adminToken, oneEvent))
		if got.Code != http.StatusInternalServerError || strings.Contains(got.Body.String(), "fire") {
			t.Errorf("%d %s", got.Code, got.Body)
		}
		if n := strings.Count(w.logged.String(), "on fire"); n != 1 {
			t.Errorf("logged %d times:\n%s", n, w.logged)
		}
	})
}

func TestOneKeyIsOneEventHoweverManySendIt(t *testing.T) {
	t.Parallel()
	inAcme(t, func(w *world) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		answers := map[string]int{}
		for n := range 32 {
			wg.Go(func() {
				r := request(http.MethodPost, "/v1/events", adminToken,
					fmt.Sprintf(`{"kind":"run","organization":{"name":"acme"},"workspace":{"name":"net"},"run":{"source_id":"r%d","status":"applied"}}`, n%2))
				r.Header.Set("Idempotency-Key", "the same")
				got := w.do(r)
				mu.Lock()
				defer mu.Unlock()
				answers[fmt.Sprint(got.Code, strings.Contains(got.Body.String(), `"duplicate":true`))]++
			})
		}
		wg.Wait()
		if answers["202 false"] != 1 || answers["202 true"] != 31 {
			t.Errorf("got %v", answers)
		}
	})
}

func TestStepsThatComeAtOnceAreNumberedWithoutGaps(t *testing.T) {
	t.Parallel()
	inAcme(t, func(w *world) {
		var wg sync.WaitGroup
		const steps = 40
		for n := range steps {
			wg.Go(func() {
				got := w.do(request(http.MethodPost, "/v1/events", adminToken, fmt.Sprintf(
					`{"kind":"run","organization":{"name":"acme"},"workspace":{"name":"net"},"run":{"source_id":"r","status":"step_%d"}}`, n)))
				if got.Code != http.StatusAccepted {
					t.Errorf("%d %s", got.Code, got.Body)
				}
			})
		}
		wg.Wait()
		got := w.do(request(http.MethodGet, "/v1/events?kind=run&limit=200&order=oldest", adminToken, ""))
		for n := range steps {
			if !strings.Contains(got.Body.String(), fmt.Sprintf(`"sequence":%d`, n)) {
				t.Errorf("no step has the number %d", n)
			}
		}
	})
}

func TestALongStreamIsStoredInChunks(t *testing.T) {
	t.Parallel()
	inAcme(t, func(w *world) {
		var body strings.Builder
		for n := range 450 {
			fmt.Fprintf(&body, `{"kind":"run","organization":{"name":"acme"},"workspace":{"name":"w%d"},"run":{"source_id":"r","status":"applied"}}`+"\n", n%40)
		}
		r := request(http.MethodPost, "/v1/events", adminToken, body.String())
		r.Header.Set("Content-Type", "application/x-ndjson")
		got := w.do(r)
		lines := strings.Split(strings.TrimSpace(got.Body.String()), "\n")
		if got.Code != http.StatusAccepted || len(lines) != 450 || strings.Count(got.Body.String(), `"duplicate":false`) != 40 {
			t.Errorf("%d, %d lines, %d stored", got.Code, len(lines), strings.Count(got.Body.String(), `"duplicate":false`))
		}
	})
}

// TestOneLineThatHasNoPlaceDoesNotHoldUpItsChunk covers what can happen between the question whether an event may be sent
// and its storing: its organization goes away.
func TestOneLineThatHasNoPlaceDoesNotHoldUpItsChunk(t *testing.T) {
	t.Parallel()
	inAcme(t, func(w *world) {
		w.accept = func(events []event.Event) error {
			for _, e := range events {
				if e.Key == "cursed" {
					return fault.Missing("organization", e.Organization.Name)
				}
			}
			return nil
		}
		line := func(key string) string {
			return `{"kind":"test","key":"` + key + `","organization":{"name":"acme"}}` + "\n"
		}
		r := request(http.MethodPost, "/v1/events", adminToken, line("a")+line("cursed")+line("b"))
		r.Header.Set("Content-Type", "application/x-ndjson")
		got := w.do(r)
		lines := strings.Split(strings.TrimSpace(got.Body.String()), "\n")
		if len(lines) != 3 || !strings.Contains(lines[0], `"receipt"`) || !strings.Contains(lines[1], `"code":"not_found"`) || !strings.Contains(lines[2], `"receipt"`) {
			t.Errorf("%d %s", got.Code, got.Body)
		}
	})
}

func TestKeysOfDoorsFitTheirPlace(t *testing.T) {
	t.Parallel()
	const door = "source/0000000000002/"
	long := strings.Repeat("k", event.MaxName-len(door))
	for key, want := range map[string]string{"": "", "k": door + "k", long: door + long} {
		if got := httpapi.InboundKey(1, key); got != want {
			t.Errorf("%.20q: got %q", key, got)
		}
	}
	hashed, other := httpapi.InboundKey(1, long+"a"), httpapi.InboundKey(1, long+"b")
	if len(hashed) != len(door)+64 || !strings.HasPrefix(hashed, door) || hashed == other {
		t.Errorf("got %q and %q", hashed, other)
	}
}

func TestBytesThatAreNoTextAreShownInBase64(t *testing.T) {
	t.Parallel()
	if shown, encoded := httpapi.Text([]byte("plain")); shown != "plain" || encoded {
		t.Errorf("got %q, %v", shown, encoded)
	}
	if shown, encoded := httpapi.Text([]byte{0x1f, 0x8b, 0xff}); shown != "H4v/" || !encoded {
		t.Errorf("got %q, %v", shown, encoded)
	}
}
