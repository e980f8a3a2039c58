package spacelift

import (
	"encoding/json"
	"testing"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
)

type vector struct {
	Name   string
	Secret string
	Body   string `json:"body_file"`
	Bytes  int    `json:"body_bytes"`
	SHA1   string `json:"X-Signature"`
	SHA256 string `json:"X-Signature-256"`
}

func vectors(t testing.TB) []vector {
	t.Helper()
	var all []vector
	if err := json.Unmarshal(file(t, "signature-vectors.json"), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != 15 {
		t.Fatalf("got %d vectors, want 15", len(all))
	}
	return all
}

func TestSignatureVectors(t *testing.T) {
	t.Parallel()
	for _, v := range vectors(t) {
		body := file(t, v.Body)
		if len(body) != v.Bytes {
			t.Errorf("%s: the body has %d bytes, want %d", v.Name, len(body), v.Bytes)
		}
		msg := &delivery.Message{Body: body}
		var secrets []string
		if v.Secret != "" {
			secrets = []string{v.Secret, "an earlier one"}
		}
		New().Sign(msg, dialect.Signing{Secrets: secrets})
		if got := msg.Get("X-Signature"); got != v.SHA1 {
			t.Errorf("%s: X-Signature is %s, want %s", v.Name, got, v.SHA1)
		}
		if got := msg.Get("X-Signature-256"); got != v.SHA256 {
			t.Errorf("%s: X-Signature-256 is %s, want %s", v.Name, got, v.SHA256)
		}
	}
}

func TestSignaturesReplaceHeadersOfTheSameName(t *testing.T) {
	t.Parallel()
	msg := &delivery.Message{Body: []byte("{}")}
	msg.Set("x-signature-256", "forged")
	New().Sign(msg, dialect.Signing{Secrets: []string{secret}})
	if got := msg.Get("X-Signature-256"); got == "forged" || len(msg.Header) != 2 {
		t.Errorf("got %v", msg.Header)
	}
}

func TestSHA1CanBeLeftOut(t *testing.T) {
	t.Parallel()
	msg := &delivery.Message{}
	(&Dialect{NoSHA1: true}).Sign(msg, dialect.Signing{Secrets: []string{secret}})
	if len(msg.Header) != 1 || msg.Header[0].Name != "X-Signature-256" {
		t.Errorf("got %v", msg.Header)
	}
}
