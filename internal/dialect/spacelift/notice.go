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
			return []subscription.Notice{{Name: triggerRun, Triggers: []string{triggerRun}}}
		}
	case event.KindModuleVersion:
		if e.ModuleVersion != nil && e.Workspace != nil {
			return unlisted(triggerModuleVersion, wideLevels)
		}
	case event.KindAccount:
		switch {
		case e.Account == nil, e.Source.Metadata[metadataTold] != "":
		case e.Account.Verb != "":
			return unlisted(triggerAudit, accountLevels)
		default:
			return unlisted(triggerInternalError, wideLevels)
		}
	case event.KindNotifier:
		if e.Notifier != nil && e.Action == actionDisabled {
			return unlisted(triggerInternalError, wideLevels)
		}
	}
	return nil
}

// actionDisabled is the action of the engine's event that a webhook was switched off.
const actionDisabled = "disabled"

func unlisted(trigger string, levels []subscription.Level) []subscription.Notice {
	return []subscription.Notice{{Name: trigger, Triggers: []string{trigger}, Levels: levels, Unlisted: true}}
}
