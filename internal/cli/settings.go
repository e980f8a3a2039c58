package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"

	"carillon/internal/strict"
)

// readSettings makes the settings file a source of flags. Its keys are the flags' names, with dashes or underscores;
// keys of a command's flags may stand below the command's name. A key that no flag has is an error: a mistyped setting
// must not be silently ignored.
func readSettings(r io.Reader) (kong.Resolver, error) {
	var document map[string]any
	decoder := yaml.NewDecoder(r)
	if err := decoder.Decode(&document); err != nil && err != io.EOF {
		return nil, usageError{fmt.Errorf("read the settings file: %w", err)}
	}
	return &settings{values: flatten("", document)}, nil
}

// settings resolves flags from a settings file: "listen" or "serve.listen" for --listen of serve.
type settings struct{ values map[string]any }

// Validate refuses keys that name no flag.
func (s *settings) Validate(app *kong.Application) error {
	known := map[string]bool{}
	_ = kong.Visit(app, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			known[flag.Name] = true
		}
		return next(nil)
	})
	for key := range s.values {
		name := key[strings.LastIndex(key, ".")+1:]
		if !known[name] {
			return fmt.Errorf("the settings file has the key %q, and there is no such setting%s", key, suggestion(name, known))
		}
	}
	return nil
}

// Resolve returns the value of a flag, nil when the file has none.
func (s *settings) Resolve(_ *kong.Context, parent *kong.Path, flag *kong.Flag) (any, error) {
	if parent != nil && parent.Command != nil {
		if value, ok := s.values[parent.Command.Name+"."+flag.Name]; ok {
			return value, nil
		}
	}
	return s.values[flag.Name], nil
}

// flatten turns nested keys into dotted ones, and lists into what flags of lists read.
func flatten(prefix string, document map[string]any) map[string]any {
	flat := map[string]any{}
	for key, value := range document {
		name := prefix + strings.ReplaceAll(key, "_", "-")
		switch v := value.(type) {
		case map[string]any:
			for k, inner := range flatten(name+".", v) {
				flat[k] = inner
			}
		case []any:
			texts := make([]string, 0, len(v))
			for _, item := range v {
				texts = append(texts, fmt.Sprint(item))
			}
			flat[name] = strings.Join(texts, ",")
		default:
			flat[name] = fmt.Sprint(v)
		}
	}
	return flat
}

// suggestion names the known setting that a mistyped one most likely means.
func suggestion(name string, known map[string]bool) string {
	if near := strict.Nearest(name, slices.Sorted(maps.Keys(known))); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}
