package spacelift

import (
	"carillon/internal/event"
	"carillon/internal/subscription"
)

// Notices returns what the platform says of an event (§4.3). Whoever takes everything gets run events only; the rest must
// be named, as it would break receivers that expect a run (§8).
func (*Dialect) Notices(e *event.Event) []subscription.Notice {
	switch e.Kind {
	case event.KindRun:
		if e.Run != nil && e.Workspace != nil && stepOf(e).word != "" {
			return []subscription.Notice{{Name: triggerRun, Triggers: []string{triggerRun, policyTrigger(e)}}}
		}
	case event.KindModuleVersion:
		if e.ModuleVersion != nil && e.Workspace != nil {
			return unlisted(wideLevels, triggerModuleVersion, policyTrigger(e))
		}
	case event.KindAccount:
		switch {
		case e.Account == nil, e.Action == actionInbox, e.Source.Metadata[metadataTold] != "":
		case e.Account.Verb != "":
			return unlisted(accountLevels, triggerAudit)
		default:
			return unlisted(wideLevels, triggerInternalError, policyTrigger(e))
		}
	case event.KindNotifier:
		if e.Notifier != nil && e.Action == actionDisabled {
			return unlisted(wideLevels, triggerInternalError, policyTrigger(e))
		}
	case event.KindOther:
		if passes(e, nativeRouted) {
			return unlisted(projectLevels, e.Native.Trigger)
		}
	}
	return nil
}

// actionDisabled is the action of the engine's event that a webhook was switched off.
const actionDisabled = "disabled"

// unlisted is a notice that is called by its first trigger and goes to those who name one of them.
func unlisted(levels []subscription.Level, triggers ...string) []subscription.Notice {
	return []subscription.Notice{{Name: triggers[0], Triggers: triggers, Levels: levels, Unlisted: true}}
}
