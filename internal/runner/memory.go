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

// Memory remembers the last health assessment of each workspace in a directory, so that the next one can tell what is new.
// Without it every assessment of a drifted workspace looks like the first.
type Memory struct {
	Dir string
}

// Compare joins a result with the one remembered for the place. Without one, or with one that can not be read, there is
// no prior result.
func (m Memory) Compare(place Place, result event.AssessmentResult) event.Assessment {
	a := event.Assessment{New: result}
	text, err := os.ReadFile(m.path(place))
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

// Keep remembers a result in place of the one before. It is called once the result has been told.
func (m Memory) Keep(place Place, result event.AssessmentResult) error {
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
		err = os.Rename(fresh.Name(), m.path(place))
	}
	if err != nil {
		_ = os.Remove(fresh.Name())
		return fmt.Errorf("remember an assessment: %w", err)
	}
	return nil
}

// path is the file of a place. Names can hold anything, so the file is named by what they hash to.
func (m Memory) path(place Place) string {
	return filepath.Join(m.Dir, ident.Derive(place.Organization, place.Project, place.Name).String()+".json")
}
