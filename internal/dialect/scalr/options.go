package scalr

import (
	"fmt"
	"strconv"
	"time"

	"carillon/internal/dialect"
)

var _ dialect.Configurable = (*Dialect)(nil)

// Configure reads the settings of the installation: reveal_secrets (§5.6), discarded_is_errored (§4.2), max_timeout in
// seconds (§2.2).
func (d *Dialect) Configure(options map[string]string) error {
	for name, value := range options {
		var err error
		switch name {
		case "reveal_secrets":
			d.RevealSecrets, err = strconv.ParseBool(value)
		case "discarded_is_errored":
			d.DiscardedIsErrored, err = strconv.ParseBool(value)
		case "max_timeout":
			var seconds int
			if seconds, err = strconv.Atoi(value); err == nil && (seconds < 1 || seconds > 3600) {
				err = fmt.Errorf("%d is not between 1 and 3600 seconds", seconds)
			}
			d.MaxTimeout = time.Duration(seconds) * time.Second
		default:
			return fmt.Errorf("there is no option %q; known ones are reveal_secrets, discarded_is_errored, max_timeout", name)
		}
		if err != nil {
			return fmt.Errorf("read the option %s: %w", name, err)
		}
	}
	return nil
}
