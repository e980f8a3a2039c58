package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// runLength is how many events of one run follow each other.
const runLength = 6

// statuses are those steps of a run that subscriptions of the measurements hear of.
var statuses = [runLength]string{"pending", "planning", "planned", "applying", "applied", "errored"}

// load hands events in.
type load struct {
	url       string
	token     string
	workers   int
	rate      float64 // events a second, 0 unbounded
	workspace func(n int64) string
	healthy   func(n int64) int64 // deliveries to healthy destinations that an event of a run causes

	accepted atomic.Int64
	owed     atomic.Int64 // deliveries to healthy destinations
	refused  atomic.Int64
	next     atomic.Int64
}

// run hands events in for a while and returns how long it took.
func (l *load) run(ctx context.Context, lasting time.Duration) time.Duration {
	transport := &http.Transport{MaxIdleConns: l.workers, MaxIdleConnsPerHost: l.workers, DisableCompression: true}
	client := &http.Client{Transport: transport}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, lasting)
	defer cancel()
	started := time.Now()
	tickets := l.tickets(ctx)
	var posting sync.WaitGroup
	for worker := range l.workers {
		posting.Go(func() { l.work(ctx, client, worker, tickets) })
	}
	posting.Wait()
	return time.Since(started)
}

// tickets paces the workers: each event takes one. A nil channel means that nobody waits.
func (l *load) tickets(ctx context.Context) <-chan struct{} {
	if l.rate == 0 {
		return nil
	}
	tickets := make(chan struct{}, 1)
	go func() {
		defer close(tickets)
		tick := time.NewTicker(time.Duration(float64(time.Second) / l.rate))
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			select {
			case tickets <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return tickets
}

// work hands in one run after another, each step after the one before it.
func (l *load) work(ctx context.Context, client *http.Client, worker int, tickets <-chan struct{}) {
	var buffer bytes.Buffer
	for ctx.Err() == nil {
		run := l.next.Add(1)
		for step := range runLength {
			if tickets != nil {
				if _, ok := <-tickets; !ok {
					return
				}
			}
			if ctx.Err() != nil {
				return
			}
			l.describe(&buffer, worker, run, step)
			if err := l.post(ctx, client, buffer.Bytes()); err != nil {
				if ctx.Err() == nil {
					l.refused.Add(1)
				}
				continue
			}
			l.accepted.Add(1)
			l.owed.Add(l.healthy(run))
		}
	}
}

// sample is one event, the first of a run.
func (l *load) sample() json.RawMessage {
	var buffer bytes.Buffer
	l.describe(&buffer, 0, 0, 0)
	return buffer.Bytes()
}

// describe writes one event of about a kilobyte: a step of a run.
func (l *load) describe(to *bytes.Buffer, worker int, run int64, step int) {
	now := time.Now()
	to.Reset()
	fmt.Fprintf(to, `{"kind":"run","occurred_at":%q,"actor":{"id":"user-1","name":"sample-user","email":"sample-user@example.com"},`+
		`"organization":{"name":%q},"workspace":{"name":%q,"repository":"acme/network","vcs":"github","tags":["production","network"]},`+
		`"run":{"source_id":"bench-%d-%d","message":"Add five new queue workers, `+stampMark+`%s",`+
		`"url":"https://ci.example.com/acme/network/actions/runs/%d","operation":"apply","status":%q,"awaiting":%t,`+
		`"created_at":"2026-11-22T04:00:00Z","created_by":{"name":"sample-user","email":"sample-user@example.com"},`+
		`"origin":"cli","branch":"main","commit":{"hash":"4f7c1d2e9b8a7f6e5d4c3b2a190817263544f3a1",`+
		`"message":"Add five new queue workers","author_name":"Sample User","author_login":"sample-user",`+
		`"url":"https://github.com/acme/network/commit/4f7c1d2e9b8a7f6e5d4c3b2a190817263544f3a1"},`+
		`"has_changes":true,"auto_apply":true,"changes":{"add":5,"change":2,"destroy":1},"labels":["nightly","production"]}}`,
		now.UTC().Format(time.RFC3339Nano), organization, l.workspace(run), worker, run,
		strconv.FormatInt(now.UnixNano(), 10), run, statuses[step], statuses[step] == "planned")
}

func (l *load) post(ctx context.Context, client *http.Client, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url+"/v1/events", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+l.token)
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusAccepted {
		return fmt.Errorf("the event was answered with %d", response.StatusCode)
	}
	return nil
}
