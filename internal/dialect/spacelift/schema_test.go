package spacelift

import (
	"testing"
)

// TestSchema parses the schema against the resolvers, and holds it against the contract's.
func TestSchema(t *testing.T) {
	t.Parallel()
	newSchema(&api{})
	same(t, schemaText, file(t, "schema.graphql"))
}
