package tfe

import (
	"encoding/json"
	"strings"

	"carillon/internal/dialect"
	"carillon/internal/event"
)

// receiveRun reads version 1: one event for each element of notifications, of which there is one today (§9).
func receiveRun(in dialect.Inbound) dialect.Received {
	var p runPayload
	if err := json.Unmarshal(lenientVersion(in.Body), &p); err != nil || len(p.Notifications) == 0 {
		return dialect.Received{Events: []event.Event{unknown(in)}}
	}
	var received dialect.Received
	for _, n := range p.Notifications {
		if n.Trigger == triggerVerification {
			received.Verified = true
			continue
		}
		received.Events = append(received.Events, runEvent(in, &p, n))
	}
	return received
}

func runEvent(in dialect.Inbound, p *runPayload, n runNotification) event.Event {
	native, status := n.Trigger, event.Status(value(n.RunStatus))
	if n.TriggerType != "" {
		native = n.TriggerType
	}
	if !isRunTrigger(native) || !known(status) {
		return unknown(in)
	}
	e := newEvent(in, event.KindRun, event.Native{Kind: "run", Trigger: native})
	e.Key = key("run", value(p.RunID), string(status), value(n.RunUpdatedAt))
	e.OccurredAt = momentOr(value(n.RunUpdatedAt), in.At)
	e.Actor = person(n.RunUpdatedBy)
	inOrganization(&e, value(p.Organization))
	inWorkspace(&e, value(p.WorkspaceID), value(p.WorkspaceName))
	e.Run = &event.Run{
		SourceID: value(p.RunID), ExternalIDs: map[string]string{Name: value(p.RunID)}, Message: value(p.RunMessage), URL: value(p.RunURL),
		Status: status, NativeStatus: string(status), Awaiting: saysWaiting(native, n.Message), Service: true,
		CreatedAt: moment(value(p.RunCreatedAt)), CreatedBy: person(p.RunCreatedBy),
	}
	return e
}

// isRunTrigger reports whether the value is one that run payloads carry.
func isRunTrigger(value string) bool {
	return strings.HasPrefix(value, "run:") && offered(value, "workspace")
}

// saysWaiting reads from the trigger whether a person must act. Two stages fire either way; there the text tells (§9).
func saysWaiting(trigger, message string) bool {
	switch trigger {
	case runNeedsAttention, runPendingApproval, runPolicyOverride:
		return true
	case runCostEstimated, runPoliciesChecked:
		return strings.HasSuffix(message, "Needs Confirmation")
	}
	return false
}

// lenientVersion removes the payload's version from a document: it comes as a number or as a string and decides nothing
// (§8, §9).
func lenientVersion(body []byte) []byte {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return body
	}
	delete(fields, "payload_version")
	rest, err := json.Marshal(fields)
	if err != nil {
		return body
	}
	return rest
}
