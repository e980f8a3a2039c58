package server

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestSelfSignedCertificateIsTrustedThroughTheCAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := Config{DataDir: dir, TLSSelfSigned: true, Listen: "127.0.0.1:0", BaseURL: "https://carillon.example.com"}
	settings, err := tlsConfig(config, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	authority, err := os.ReadFile(filepath.Join(dir, CAFile))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority) {
		t.Fatal("the CA file is not PEM")
	}
	leaf, err := x509.ParseCertificate(settings.Certificates[0].Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"localhost", "127.0.0.1", "::1", "carillon.example.com"} {
		if _, err := leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: pool}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	again, err := tlsConfig(config, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if string(again.Certificates[0].Certificate[1]) != string(settings.Certificates[0].Certificate[1]) {
		t.Error("the second start made another CA: clients would have to trust it anew")
	}
}

func TestTLSConfigFaults(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if settings, err := tlsConfig(Config{}, time.Now()); settings != nil || err != nil {
		t.Errorf("plain HTTP: %v, %v", settings, err)
	}
	if _, err := tlsConfig(Config{TLSCert: filepath.Join(dir, "no"), TLSKey: filepath.Join(dir, "no")}, time.Now()); err == nil {
		t.Error("a missing certificate was accepted")
	}
	if err := os.WriteFile(filepath.Join(dir, CAFile), []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := tlsConfig(Config{DataDir: dir, TLSSelfSigned: true}, time.Now()); err == nil {
		t.Error("a broken CA was accepted")
	}
}
