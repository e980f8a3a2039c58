package pulumi

import (
	"strconv"

	"carillon/internal/fault"
	"carillon/internal/subscription"
)

// Validate holds webhooks that are made through another face to the platform's rules too: what its clients could not have
// made they could not read either (§5.5).
func (*Dialect) Validate(s *subscription.Subscription, plain subscription.Secrets) error {
	var faults fault.Collector
	for i, scope := range s.Scopes {
		checkScope(&faults, "/scopes/"+strconv.Itoa(i), s, scope.Level)
	}
	if !s.All && len(s.Triggers) == 0 {
		faults.Add("/triggers", "Name a filter or a group, or take all: a webhook without filters takes everything.")
	}
	if s.All && len(s.Triggers) > 0 {
		faults.Add("/triggers", "A webhook that takes everything names no filter and no group.")
	}
	if !isAddress(plain.URL, s.Channel) {
		faults.Add("/url", "The address must be http or https, or project/stack where a deployment is to be started.")
	}
	if len(plain.Secret) > secretLimit {
		faults.Add("/secret", "The secret is too long (maximum is %d bytes).", secretLimit)
	}
	return faults.Err()
}

func checkScope(faults *fault.Collector, pointer string, s *subscription.Subscription, level subscription.Level) {
	switch {
	case level == subscription.LevelProject || level == subscription.LevelTeam:
		faults.Add(pointer+"/level", "Webhooks belong to an organization, a workspace, or an environment.")
		return
	case level == subscription.LevelOrganization && s.Channel == subscription.ChannelTrigger:
		faults.Add(pointer+"/level", "Deployments are started by webhooks of a workspace or an environment only.")
	}
	for i, trigger := range s.Triggers {
		if !isFilter(trigger, level) && !isGroup(trigger, level) {
			faults.Add("/triggers/"+strconv.Itoa(i), "%q is no filter and no group of webhooks of level %q.", trigger, level)
		}
	}
}
