package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// CAFile is the certificate that clients trust when the server makes its own: SSL_CERT_FILE=DIR/ca.pem.
const CAFile = "ca.pem"

const (
	caKeyFile     = "ca.key"
	caLifetime    = 10 * 365 * 24 * time.Hour
	leafLifetime  = 397 * 24 * time.Hour // what clients accept at most
	clockAllowant = time.Hour            // clients' clocks may be behind
)

// tlsConfig returns the server's TLS settings, nil for plain HTTP.
func tlsConfig(c Config, now time.Time) (*tls.Config, error) {
	if !c.secure() {
		return nil, nil
	}
	var certificate tls.Certificate
	var err error
	if c.TLSSelfSigned {
		certificate, err = selfSigned(c, now)
	} else {
		certificate, err = tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	}
	if err != nil {
		return nil, fmt.Errorf("load the certificate: %w", err)
	}
	return &tls.Config{
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"h2", "http/1.1"},
		Certificates: []tls.Certificate{certificate},
	}, nil
}

// selfSigned issues a certificate for localhost, the listen address and the host of the base URL, from a CA that is made
// once and kept in the data directory.
func selfSigned(c Config, now time.Time) (tls.Certificate, error) {
	ca, caKey, err := authority(c.DataDir, now)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: "Carillon"},
		NotBefore:    now.Add(-clockAllowant),
		NotAfter:     now.Add(leafLifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	nameHosts(template, c)
	der, err := x509.CreateCertificate(rand.Reader, template, ca, key.Public(), caKey)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("issue the certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der, ca.Raw}, PrivateKey: key}, nil
}

// nameHosts lists every name under which a client may reach the server.
func nameHosts(template *x509.Certificate, c Config) {
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	if host, _, err := net.SplitHostPort(c.Listen); err == nil {
		hosts = append(hosts, host)
	}
	if u, err := url.Parse(c.BaseURL); err == nil {
		hosts = append(hosts, u.Hostname())
	}
	if name, err := os.Hostname(); err == nil {
		hosts = append(hosts, name)
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else if host != "" {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
}

// authority reads the CA from the data directory, or makes it.
func authority(dir string, now time.Time) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	certPath, keyPath := filepath.Join(dir, CAFile), filepath.Join(dir, caKeyFile)
	if _, err := os.Stat(certPath); errors.Is(err, fs.ErrNotExist) {
		if err := makeAuthority(certPath, keyPath, now); err != nil {
			return nil, nil, err
		}
	}
	pair, err := tls.LoadX509KeyPair(certPath, keyPath)
	if err != nil {
		return nil, nil, fmt.Errorf("read the CA in %s: %w", dir, err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || pair.Leaf == nil {
		return nil, nil, fmt.Errorf("the CA in %s is not one of ours: move %s and %s away to have a new one made", dir, CAFile, caKeyFile)
	}
	return pair.Leaf, key, nil
}

func makeAuthority(certPath, keyPath string, now time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make the CA's key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: "Carillon's own CA"},
		NotBefore:             now.Add(-clockAllowant),
		NotAfter:              now.Add(caLifetime),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return fmt.Errorf("make the CA: %w", err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("make the CA: %w", err)
	}
	// The key first: a certificate without its key could never be replaced by itself.
	if err := os.WriteFile(keyPath, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600); err != nil {
		return fmt.Errorf("keep the CA's key: %w", err)
	}
	if err := os.WriteFile(certPath, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644); err != nil {
		return fmt.Errorf("keep the CA: %w", err)
	}
	return nil
}

func serial() *big.Int {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw)
	raw[0] &= 0x7f
	return new(big.Int).SetBytes(raw)
}
