package pulumi

import (
	"encoding/hex"
	"strings"
	"testing"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

func TestSignatureVectors(t *testing.T) {
	t.Parallel()
	vectors := fileAs[[]struct {
		Name      string `json:"name"`
		Secret    string `json:"secret"`
		BodyFile  string `json:"body_file"`
		BodyBytes int    `json:"body_bytes"`
		Signature string `json:"Pulumi-Webhook-Signature"`
	}](t, "signature-vectors.json")
	if len(vectors) != 27 {
		t.Fatalf("there are %d vectors", len(vectors))
	}
	for _, v := range vectors {
		body := file(t, v.BodyFile)
		if got := hex.EncodeToString(signature(v.Secret, body)); got != v.Signature || len(body) != v.BodyBytes {
			t.Errorf("%s: %s over %d bytes", v.Name, got, len(body))
		}
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	e := given{Event: "run completed", Word: "apply"}.neutral(t)
	for _, channel := range []subscription.Channel{subscription.ChannelWebhook, subscription.ChannelSlack, subscription.ChannelTeams} {
		msg := renderKind(t, e, kindUpdate, hook(channel))
		d := &delivery.Delivery{ID: 5 << 13}
		New().Sign(msg, dialect.Signing{Delivery: d, Subscription: hook(channel), Secrets: []string{"s3cret", "older"}})
		var names []string
		for _, h := range msg.Header {
			names = append(names, h.Name)
		}
		const want = "Accept Content-Type Pulumi-Webhook-Kind User-Agent Pulumi-Webhook-Id Pulumi-Webhook-Signature"
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %s", channel, got)
		}
		if msg.Get("Accept") != "*/*" || msg.Get("Content-Type") != "application/json" || msg.Get(headerID) != deliveryUUID(d.ID) {
			t.Errorf("%s: %v", channel, msg.Header)
		}
		if got := msg.Get(headerSignature); got != hex.EncodeToString(signature("s3cret", msg.Body)) || got != strings.ToLower(got) || len(got) != 64 {
			t.Errorf("%s: the signature is %q", channel, got)
		}
	}
}

func TestNoSecretNoSignature(t *testing.T) {
	t.Parallel()
	msg := &delivery.Message{Channel: subscription.ChannelWebhook, Body: []byte("{}")}
	New().Sign(msg, dialect.Signing{Delivery: &delivery.Delivery{ID: 5 << 13}, Subscription: hook(subscription.ChannelWebhook)})
	if msg.Get(headerSignature) != "" || len(msg.Header) != 1 {
		t.Errorf("%v", msg.Header)
	}
}

// TestRedeliveryKeepsTheIdentifier checks that what repeats a delivery has its identifier, and that it can be found by it.
func TestRedeliveryKeepsTheIdentifier(t *testing.T) {
	t.Parallel()
	first, again := &delivery.Message{Body: []byte("{}")}, &delivery.Message{Body: []byte("{}")}
	New().Sign(first, dialect.Signing{Delivery: &delivery.Delivery{ID: 5 << 13}})
	New().Sign(again, dialect.Signing{Delivery: &delivery.Delivery{ID: 9 << 13, Origin: 5 << 13}})
	if first.Get(headerID) != again.Get(headerID) {
		t.Errorf("%s and %s", first.Get(headerID), again.Get(headerID))
	}
	if id, ok := deliveryID(first.Get(headerID)); !ok || id != 5<<13 {
		t.Errorf("found %d", id)
	}
}

func TestDeliveryUUID(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for i := range 2000 {
		id := ident.ID(1)<<50 + ident.ID(i)*ident.Step
		text := deliveryUUID(id)
		if !isUUID(text) || text[14] != '4' || !strings.ContainsRune("89ab", rune(text[19])) || seen[text] {
			t.Fatalf("%d is spelled %s", id, text)
		}
		seen[text] = true
		if got, ok := deliveryID(text); !ok || got != id {
			t.Fatalf("%s is read as %d", text, got)
		}
	}
	for _, text := range []string{"", "x", "00000000-0000-4000-8000-000000000000", "8d001000-7ef4-4086-b12a-3ec6d3ea1de9", strings.ToUpper(deliveryUUID(1 << 50))} {
		if id, ok := deliveryID(text); ok {
			t.Errorf("%s is read as %d", text, id)
		}
	}
}

// TestUUIDOfAnAddress checks version 5 against a value of another implementation: Python's uuid.uuid5(NAMESPACE_URL, …).
func TestUUIDOfAnAddress(t *testing.T) {
	t.Parallel()
	if got := uuidOf("https://hooks.example.com/acme/web/prod/run-1"); got != "b6c8a51d-2e31-5687-b79a-9a6fe5d55652" {
		t.Error(got)
	}
}
