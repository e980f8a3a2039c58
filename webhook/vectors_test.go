package webhook_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carillon/webhook"
)

func read(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", path))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func list[T any](t testing.TB, path string) []T {
	t.Helper()
	var all []T
	if err := json.Unmarshal(read(t, path), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// vector is one known signature.
type vector struct {
	name    string
	dialect webhook.Dialect
	body    []byte
	secret  string
	header  http.Header
	at      time.Time // of Scalr's Date
}

func (v vector) options() webhook.Options {
	return webhook.Options{
		Dialect: v.dialect, Secrets: []string{v.secret}, EmptySecret: v.secret == "", Now: func() time.Time { return v.at },
	}
}

// vectors gathers those of all platforms.
func vectors(t testing.TB) []vector {
	t.Helper()
	all := tfeVectors(t)
	all = append(all, scalrVectors(t)...)
	all = append(all, spaceliftVectors(t)...)
	return append(all, pulumiVectors(t)...)
}

func tfeVectors(t testing.TB) (all []vector) {
	for _, line := range strings.Split(strings.TrimSpace(string(read(t, "tfe/signatures/vectors.tsv"))), "\n")[1:] {
		cells := strings.Split(line, "\t")
		h := http.Header{"X-TFE-Notification-Signature": {cells[3]}} // the platform's spelling, not Go's
		all = append(all, vector{name: "tfe " + cells[0] + " " + cells[2], dialect: webhook.TFE, body: read(t, "tfe/"+cells[0]), secret: cells[2], header: h})
	}
	return all
}

func scalrVectors(t testing.TB) (all []vector) {
	type entry struct {
		File, Key, Date string
		Signature       string `json:"x_signature"`
		DateThenBody    string `json:"receive_only_date_then_body"`
		BodyAlone       string `json:"receive_only_body"`
	}
	for _, e := range list[entry](t, "scalr/signature-vectors.json") {
		at, err := time.Parse("2006-01-02T15:04:05-0700", e.Date)
		if err != nil {
			t.Fatal(err)
		}
		for way, signature := range map[string]string{"": e.Signature, ", date then body": e.DateThenBody, ", body alone": e.BodyAlone} {
			h := http.Header{}
			h.Set("Date", e.Date)
			h.Set("X-Signature", signature)
			all = append(all, vector{"scalr " + e.File + " " + e.Date + way, webhook.Scalr, read(t, "scalr/"+e.File), e.Key, h, at})
		}
	}
	return all
}

func spaceliftVectors(t testing.TB) (all []vector) {
	type entry struct {
		Name, Secret string
		File         string `json:"body_file"`
		SHA1         string `json:"X-Signature"`
		SHA256       string `json:"X-Signature-256"`
	}
	for _, e := range list[entry](t, "spacelift/signature-vectors.json") {
		body := read(t, "spacelift/"+e.File)
		for way, h := range map[string]http.Header{
			"": {"X-Signature": {e.SHA1}, "X-Signature-256": {e.SHA256}}, ", SHA-1 alone": {"X-Signature": {e.SHA1}},
		} {
			all = append(all, vector{name: "spacelift " + e.Name + way, dialect: webhook.Spacelift, body: body, secret: e.Secret, header: h})
		}
	}
	return all
}

func pulumiVectors(t testing.TB) (all []vector) {
	type entry struct {
		Name, Secret string
		File         string `json:"body_file"`
		Signature    string `json:"Pulumi-Webhook-Signature"`
	}
	for _, e := range list[entry](t, "pulumi/signature-vectors.json") {
		h := http.Header{"Pulumi-Webhook-Signature": {e.Signature}}
		all = append(all, vector{name: "pulumi " + e.Name, dialect: webhook.Pulumi, body: read(t, "pulumi/"+e.File), secret: e.Secret, header: h})
	}
	return all
}

func TestVectors(t *testing.T) {
	t.Parallel()
	all := vectors(t)
	if want := 21 + 3*8 + 2*15 + 27; len(all) != want {
		t.Fatalf("%d vectors, want %d", len(all), want)
	}
	for _, v := range all {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			o := v.options()
			if err := o.Verify(v.header, v.body); err != nil {
				t.Fatal(err)
			}
			o.Dialect = "" // as Detect says
			if d, ok := webhook.Detect(v.header, v.body); !ok || d != v.dialect || o.Verify(v.header, v.body) != nil {
				t.Errorf("detected %q", d)
			}
			o.Dialect, o.Secrets = v.dialect, []string{"another", v.secret, "a third"}
			if err := o.Verify(v.header, v.body); err != nil {
				t.Errorf("while rotating: %v", err)
			}
			o.Secrets = []string{v.secret + "x"}
			if err := o.Verify(v.header, v.body); !errors.Is(err, webhook.ErrMismatch) {
				t.Errorf("another secret: %v", err)
			}
			o.Secrets = []string{v.secret}
			if err := o.Verify(v.header, append([]byte(" "), v.body...)); !errors.Is(err, webhook.ErrMismatch) {
				t.Errorf("another body: %v", err)
			}
		})
	}
}

// TestEveryDigitCounts changes each byte of each signature header.
func TestEveryDigitCounts(t *testing.T) {
	t.Parallel()
	seen := map[webhook.Dialect]bool{}
	for _, v := range vectors(t) {
		if seen[v.dialect] {
			continue
		}
		seen[v.dialect] = true
		for name, values := range v.header {
			if name == "Date" || (v.dialect == webhook.Spacelift && name == "X-Signature" && len(v.header) == 2) {
				continue
			}
			for i := range values[0] {
				changed := []byte(values[0])
				changed[i] ^= 1
				h := v.header.Clone()
				h[name] = []string{string(changed)}
				if err := v.options().Verify(h, v.body); err == nil {
					t.Errorf("%s: %s with byte %d changed is accepted", v.name, name, i)
				}
			}
		}
	}
}

// TestSignMakesTheSame signs the vectors again.
func TestSignMakesTheSame(t *testing.T) {
	t.Parallel()
	for _, v := range vectors(t) {
		if strings.Contains(v.name, ", ") && v.dialect != webhook.Pulumi { // ways that are received only
			continue
		}
		h := http.Header{}
		if err := webhook.Sign(v.dialect, h, v.body, v.secret, v.at); err != nil {
			t.Fatal(err)
		}
		for name, values := range v.header {
			if got := h.Get(name); got != values[0] {
				t.Errorf("%s: %s: %q, want %q", v.name, name, got, values[0])
			}
		}
	}
	if err := webhook.Sign("nobody", http.Header{}, nil, "", time.Time{}); !errors.Is(err, webhook.ErrUnknown) {
		t.Error(err)
	}
}

// TestInboundVectors runs the requests of one platform as a whole.
func TestInboundVectors(t *testing.T) {
	t.Parallel()
	type entry struct {
		Name, Secret string
		Headers      map[string]string
		File         string `json:"body_file"`
		Expect       struct{ Status int }
	}
	all := list[entry](t, "pulumi/inbound-vectors.json")
	if len(all) != 13 {
		t.Fatalf("%d requests", len(all))
	}
	for _, e := range all {
		h := http.Header{}
		for name, value := range e.Headers {
			h.Set(name, value)
		}
		o := webhook.Options{Dialect: webhook.Pulumi, Secrets: []string{e.Secret}, Unsigned: e.Secret == ""}
		status := 200
		if err := o.Verify(h, read(t, "pulumi/"+e.File)); err != nil {
			status = 401
		}
		if status != e.Expect.Status {
			t.Errorf("%s: %d, want %d", e.Name, status, e.Expect.Status)
		}
	}
}
