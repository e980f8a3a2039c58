package server

import (
	"fmt"
	"strings"

	"carillon/internal/dialect"
)

// configure hands "dialect.option=value" settings to the dialects that they are meant for. A setting that no dialect takes
// is an error: a mistyped one must not be silently ignored.
func configure(dialects []dialect.Dialect, settings []string) error {
	byDialect := make(map[string]map[string]string)
	for _, setting := range settings {
		key, value, given := strings.Cut(setting, "=")
		name, option, named := strings.Cut(strings.TrimSpace(key), ".")
		if !given || !named || option == "" {
			return fmt.Errorf("--dialect-option must be DIALECT.OPTION=VALUE, not %q", setting)
		}
		if byDialect[name] == nil {
			byDialect[name] = make(map[string]string)
		}
		byDialect[name][option] = strings.TrimSpace(value)
	}
	for _, d := range dialects {
		options, some := byDialect[d.Name()]
		if !some {
			continue
		}
		delete(byDialect, d.Name())
		configurable, ok := d.(dialect.Configurable)
		if !ok {
			return fmt.Errorf("--dialect-option: the dialect %s has no options", d.Name())
		}
		if err := configurable.Configure(options); err != nil {
			return fmt.Errorf("--dialect-option: configure the dialect %s: %w", d.Name(), err)
		}
	}
	for name := range byDialect {
		return fmt.Errorf("--dialect-option: there is no dialect %q", name)
	}
	return nil
}
