package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Receipt says what became of an event: it is stored, and everybody who gets it is known.
type Receipt struct {
	Event      string `json:"event"`
	Run        string `json:"run,omitempty"`
	Sequence   *int64 `json:"sequence,omitempty"` // of the step in its run
	Duplicate  bool   `json:"duplicate"`          // it was known already; Event is the known one
	Deliveries int    `json:"deliveries"`
}

// Send hands events in, as JSON documents of the API's form: at most 1000, all or none. The request carries a key of its
// own, from which events without a "key" get theirs, so that trying again stores nothing twice.
func (c *Client) Send(ctx context.Context, events []json.RawMessage) ([]Receipt, error) {
	if len(events) == 0 {
		return nil, nil
	}
	body, err := json.Marshal(events)
	if err != nil {
		return nil, fmt.Errorf("encode the events: %w", err)
	}
	var answer struct {
		Receipts []Receipt `json:"receipts"`
	}
	r := request{method: http.MethodPost, path: "/v1/events", body: body, media: typeJSON, key: rand.Text(), repeatable: true}
	if err := c.try(ctx, r, func(body []byte) error { return json.Unmarshal(body, &answer) }); err != nil {
		return nil, err
	}
	if len(answer.Receipts) != len(events) {
		return nil, fmt.Errorf("the server gave %d receipts for %d events", len(answer.Receipts), len(events))
	}
	return answer.Receipts, nil
}

// LineResult is what became of one line of a stream. Exactly one of Receipt and Error is set. The last line of an answer
// may have an Error that says why the lines without a result were not taken.
type LineResult struct {
	Line    int      `json:"line"`
	Receipt *Receipt `json:"receipt"`
	Error   *Problem `json:"error"`
}

// SendLines hands in a stream of events, one JSON document a line: at most 16 MiB, each line by itself. Events without a
// key get one from key and the line's number: sending the same lines under the same key again stores nothing twice. An
// empty key is replaced by a random one.
func (c *Client) SendLines(ctx context.Context, key string, lines io.Reader) ([]LineResult, error) {
	body, err := io.ReadAll(lines)
	if err != nil {
		return nil, fmt.Errorf("read the events: %w", err)
	}
	if key == "" {
		key = rand.Text()
	}
	var results []LineResult
	r := request{method: http.MethodPost, path: "/v1/events", body: body, media: typeNDJSON, key: key, repeatable: true}
	err = c.try(ctx, r, func(body []byte) error {
		results = nil
		for decoder := json.NewDecoder(bytes.NewReader(body)); ; {
			var result LineResult
			if err := decoder.Decode(&result); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
			results = append(results, result)
		}
	})
	return results, err
}

// Event returns a stored event with its deliveries.
func (c *Client) Event(ctx context.Context, id string) (event json.RawMessage, deliveries []Delivery, err error) {
	var answer struct {
		Event      json.RawMessage `json:"event"`
		Deliveries []Delivery      `json:"deliveries"`
	}
	err = c.Call(ctx, http.MethodGet, "/v1/events/"+url.PathEscape(id), nil, &answer)
	return answer.Event, answer.Deliveries, err
}
