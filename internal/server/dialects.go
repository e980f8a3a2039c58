package server

import (
	"carillon/internal/dialect"
	"carillon/internal/dialect/pulumi"
	"carillon/internal/dialect/scalr"
	"carillon/internal/dialect/spacelift"
	"carillon/internal/dialect/tfe"
)

// dialects lists the platforms whose language Carillon speaks: one line each.
func dialects() []dialect.Dialect {
	return []dialect.Dialect{
		tfe.New(),
		pulumi.New(),
		scalr.New(),
		spacelift.New(),
	}
}
