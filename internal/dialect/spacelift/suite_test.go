package spacelift

import (
	"testing"

	"carillon/internal/dialect"
	"carillon/internal/dialect/dialecttest"
)

var (
	_ dialect.Receiver         = (*Dialect)(nil)
	_ dialect.StandardHeaders  = (*Dialect)(nil)
	_ dialect.LateAddressCheck = (*Dialect)(nil)
	_ dialect.Validator        = (*Dialect)(nil)
	_ dialect.Stepper          = (*Dialect)(nil)
	_ dialect.OpenAddresses    = (*Dialect)(nil)
)

func TestSuite(t *testing.T) {
	t.Parallel()
	dialecttest.Run(t, dialecttest.Suite{Dialect: New()})
}
