package dialect

// Configurable is a dialect with settings of its own that hold for the whole installation.
type Configurable interface {
	// Configure takes the settings by their names, before the dialect is used. It refuses those that it does not know and
	// values that it can not read.
	Configure(options map[string]string) error
}
