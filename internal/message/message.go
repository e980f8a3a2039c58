// Package message builds what people read: Slack messages, Teams cards and mail bodies, with the escaping and the size
// limits that those services ask for.
//
// It knows the services, and no platform, event or subscription: the dialects fill the forms that are here. Everything is
// pure, and equal input gives equal bytes. It never sends anything.
package message

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// JSON encodes v compactly with the keys in the order of its fields. Unlike json.Marshal it leaves <, > and & as they
// are, because Slack's and Teams' own escapes contain them, and it adds no newline.
func JSON(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode message: %w", err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}
