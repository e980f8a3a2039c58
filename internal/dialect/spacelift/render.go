package spacelift

import (
	"fmt"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/message"
	"carillon/internal/subscription"
)

// Kinds of body that the platform sends us, as they stand in an event's native part (§9).
const (
	nativeRun           = "run"
	nativeAudit         = "audit"
	nativeInternalError = "internal_error"
	nativeModuleVersion = "module_version"
	nativeCustom        = "custom"
)

// keptAnswer is how much of a receiver's answer the log keeps (§2.3).
const keptAnswer = 64 << 10

// Render writes one delivery (§3).
func (*Dialect) Render(in dialect.Input) (*delivery.Message, error) {
	switch {
	case passes(in.Event, nativeRouted):
		return renderRouted(in.Event)
	case in.Subscription.Channel == subscription.ChannelWork:
		return renderPolicy(in)
	}
	body, err := bodyOf(in)
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", in.Notice.Name, err)
	}
	msg := request(body)
	msg.Trigger = in.Notice.Name
	return msg, nil
}

// bodyOf chooses the body. What the platform sent us goes on unchanged (§9), unless the older form is wanted.
func bodyOf(in dialect.Input) ([]byte, error) {
	e := in.Event
	older := settingsOf(in.Subscription).Body == body2021
	switch in.Notice.Name {
	case triggerRun:
		switch {
		case e.Run == nil || e.Workspace == nil:
			return nil, fmt.Errorf("the event names no run or no workspace")
		case older:
			return encode(newRunBody(e, in.Site).seed())
		case passes(e, nativeRun):
			return e.Native.Body, nil
		}
		return encode(newRunBody(e, in.Site))
	case triggerModuleVersion:
		switch {
		case e.ModuleVersion == nil || e.Workspace == nil:
			return nil, fmt.Errorf("the event names no version or no module")
		case passes(e, nativeModuleVersion):
			return e.Native.Body, nil
		}
		return encode(newModuleBody(e, in.Site))
	case triggerInternalError:
		switch {
		case e.Account == nil && e.Notifier == nil:
			return nil, fmt.Errorf("the event holds no error")
		case passes(e, nativeInternalError):
			return e.Native.Body, nil
		}
		return encode(newErrorBody(e))
	case triggerAudit:
		return auditBodyOf(e)
	}
	return nil, fmt.Errorf("there is no body of this name")
}

func auditBodyOf(e *event.Event) ([]byte, error) {
	switch {
	case e.Account == nil:
		return nil, fmt.Errorf("the event holds no record")
	case passes(e, nativeAudit):
		return e.Native.Body, nil
	}
	body, err := newAuditBody(e)
	if err != nil {
		return nil, err
	}
	return encode(body)
}

// passes reports whether the event came from the platform as a body of this kind.
func passes(e *event.Event, kind string) bool {
	return e.Native != nil && e.Native.Dialect == Name && e.Native.Kind == kind && len(e.Native.Body) > 0
}

// request is a message with the headers of §2.1, but for the signatures.
func request(body []byte) *delivery.Message {
	msg := &delivery.Message{
		Channel: subscription.ChannelWebhook, Method: "POST", Body: body, PlainClient: true,
		Timeout: attemptTimeout, ConnectTimeout: connectTimeout, KeepBody: keptAnswer,
	}
	msg.Set("Content-Type", "application/json")
	return msg
}

// encode writes a body (§3): compact, literal, without a newline.
func encode(v any) ([]byte, error) { return message.JSON(v) }
