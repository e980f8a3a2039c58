package bench

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Bare is what a client reached that does nothing but POST.
type Bare struct {
	Requests int64         `json:"requests"`
	Elapsed  time.Duration `json:"elapsed_ns"`
	CPU      float64       `json:"cpu_us"` // of a request, seen from outside
}

// PostBare is the limit that Carillon is compared with: it signs and POSTs the same body over kept-alive connections to
// the receiver, as many at once as asked, for a while. It runs in a process of its own, so that its CPU can be told from
// the receiver's.
func PostBare(ctx context.Context, url string, body []byte, secret string, concurrency int, lasting time.Duration) (Bare, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConns: concurrency, MaxIdleConnsPerHost: concurrency, DisableCompression: true}}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, lasting)
	defer cancel()
	var done atomic.Int64
	var failure atomic.Value
	var posting sync.WaitGroup
	started := time.Now()
	for range concurrency {
		posting.Go(func() {
			for ctx.Err() == nil {
				if err := postOnce(ctx, client, url, body, secret); err != nil {
					if ctx.Err() == nil {
						failure.Store(err)
					}
					return
				}
				done.Add(1)
			}
		})
	}
	posting.Wait()
	if err, failed := failure.Load().(error); failed {
		return Bare{}, fmt.Errorf("post to the receiver: %w", err)
	}
	return Bare{Requests: done.Load(), Elapsed: time.Since(started)}, nil
}

func postOnce(ctx context.Context, client *http.Client, url string, body []byte, secret string) error {
	mac := hmac.New(sha512.New, []byte(secret))
	_, _ = mac.Write(body)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Signature", hex.EncodeToString(mac.Sum(nil)))
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}
