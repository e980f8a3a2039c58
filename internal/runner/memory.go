package runner

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"carillon/internal/event"
	"carillon/internal/ident"
)

// Memory remembers the last health assessment of each subject (a configuration in a directory, say) in files, so that the
// next one can tell what is new. Without it every assessment of something that has drifted looks like the first.
type Memory struct {
	Dir string // "": nothing is remembered
}

// Compare joins a result with the one remembered of the subject. Without one, or with one that can not be read, there is
// no prior result.
func (m Memory) Compare(subject []string, result event.AssessmentResult) event.Assessment {
	a := event.Assessment{New: result}
	if m.Dir == "" {
		return a
	}
	text, err := os.ReadFile(m.path(subject))
	if err != nil {
		return a
	}
	var prior event.AssessmentResult
	if json.Unmarshal(text, &prior) != nil {
		return a
	}
	a.Prior = &prior
	if prior.Succeeded && result.Succeeded {
		a.DriftChanged = new(!slices.Equal(prior.DriftedResourceList, result.DriftedResourceList))
	}
	return a
}

// Keep remembers a result in place of the one before.
func (m Memory) Keep(subject []string, result event.AssessmentResult) error {
	if m.Dir == "" {
		return nil
	}
	body, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("encode an assessment: %w", err)
	}
	if err := os.MkdirAll(m.Dir, 0o700); err != nil {
		return fmt.Errorf("remember an assessment: %w", err)
	}
	fresh, err := os.CreateTemp(m.Dir, ".fresh-*")
	if err != nil {
		return fmt.Errorf("remember an assessment: %w", err)
	}
	_, err = fresh.Write(body)
	if err = errors.Join(err, fresh.Close()); err == nil {
		err = os.Rename(fresh.Name(), m.path(subject))
	}
	if err != nil {
		_ = os.Remove(fresh.Name())
		return fmt.Errorf("remember an assessment: %w", err)
	}
	return nil
}

// path is the file of a subject. Names can hold anything, so the file is named by what they hash to.
func (m Memory) path(subject []string) string {
	return filepath.Join(m.Dir, ident.Derive(subject...).String()+".json")
}
