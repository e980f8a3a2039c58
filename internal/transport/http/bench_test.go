//go:build unix

package http_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/guard"
	"carillon/internal/transport"
	transporthttp "carillon/internal/transport/http"
)

func startSink(b *testing.B) (addr string) {
	b.Helper()
	sink := exec.Command(os.Args[0])
	sink.Env = append(os.Environ(), sinkVariable+"=1")
	out, err := sink.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := sink.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = sink.Process.Kill(); _ = sink.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// inParallel calls send b.N times from 16 goroutines and reports the CPU of this process per call.
func inParallel(b *testing.B, send func()) {
	b.ReportAllocs()
	before := cpuTime(b)
	b.ResetTimer()
	var senders sync.WaitGroup
	const n = 16
	for i := range n {
		senders.Go(func() {
			for range (b.N + i) / n {
				send()
			}
		})
	}
	senders.Wait()
	b.StopTimer()
	b.ReportMetric(float64((cpuTime(b)-before).Nanoseconds())/1e3/float64(b.N), "cpu-us/op")
}

func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

var benchBody = bytes.Repeat([]byte("x"), 1024)

var benchHeader = [][2]string{
	{"Content-Type", "application/json"}, {"User-Agent", "Carillon/1.0 (+https://carillon.example)"},
	{"X-Signature", "0123456789012345678901234567890123456789012345678901234567890123"},
}

// BenchmarkSend is one attempt as the dispatcher makes it. BenchmarkBareClient is what it is measured against.
func BenchmarkSend(b *testing.B) {
	addr := startSink(b)
	g, err := guard.New(guard.Options{Allow: []string{"127.0.0.1"}})
	if err != nil {
		b.Fatal(err)
	}
	t := transporthttp.New(transporthttp.Options{Guard: g})
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	inParallel(b, func() {
		msg := &delivery.Message{URL: "http://" + addr + "/hook", Body: benchBody}
		for _, field := range benchHeader {
			msg.Add(field[0], field[1])
		}
		if result := t.Send(ctx, transport.Lane{Key: "d", Concurrency: 16}, msg); !result.OK() {
			b.Error(result)
		}
	})
	_ = t.Close()
}

// BenchmarkBareClient is a loop of nothing but http.Client.Do.
func BenchmarkBareClient(b *testing.B) {
	addr := startSink(b)
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	inParallel(b, func() {
		req, err := http.NewRequest("POST", "http://"+addr+"/hook", bytes.NewReader(benchBody))
		if err != nil {
			b.Error(err)
			return
		}
		for _, field := range benchHeader {
			req.Header.Set(field[0], field[1])
		}
		resp, err := client.Do(req)
		if err != nil {
			b.Error(err)
			return
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	})
	client.CloseIdleConnections()
}
