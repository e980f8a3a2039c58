package scalr

import (
	"testing"

	"carillon/internal/dialect"
	"carillon/internal/dialect/dialecttest"
	"carillon/internal/subscription"
)

var (
	_ dialect.Dialect          = (*Dialect)(nil)
	_ dialect.StandardHeaders  = (*Dialect)(nil)
	_ dialect.LateAddressCheck = (*Dialect)(nil)
	_ dialect.Detached         = (*Dialect)(nil)
	_ dialect.Validator        = (*Dialect)(nil)
	_ dialect.Receiver         = (*Dialect)(nil)
)

func TestSuite(t *testing.T) {
	t.Parallel()
	dialecttest.Run(t, dialecttest.Suite{Dialect: New()})
}

// TestSuiteWithEndpoints runs the suite for webhooks of the first generation.
func TestSuiteWithEndpoints(t *testing.T) {
	t.Parallel()
	dialecttest.Run(t, dialecttest.Suite{Dialect: New(), Prepare: func(s *subscription.Subscription) { s.EndpointID = sampleEndpoint }})
}
