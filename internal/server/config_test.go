package server

import (
	"net"
	"strings"
	"testing"
)

func TestConfigRefusesWhatCanNotWork(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		config Config
		names  string // what the message must name
	}{
		"no storage":            {Config{}, "--data"},
		"not postgres":          {Config{DatabaseURL: "mysql://x/y"}, "--database"},
		"certificate alone":     {Config{DataDir: "d", TLSCert: "c"}, "--tls-key"},
		"two certificates":      {Config{DataDir: "d", TLSCert: "c", TLSKey: "k", TLSSelfSigned: true}, "--tls-self-signed"},
		"self-signed, no data":  {Config{DatabaseURL: "postgres://h/d", TLSSelfSigned: true}, "--data"},
		"base URL without host": {Config{DataDir: "d", BaseURL: "carillon.example.com"}, "--base-url"},
		"base URL with query":   {Config{DataDir: "d", BaseURL: "https://c.example?x=1"}, "--base-url"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := c.config.withDefaults(); err == nil || !strings.Contains(err.Error(), c.names) {
				t.Errorf("err = %v, want one that names %s", err, c.names)
			}
		})
	}
}

func TestBaseURLFollowsTheListener(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		config Config
		addr   net.TCPAddr
		want   string
	}{
		"loopback":   {Config{}, net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}, "http://127.0.0.1:8080"},
		"wildcard":   {Config{}, net.TCPAddr{IP: net.IPv6zero, Port: 80}, "http://localhost:80"},
		"tls":        {Config{TLSSelfSigned: true}, net.TCPAddr{IP: net.IPv6loopback, Port: 1}, "https://[::1]:1"},
		"configured": {Config{BaseURL: "https://c.example"}, net.TCPAddr{Port: 1}, "https://c.example"},
	}
	for name, c := range cases {
		if got := c.config.baseURL(&c.addr); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
