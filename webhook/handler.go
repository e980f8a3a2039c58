package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Message is one verified delivery.
type Message struct {
	Dialect Dialect

	// ID is the same whenever the delivery is repeated: the sender's identifier where it gives one, else a hash of the body.
	ID string

	// Kind is the platform's word for what happened: TFE's trigger, Scalr's event, Pulumi's kind, or a SpaceliftKind.
	Kind string

	// Test marks the requests by which a platform tries an address: nothing happened.
	Test bool

	Header http.Header
	Body   []byte // as it came

	// Payload is a *TFEPayload, *ScalrPayload, *SpaceliftPayload or *PulumiPayload; nil for Standard.
	Payload any
}

// ErrGone is for a receive function to return when deliveries are no longer wanted: it is answered with 410, upon which
// Carillon switches the subscription off.
var ErrGone = errors.New("webhook: no longer wanted")

const defaultMaxBody = 1 << 20

// Handler returns an HTTP handler that verifies and parses requests and passes them to receive. It answers 200 when
// receive returns nil, 410 for ErrGone, and 500 for any other error, upon which the sender tries again. What is no valid
// request never reaches receive: it is answered with 400, 401, 405 or 413 and a sentence that says what is wrong with it.
// The error that receive returns is not shown to the sender; log it there.
func Handler(o Options, receive func(r *http.Request, m Message) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m, status, err := o.read(w, r)
		if err == nil {
			status, err = http.StatusOK, receive(r, m)
			switch {
			case errors.Is(err, ErrGone):
				status = http.StatusGone
			case err != nil:
				status, err = http.StatusInternalServerError, errors.New("the message could not be taken")
			}
		}
		if err != nil {
			http.Error(w, err.Error(), status)
			return
		}
		w.WriteHeader(status)
	})
}

// read turns a request into a message, or says what to answer.
func (o Options) read(w http.ResponseWriter, r *http.Request) (m Message, status int, err error) {
	if r.Method != http.MethodPost && r.Method != http.MethodPut { // Spacelift can be told to use PUT
		w.Header().Set("Allow", "POST, PUT")
		return m, http.StatusMethodNotAllowed, fmt.Errorf("send webhooks with POST, not with %s", r.Method)
	}
	limit := o.MaxBody
	if limit == 0 {
		limit = defaultMaxBody
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return m, http.StatusRequestEntityTooLarge, fmt.Errorf("the body is larger than %d bytes", limit)
	}
	if err != nil {
		return m, http.StatusBadRequest, errors.New("the body could not be read")
	}
	if err := o.Verify(r.Header, body); err != nil {
		return m, statusOf(err), err
	}
	m, err = o.parse(r.Header, body)
	return m, statusOf(err), err
}

// statusOf maps this package's errors to statuses.
func statusOf(err error) int {
	switch {
	case err == nil:
		return http.StatusOK
	case errors.Is(err, ErrUnknown), errors.Is(err, ErrPayload):
		return http.StatusBadRequest
	case errors.Is(err, ErrNoSecret):
		return http.StatusInternalServerError
	}
	return http.StatusUnauthorized
}

// Parse turns a request that was verified into a message.
func Parse(d Dialect, h http.Header, body []byte) (Message, error) {
	return Options{Dialect: d}.parse(h, body)
}

func (o Options) parse(h http.Header, body []byte) (Message, error) {
	m := Message{Dialect: o.Dialect, Header: h, Body: body}
	if m.Dialect == "" {
		m.Dialect, _ = Detect(h, body)
	}
	m.ID = identify(h, body)
	var err error
	switch m.Dialect {
	case TFE:
		var p *TFEPayload
		if p, err = ParseTFE(body); err == nil {
			m.Kind, m.Test, m.Payload = p.Trigger(), p.Verification(), p
		}
	case Scalr:
		var p *ScalrPayload
		if p, err = ParseScalr(body); err == nil {
			m.Kind, m.Payload = p.Event, p
		}
	case Spacelift:
		var p *SpaceliftPayload
		if p, err = ParseSpacelift(body); err == nil {
			m.Kind, m.Payload = string(p.Kind), p
		}
	case Pulumi:
		kind, _ := value(h, HeaderPulumiKind)
		var p *PulumiPayload
		if p, err = ParsePulumi(kind, body); err == nil {
			m.Kind, m.Test, m.Payload = p.Kind, p.Kind == "ping", p
		}
	case Standard:
	default:
		err = fmt.Errorf("%w: %q", ErrUnknown, m.Dialect)
	}
	return m, err
}

// identify returns the sender's identifier of the delivery, or a hash of what was sent.
func identify(h http.Header, body []byte) string {
	for _, name := range []string{HeaderStandardID, HeaderScalrDelivery, HeaderPulumiID} {
		if id, _ := value(h, name); id != "" {
			return id
		}
	}
	hash := sha256.New()
	kind, _ := value(h, HeaderPulumiKind)
	hash.Write([]byte(kind))
	hash.Write(body)
	return "sha256:" + hex.EncodeToString(hash.Sum(nil))
}
