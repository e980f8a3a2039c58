package spacelift

import (
	"carillon/internal/dialect"
	"carillon/internal/subscription"
)

// What a subscription may name. The first is also the body's event_type; the platform itself has no such choice: stack and
// module webhooks get every transition (§4.3).
const (
	triggerRun           = "run_state_changed_event"
	triggerModuleVersion = "module_version_changed_event"
	triggerInternalError = "internal_error"
	triggerAudit         = "audit_trail_event"
)

// Levels of the notices: stack webhooks get run events and nothing else (§8).
var (
	wideLevels    = []subscription.Level{subscription.LevelOrganization, subscription.LevelProject}
	projectLevels = []subscription.Level{subscription.LevelProject}
	accountLevels = []subscription.Level{subscription.LevelOrganization}
)

// Triggers lists what subscriptions of a level may name.
func (*Dialect) Triggers(level subscription.Level) []dialect.Trigger {
	run := dialect.Trigger{Value: triggerRun, Title: "Run state changed", Group: "Runs"}
	version := dialect.Trigger{Value: triggerModuleVersion, Title: "Module version changed", Group: "Modules"}
	internal := dialect.Trigger{Value: triggerInternalError, Title: "Internal error", Group: "Account"}
	audit := dialect.Trigger{Value: triggerAudit, Title: "Audit trail", Group: "Account"}
	switch level {
	case subscription.LevelWorkspace:
		return []dialect.Trigger{run}
	case subscription.LevelProject:
		return []dialect.Trigger{run, version, internal}
	case subscription.LevelOrganization:
		return []dialect.Trigger{run, version, internal, audit}
	}
	return nil
}
