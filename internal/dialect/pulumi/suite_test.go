package pulumi

import (
	"testing"

	"carillon/internal/dialect"
	"carillon/internal/dialect/dialecttest"
)

var (
	_ dialect.Verifier        = (*Dialect)(nil)
	_ dialect.Receiver        = (*Dialect)(nil)
	_ dialect.StandardHeaders = (*Dialect)(nil)
	_ dialect.Completer       = (*Dialect)(nil)
)

func TestSuite(t *testing.T) {
	t.Parallel()
	dialecttest.Run(t, dialecttest.Suite{
		Dialect: New(),
		Silent: []string{
			"import_succeeded", "import_failed", "deployment_file_ingestion_failed", "drift_remediation_succeeded", "drift_remediation_failed",
			"environment_revision_retracted", "environment_revision_tag_created", "environment_revision_tag_updated", "environment_revision_tag_deleted",
			"imported_environment_changed", "environment_rotation_succeeded", "environment_rotation_failed", groupChangeRequests,
			"change_request_created", "change_request_updated", "change_request_approved", "change_request_unapproved",
			"change_request_closed", "change_request_applied", "change_request_submitted",
			"deployment_queued", "deployment_started", "deployment_succeeded", "deployment_failed",
		},
	})
}
