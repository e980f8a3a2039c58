package scalr

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
)

// vector is a line of delivery/signature-vectors.json.
type vector struct {
	File      string `json:"file"`
	Bytes     int    `json:"bytes"`
	Hash      string `json:"sha256_of_body"`
	Key       string `json:"key"`
	Date      string `json:"date"`
	Signature string `json:"x_signature"`
	DateFirst string `json:"receive_only_date_then_body"`
	BodyAlone string `json:"receive_only_body"`
}

func vectors(t *testing.T) []vector {
	t.Helper()
	var all []vector
	if err := json.Unmarshal(file(t, "delivery/signature-vectors.json"), &all); err != nil || len(all) != 8 {
		t.Fatalf("%d vectors, %v", len(all), err)
	}
	return all
}

func TestSignatureVectors(t *testing.T) {
	t.Parallel()
	for i, v := range vectors(t) {
		t.Run(fmt.Sprint(i, " ", v.File), func(t *testing.T) {
			t.Parallel()
			body := file(t, "delivery/"+v.File)
			if sum := sha256.Sum256(body); len(body) != v.Bytes || hex.EncodeToString(sum[:]) != v.Hash {
				t.Fatalf("the file has %d other bytes", len(body))
			}
			moment, err := time.Parse(headerDateLayout, v.Date)
			if err != nil {
				t.Fatal(err)
			}
			msg := &delivery.Message{Body: bytes.Clone(body)}
			New().Sign(msg, dialect.Signing{Secrets: []string{v.Key, "older"}, At: moment, Delivery: &delivery.Delivery{ID: 1 << 13}})
			if got := msg.Get(headerSignature); got != v.Signature || msg.Get(headerDate) != v.Date {
				t.Errorf("got %s at %s, want %s", got, msg.Get(headerDate), v.Signature)
			}
			sameBytes(t, msg.Body, body)
		})
	}
}

// TestDocumentedRequest rebuilds the platform's example, headers and body, but for the identifier of the delivery.
func TestDocumentedRequest(t *testing.T) {
	t.Parallel()
	head, body, _ := strings.Cut(string(file(t, "delivery/request-gen1.http")), "\r\n\r\n")
	e := oldRun("policy_checked", true, "2020-11-25T00:43:38Z")
	e.Run.Message, e.Run.Origin, e.Run.Variables = "Update variables.tf", "ui", map[string]string{"foo": "bar"}
	msg := render(t, e, webhook("wh-t6v0g1l0dlqhh58", sampleEndpoint))
	const id = 4321 << 13
	New().Sign(msg, dialect.Signing{Secrets: []string{"auphee1ieshaeQu8"}, At: at("2020-11-25T00:43:38Z"), Delivery: &delivery.Delivery{ID: id}})
	sameBytes(t, msg.Body, []byte(body))
	for _, line := range strings.Split(head, "\r\n")[2:] {
		name, want, _ := strings.Cut(line, ": ")
		got := msg.Get(name)
		switch name {
		case "Content-Length":
			got = fmt.Sprint(len(msg.Body))
		case headerDelivery:
			want = deliveryIDs.Encode(id)
			if !deliveryIDs.Matches("wd-t6v0hrnn58vu4m0") || !deliveryIDs.Matches(want) {
				t.Errorf("%s has another shape", want)
			}
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// TestEveryAttemptIsSignedAnew covers retries: the identifier stays, date and signature change (§2.1).
func TestEveryAttemptIsSignedAnew(t *testing.T) {
	t.Parallel()
	sign := func(moment string, d *delivery.Delivery) *delivery.Message {
		msg := &delivery.Message{Body: []byte("{}")}
		New().Sign(msg, dialect.Signing{Secrets: []string{"k"}, At: at(moment), Delivery: d})
		return msg
	}
	d := &delivery.Delivery{ID: 5 << 13}
	first, second := sign("2020-11-25T00:43:38Z", d), sign("2020-11-25T00:44:08Z", d)
	again := sign("2020-11-25T00:44:08Z", &delivery.Delivery{ID: 6 << 13, Origin: d.ID})
	if first.Get(headerDelivery) != second.Get(headerDelivery) || first.Get(headerSignature) == second.Get(headerSignature) {
		t.Errorf("got %v and %v", first.Header, second.Header)
	}
	if again.Get(headerDelivery) == first.Get(headerDelivery) {
		t.Error("a delivery that is repeated by hand keeps its identifier")
	}
	unsigned := &delivery.Message{Body: []byte("{}")}
	New().Sign(unsigned, dialect.Signing{At: at("2020-11-25T00:43:38Z"), Delivery: d})
	if unsigned.Get(headerSignature) != "" || unsigned.Get(headerDate) == "" {
		t.Errorf("without a secret: %v", unsigned.Header)
	}
}
