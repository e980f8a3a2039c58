package spacelift_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strings"
	"testing"

	"carillon/test/conformance"
)

// source is an inbound source of the account.
type source struct {
	url    string
	secret string
	client *http.Client
}

func (p *platform) source(t *testing.T, more object) source {
	t.Helper()
	input := object{"organization": "acme", "dialect": "spacelift", "name": "door"}
	for name, value := range more {
		input[name] = value
	}
	var made struct{ URL, Secret string }
	p.Want(t, 201, "POST", "/v1/sources", input, &made)
	return source{made.URL, made.Secret, p.Client()}
}

func sign(function func() hash.Hash, prefix, secret string, body []byte) string {
	mac := hmac.New(function, []byte(secret))
	mac.Write(body)
	return prefix + hex.EncodeToString(mac.Sum(nil))
}

func sign256(secret string, body []byte) string { return sign(sha256.New, "sha256=", secret, body) }

// post sends a body with both signatures.
func (s source) post(t *testing.T, method string, body []byte) conformance.Answer {
	t.Helper()
	return s.send(t, method, body, map[string]string{
		"X-Signature": sign(sha1.New, "sha1=", s.secret, body), "X-Signature-256": sign(sha256.New, "sha256=", s.secret, body),
	})
}

func (s source) send(t *testing.T, method string, body []byte, headers map[string]string) conformance.Answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	response, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return conformance.Answer{Status: response.StatusCode, Header: response.Header, Body: text}
}

// TestInbound is section 9 from outside: statuses, methods, both signatures, what is kept.
func TestInbound(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	s := p.source(t, nil)
	if len(s.secret) < 32 {
		t.Errorf("the generated secret is %q", s.secret)
	}
	body := file(t, "payloads/run-tracked-finished.json")
	newer := map[string]string{"X-Signature-256": sign(sha256.New, "sha256=", s.secret, body)}
	older := map[string]string{"X-Signature": sign(sha1.New, "sha1=", s.secret, body)}
	for i, c := range []struct {
		method  string
		body    []byte
		headers map[string]string
		want    int
	}{
		{"POST", body, newer, 200}, {"PUT", body, newer, 200}, {"POST", body, older, 200}, {"POST", body, nil, 400},
		{"POST", body, map[string]string{"X-Signature-256": "sha256=" + strings.Repeat("0", 64)}, 401},
		{"POST", body, map[string]string{"X-Signature-256": strings.ToUpper(newer["X-Signature-256"])}, 401},
		{"POST", append(body, ' '), newer, 401}, {"GET", nil, newer, 405}, {"POST", make([]byte, 1<<20+1), newer, 413},
	} {
		if got := s.send(t, c.method, c.body, c.headers); got.Status != c.want {
			t.Errorf("%d: got %d, %s, want %d", i, got.Status, got.Body, c.want)
		}
	}
	for _, other := range []string{`{"text":"hello"}`, "not JSON", ""} {
		if got := s.post(t, "POST", []byte(other)); got.Status != 200 {
			t.Errorf("%q: got %d, %s", other, got.Status, got.Body)
		}
	}
	// The transition counts once, and made the stack known.
	var events struct {
		Items []struct{ Kind, Key string }
	}
	p.Want(t, 200, "GET", "/v1/events?organization=acme&kind=run", nil, &events)
	if len(events.Items) != 1 {
		t.Errorf("got %+v", events)
	}
	same(t, "the stack", p.run(t, `{stack(id:"ai-agent"){id,name,description,labels,repository,namespace,provider,state,managesStateFile,space,vendorConfig{__typename}}}`, nil), object{
		"id": "ai-agent", "name": "ai-agent", "description": "here is the node", "labels": []string{"node"}, "repository": "argocd-app", "namespace": "octo",
		"provider": "GITHUB", "state": "FINISHED", "managesStateFile": false, "space": "legacy", "vendorConfig": object{"__typename": "StackConfigVendorTerraform"},
	})
}

// TestSourcesWithoutSHA1 refuses what carries only the older signature.
func TestSourcesWithoutSHA1(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	s := p.source(t, object{"options": object{"no_sha1": "true"}})
	body := file(t, "payloads/run-seed.json")
	if got := s.send(t, "POST", body, map[string]string{"X-Signature": sign(sha1.New, "sha1=", s.secret, body)}); got.Status != 400 {
		t.Errorf("got %d, %s", got.Status, got.Body)
	}
}

// TestInternalErrorsAreNotDeduplicated: they carry no time (section 9).
func TestInternalErrorsAreNotDeduplicated(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	s := p.source(t, nil)
	for range 2 {
		s.post(t, "POST", file(t, "payloads/internal-error.json"))
		s.post(t, "POST", file(t, "payloads/audit-webhook-set.json"))
	}
	conformance.Eventually(t, func() error {
		var events struct {
			Items []struct{ Action string }
		}
		p.Want(t, 200, "GET", "/v1/events?organization=acme&kind=account", nil, &events)
		if got := fmt.Sprint(events.Items); strings.Count(got, "internal_error") != 2 || strings.Count(got, "audit") != 1 {
			return fmt.Errorf("got %s", got)
		}
		return nil
	})
}
