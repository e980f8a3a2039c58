package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// answer writes a JSON document.
func (c *call) answer(status int, document any) error {
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false) // for readers, not for pages
	if err := encoder.Encode(document); err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	c.write(status, typeJSON, buf.Bytes())
	return nil
}

// write writes a finished body. That the caller went away meanwhile is nobody's error.
func (c *call) write(status int, contentType string, body []byte) {
	h := c.w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	c.w.WriteHeader(status)
	_, _ = c.w.Write(body)
}

// created answers with a new object and says where it is.
func (c *call) created(location string, document any) error {
	c.w.Header().Set("Location", location)
	return c.answer(http.StatusCreated, document)
}

// none answers without a document.
func (c *call) none() error {
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
