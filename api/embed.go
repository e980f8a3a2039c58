// Package api holds the description of Carillon's own HTTP API, as it is served at /v1/openapi.yaml and
// /v1/openapi.json. The YAML file is written by hand; tests hold it and the server against each other.
package api

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"gopkg.in/yaml.v3"
)

//go:embed openapi.yaml
var document string

// YAML returns the OpenAPI document as it was written.
func YAML() []byte { return []byte(document) }

// JSON returns the same document as JSON.
func JSON() ([]byte, error) {
	var parsed any
	if err := yaml.Unmarshal([]byte(document), &parsed); err != nil {
		return nil, fmt.Errorf("read openapi.yaml: %w", err)
	}
	body, err := json.Marshal(parsed)
	if err != nil {
		return nil, fmt.Errorf("write openapi.json: %w", err)
	}
	return body, nil
}
