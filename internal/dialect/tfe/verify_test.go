package tfe

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/subscription"
)

func replaced(body []byte, old, new string) []byte {
	return bytes.ReplaceAll(body, []byte(old), []byte(new))
}

func TestVerificationPayloads(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		file    string
		channel subscription.Channel
	}{
		{"generic/seen/verification.json", subscription.ChannelWebhook},
		{"slack/verification.json", subscription.ChannelSlack},
		{"teams/verification.json", subscription.ChannelTeams},
	} {
		t.Run(tc.file, func(t *testing.T) {
			t.Parallel()
			s := configuration("nc-ygBmbbQWJZAWMse7", subscription.LevelWorkspace)
			s.Channel = tc.channel
			msg, err := New().Verification(s, sampleSite, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			sameBytes(t, msg.Body, file(t, "payloads/"+tc.file))
		})
	}
}

func TestMailIsNotVerifiedButTested(t *testing.T) {
	t.Parallel()
	s := configuration("nc-ygBmbbQWJZAWMse7", subscription.LevelTeam)
	s.Channel, s.Name = subscription.ChannelEmail, "Notify members"
	if msg, err := New().Verification(s, sampleSite, time.Time{}); msg != nil || err != nil {
		t.Errorf("got %v, %v", msg, err)
	}
	mail := testMail(s, sampleSite, []string{"a@example.com"}).Mail
	sameBytes(t, []byte("Subject: "+mail.Subject+"\n\n"+mail.Text), file(t, "payloads/email/verification.txt"))
}

func TestSignatureVectors(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.TrimSpace(string(file(t, "signatures/vectors.tsv"))), "\n")[1:]
	if len(lines) != 21 {
		t.Errorf("%d vectors, want 21", len(lines))
	}
	for _, line := range lines {
		columns := strings.Split(line, "\t")
		t.Run(columns[0]+" "+columns[2], func(t *testing.T) {
			t.Parallel()
			body, err := os.ReadFile(filepath.Join("testdata", columns[0]))
			if err != nil {
				t.Fatal(err)
			}
			msg := &delivery.Message{Channel: subscription.ChannelWebhook, Body: body}
			New().Sign(msg, dialect.Signing{Secrets: []string{columns[2], "prior"}})
			if got := msg.Get(SignatureHeader); got != columns[3] {
				t.Errorf("got %s, want %s", got, columns[3])
			}
		})
	}
}

func TestSignatureHeaderIsThereAndEmptyWithoutAToken(t *testing.T) {
	t.Parallel()
	msg := &delivery.Message{Channel: subscription.ChannelWebhook, Body: []byte("{}")}
	New().Sign(msg, dialect.Signing{})
	if want := (delivery.HeaderField{Name: "X-TFE-Notification-Signature"}); len(msg.Header) != 1 || msg.Header[0] != want {
		t.Errorf("got %v", msg.Header)
	}
	for _, channel := range []subscription.Channel{subscription.ChannelSlack, subscription.ChannelTeams, subscription.ChannelEmail} {
		msg := &delivery.Message{Channel: channel, Body: []byte("{}")}
		New().Sign(msg, dialect.Signing{Secrets: []string{"key"}})
		if len(msg.Header) != 0 {
			t.Errorf("%s: got %v", channel, msg.Header)
		}
	}
}

func TestRequestHeaders(t *testing.T) {
	t.Parallel()
	msg, err := New().Verification(configuration("nc-ygBmbbQWJZAWMse7", subscription.LevelWorkspace), sampleSite, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	want := []delivery.HeaderField{
		{Name: "Content-Type", Value: "application/json"}, {Name: "Accept", Value: "application/json"},
		{Name: "User-Agent", Value: "PRODUCT/1.2.3 (+https://tfe.example.com)"},
	}
	for i, field := range want {
		if msg.Header[i] != field {
			t.Errorf("got %v, want %v", msg.Header[i], field)
		}
	}
	if msg.Timeout != 10*time.Second || msg.Method != "POST" || msg.URL != "" {
		t.Errorf("got %+v", msg)
	}
}
