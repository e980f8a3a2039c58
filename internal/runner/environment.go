package runner

import "strings"

// Environment is a process environment: "NAME=value" entries, of which the last one of a name counts.
type Environment []string

// Get returns the value of a variable, "" when it is not set.
func (e Environment) Get(name string) string {
	for i := len(e) - 1; i >= 0; i-- {
		if key, value, ok := strings.Cut(e[i], "="); ok && key == name {
			return value
		}
	}
	return ""
}

// First returns the first of the variables that is not empty.
func (e Environment) First(names ...string) string {
	for _, name := range names {
		if value := e.Get(name); value != "" {
			return value
		}
	}
	return ""
}
