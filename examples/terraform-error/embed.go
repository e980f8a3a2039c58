// Package terraformerror holds the configuration of an example that fails while it is applied, and the events of its
// recorded run.
package terraformerror

import _ "embed" // for the files below

//go:embed main.tf
var configuration string

//go:embed recorded.jsonl
var recording string

// Configuration returns main.tf.
func Configuration() string { return configuration }

// Recording returns the recorded run: one event a line, in its neutral form.
func Recording() string { return recording }
