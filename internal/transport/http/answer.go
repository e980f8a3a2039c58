package http

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"carillon/internal/delivery"
)

// answer is what came back.
type answer struct {
	response   *delivery.Response
	retryAfter time.Duration
	detail     string
}

// readAnswer reads the body as far as it is kept. The status counts even when the body does not end properly: the receiver
// has said what became of the delivery. complete is true when the answer was read to its end.
func readAnswer(resp *http.Response, keep int) (got answer, complete bool) {
	got.response = &delivery.Response{Status: resp.StatusCode, Header: resp.Header}
	if resp.StatusCode >= 300 {
		got.retryAfter = retryAfter(resp.Header, time.Now())
	}
	body, err := readBody(resp, keep)
	got.response.Body = body
	switch {
	case err == nil:
		return got, true
	case errors.Is(err, errTooLong):
		got.detail = "the answer's body is longer than what is kept"
	case isTimeout(err):
		got.detail = "the answer's body did not end in time"
	default:
		got.detail = "the connection broke inside the answer's body"
	}
	got.response.Truncated = true
	return got, false
}

var errTooLong = errors.New("body too long")

// readBody returns at most keep bytes; errTooLong says that there are more.
func readBody(resp *http.Response, keep int) ([]byte, error) {
	switch {
	case resp.Body == http.NoBody || resp.ContentLength == 0:
		return nil, nil
	case resp.ContentLength > int64(keep):
		body := make([]byte, keep)
		n, err := io.ReadFull(resp.Body, body)
		if err == nil {
			err = errTooLong
		}
		return body[:n], err
	case resp.ContentLength > 0:
		body := make([]byte, resp.ContentLength)
		n, err := io.ReadFull(resp.Body, body)
		return body[:n], err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, int64(keep)+1))
	if len(body) > keep {
		return body[:keep], errTooLong
	}
	return body, err
}

// maxRetryAfter keeps absurd wishes from overflowing; policies cap far below it.
const maxRetryAfter = 365 * 24 * time.Hour

// retryAfter reads the receiver's wish: seconds or a date (RFC 9110, section 10.2.3).
func retryAfter(header http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(header.Get("Retry-After"))
	if text == "" {
		return 0
	}
	if strings.Trim(text, "0123456789") == "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds > int64(maxRetryAfter/time.Second) {
			return maxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}
