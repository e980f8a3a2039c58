package smtp_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
)

// Resolvers that have one answer for every name.
type (
	loopback struct{}
	metadata struct{}
	nowhere  struct{}
)

func (loopback) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}

func (metadata) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("169.254.169.254")}, nil
}

func (nowhere) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// listen accepts connections and hands each to handle.
func listen(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var handlers sync.WaitGroup
	handlers.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			handlers.Go(func() {
				defer c.Close()
				handle(c)
			})
		}
	})
	t.Cleanup(func() { _ = listener.Close(); handlers.Wait() })
	return listener.Addr().String()
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// tlsFront takes TLS off and passes the rest on.
func tlsFront(t *testing.T, config *tls.Config, to string) string {
	t.Helper()
	return listen(t, func(raw net.Conn) {
		c := tls.Server(raw, config)
		behind, err := net.Dial("tcp", to)
		if err != nil {
			t.Error(err)
			return
		}
		defer behind.Close()
		done := make(chan struct{})
		go func() { defer close(done); _, _ = io.Copy(behind, c); _ = behind.(*net.TCPConn).CloseWrite() }()
		_, _ = io.Copy(c, behind)
		_ = c.Close()
		<-done
	})
}
