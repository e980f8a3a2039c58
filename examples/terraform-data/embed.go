// Package terraformdata holds the example's configuration and the events of its recorded runs, for programs that show how
// Carillon works: with a real Terraform where one is installed, with the recording elsewhere.
package terraformdata

import (
	"bufio"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"time"
)

//go:embed main.tf recorded.jsonl
var files embed.FS

// Configuration holds main.tf alone.
func Configuration() ([]byte, error) { return files.ReadFile("main.tf") }

// Step is one recorded event.
type Step struct {
	After time.Duration   // since the first event of the recording
	Event json.RawMessage // the event in its neutral form
}

// Recording returns the recorded events in order: an apply that somebody approves, an apply that replaces resources, and a
// destroy. Each run's events share a source_id.
func Recording() ([]Step, error) {
	file, err := files.Open("recorded.jsonl")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return read(file)
}

func read(file fs.File) ([]Step, error) {
	var steps []Step
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		var line struct {
			After int64           `json:"after_ms"`
			Event json.RawMessage `json:"event"`
		}
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			return nil, fmt.Errorf("read the recording: %w", err)
		}
		steps = append(steps, Step{After: time.Duration(line.After) * time.Millisecond, Event: line.Event})
	}
	return steps, scanner.Err()
}
