package tfe

import (
	"testing"

	"carillon/internal/dialect"
	"carillon/internal/dialect/dialecttest"
)

var (
	_ dialect.Verifier        = (*Dialect)(nil)
	_ dialect.Suppressor      = (*Dialect)(nil)
	_ dialect.Receiver        = (*Dialect)(nil)
	_ dialect.StandardHeaders = (*Dialect)(nil)
	_ dialect.Audience        = (*Dialect)(nil)
)

func TestSuite(t *testing.T) {
	t.Parallel()
	dialecttest.Run(t, dialecttest.Suite{Dialect: New()})
}
