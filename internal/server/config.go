// Package server puts the program together: it opens the store, wires the engines to each other and to the faces, and
// owns their lives (New, Start, Addr, Stop). The lists of dialects, channels and stores are here and nowhere else. It
// contains no rule of its own.
package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"
)

// Config is how a server is set up. Its zero value is not usable: DataDir or DatabaseURL must be set.
type Config struct {
	Listen      string // address to listen on, "127.0.0.1:8080" when empty
	DataDir     string // where the database, the master key and the lock live
	DatabaseURL string // postgres://…; the embedded database in DataDir when empty
	BaseURL     string // public address, derived from the listener when empty
	NodeName    string // host name when empty
	DebugListen string // address for profiles, such as "127.0.0.1:6060"; none when empty

	TLSCert       string
	TLSKey        string
	TLSSelfSigned bool // make a CA and a certificate in DataDir

	EgressAllow []string // CIDRs and exact hosts that the guard lets through
	EgressPorts []int    // denied ports; nil means the guard's list

	MasterKey     string // one or more keys, as seal.ParseKeys reads them
	MasterKeyFile string // read when MasterKey is empty; made in DataDir when both are empty

	AdminToken string // the first token, printed once when it is empty and none exists

	// DialectOptions are settings of single dialects: "dialect.option=value".
	DialectOptions []string

	MailServer string // smtp://user:password@host:port, smtps://…
	MailFrom   string

	Retention       time.Duration // how long history is kept; 0 means 30 days
	SoftStopTimeout time.Duration // how long Stop waits for attempts in flight; 0 means 15 s

	Version    string
	Log        *slog.Logger
	Failpoints string // for crash tests: "name=action[:hit],…"
}

// Defaults of Config.
const (
	DefaultListen          = "127.0.0.1:8080"
	defaultRetention       = 30 * 24 * time.Hour
	defaultSoftStopTimeout = 15 * time.Second
)

// withDefaults fills what is empty and refuses what can not work together.
func (c Config) withDefaults() (Config, error) {
	if c.Listen == "" {
		c.Listen = DefaultListen
	}
	if c.Retention == 0 {
		c.Retention = defaultRetention
	}
	if c.SoftStopTimeout == 0 {
		c.SoftStopTimeout = defaultSoftStopTimeout
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	return c, errors.Join(c.checkStorage(), c.checkTLS(), c.checkBaseURL())
}

func (c Config) checkStorage() error {
	if c.DataDir == "" && c.DatabaseURL == "" {
		return errors.New("neither a data directory nor a database is set: give --data DIR or --database URL")
	}
	if c.DatabaseURL != "" {
		u, err := url.Parse(c.DatabaseURL)
		if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
			return errors.New("--database must be a URL like postgres://user:password@host/name")
		}
	}
	return nil
}

func (c Config) checkTLS() error {
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return errors.New("--tls-cert and --tls-key go together: give both or neither")
	case c.TLSCert != "" && c.TLSSelfSigned:
		return errors.New("--tls-self-signed makes its own certificate: leave --tls-cert and --tls-key out, or drop it")
	case c.TLSSelfSigned && c.DataDir == "":
		return errors.New("--tls-self-signed keeps its CA in the data directory: give --data DIR")
	}
	return nil
}

func (c Config) checkBaseURL() error {
	if c.BaseURL == "" {
		return nil
	}
	u, err := url.Parse(c.BaseURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("--base-url must be an address like https://carillon.example.com, not %q", c.BaseURL)
	}
	return nil
}

// secure reports whether the server speaks TLS.
func (c Config) secure() bool { return c.TLSCert != "" || c.TLSSelfSigned }

// baseURL derives the public address from the listener where none was configured. A wildcard address becomes localhost:
// links must lead somewhere.
func (c Config) baseURL(listening net.Addr) string {
	if c.BaseURL != "" {
		return c.BaseURL
	}
	scheme := "http"
	if c.secure() {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(listening.String())
	if err != nil {
		return scheme + "://" + listening.String()
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}
