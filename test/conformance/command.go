package conformance

import "testing"

// Program returns the path of the program that Start starts, for tests that use its other commands.
func Program(t testing.TB) string {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
