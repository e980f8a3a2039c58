package client

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
)

// Receipt says what became of an event: it is stored, and everybody who gets it is known.
type Receipt struct {
	Event      string `json:"event"`
	Run        string `json:"run,omitempty"`
	Sequence   *int64 `json:"sequence,omitempty"`
	Duplicate  bool   `json:"duplicate"` // it was known already; Event is the known one
	Deliveries int    `json:"deliveries"`
}

// Send hands events in, as JSON documents of the API's form, all or none. Events that all carry a "key" are tried again
// when no answer comes: a repeat does no harm.
func (c *Client) Send(ctx context.Context, events []json.RawMessage) ([]Receipt, error) {
	body := append([]byte{'['}, bytes.Join(raws(events), []byte{','})...)
	var answer struct {
		Receipts []Receipt `json:"receipts"`
	}
	err := c.try(ctx, request{
		method: http.MethodPost, path: "/v1/events", body: append(body, ']'), media: "application/json", repeatable: keyed(events),
	}, &answer)
	return answer.Receipts, err
}

func raws(events []json.RawMessage) [][]byte {
	list := make([][]byte, len(events))
	for i, e := range events {
		list[i] = e
	}
	return list
}

// keyed reports whether every event has a key.
func keyed(events []json.RawMessage) bool {
	for _, e := range events {
		var head struct {
			Key string `json:"key"`
		}
		if json.Unmarshal(e, &head) != nil || head.Key == "" {
			return false
		}
	}
	return true
}
