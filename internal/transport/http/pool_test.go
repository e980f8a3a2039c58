package http

import (
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// piped returns a connection to nobody; gone reports whether it was closed.
func piped(t *testing.T, host string) (c *conn, gone func() bool) {
	t.Helper()
	here, there := net.Pipe()
	t.Cleanup(func() { _ = here.Close(); _ = there.Close() })
	c = newConn(here, here, key{addr: host})
	c.reusable = true
	return c, func() bool { return here.SetDeadline(time.Time{}) != nil }
}

func TestPoolGivesTheMostRecentOfTheHost(t *testing.T) {
	t.Parallel()
	p := &pool{max: 10, timeout: time.Hour}
	defer p.close()
	a1, _ := piped(t, "a")
	b1, _ := piped(t, "b")
	a2, _ := piped(t, "a")
	a3, _ := piped(t, "a")
	for _, c := range []*conn{a1, b1, a2, a3} {
		p.put(c)
	}
	end := time.Now().Add(time.Hour)
	for i, want := range []*conn{a3, a2, a1, nil} {
		if got := p.get(key{addr: "a"}, end); got != want {
			t.Errorf("get %d: another connection", i)
		}
	}
	if p.count != 1 || p.newest != b1 || p.oldest != b1 || !b1.used {
		t.Errorf("count %d", p.count)
	}
	if p.get(key{secure: true, addr: "b"}, end) != nil {
		t.Error("a plain connection was given for a secure one")
	}
}

func TestPoolKeepsNoMoreThanItMay(t *testing.T) {
	t.Parallel()
	p := &pool{max: 2, timeout: time.Hour}
	defer p.close()
	a, aGone := piped(t, "a")
	b, bGone := piped(t, "b")
	c, cGone := piped(t, "a")
	p.put(a)
	p.put(b)
	p.put(c)
	if !aGone() || bGone() || cGone() || p.count != 2 {
		t.Error("the oldest was to be closed, and it alone")
	}
	if got := p.get(key{addr: "a"}, time.Now().Add(time.Hour)); got != c {
		t.Error("another connection")
	}
}

func TestPoolClosesWhatCanNotServeAgain(t *testing.T) {
	t.Parallel()
	p := &pool{max: 2, timeout: time.Hour}
	defer p.close()
	c, gone := piped(t, "a")
	c.reusable = false
	p.put(c)
	if !gone() || p.count != 0 {
		t.Error("kept")
	}
}

func TestPoolExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pool{max: 10, timeout: time.Minute}
		a, aGone := piped(t, "a")
		b, bGone := piped(t, "b")
		p.put(a)
		time.Sleep(40 * time.Second)
		p.put(b)
		time.Sleep(21 * time.Second)
		synctest.Wait()
		if !aGone() || bGone() {
			t.Error("after 61 s the first was to be closed, and it alone")
		}
		time.Sleep(40 * time.Second)
		synctest.Wait()
		if !bGone() || p.count != 0 || p.timer != nil {
			t.Error("after 101 s nothing was to be left")
		}
		c, cGone := piped(t, "c")
		p.put(c)
		p.close()
		if !cGone() {
			t.Error("not closed")
		}
		d, dGone := piped(t, "d")
		p.put(d)
		if !dGone() || p.count != 0 {
			t.Error("kept after the end")
		}
	})
}

func TestPoolForgetsHosts(t *testing.T) {
	t.Parallel()
	p := &pool{}
	for range maxHTTP2 + 1 {
		p.markHTTP2(key{addr: time.Duration(len(p.http2)).String()})
	}
	if len(p.http2) > maxHTTP2 {
		t.Errorf("%d hosts remembered", len(p.http2))
	}
}
