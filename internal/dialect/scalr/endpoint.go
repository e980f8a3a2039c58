package scalr

import (
	"encoding/json"
	"fmt"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

const endpointType = "endpoints"

// Fields of an endpoint that are kept sealed.
const (
	secretURL = "url"
	secretKey = "secret"
)

// endpoint is a destination that several webhooks share, as a document. Its address and secret are kept beside it, sealed
// (§5.3).
type endpoint struct {
	Dialect string `json:"dialect"` // documents of other dialects lie beside ours
	Name    string `json:"name"`
	limits

	// Address is the redacted form of the URL, for those who may not see it.
	Address string `json:"address"`

	// ProjectID is the environment, zero for one of the whole account.
	ProjectID ident.ID `json:"project_id,omitzero"`
}

// storedEndpoint is an endpoint as it was read.
type storedEndpoint struct {
	endpoint
	record store.Record
	plain  subscription.Secrets // zero for those who may not change it
	edits  bool
}

func (e *storedEndpoint) place() estate.Place {
	return estate.Place{OrganizationID: e.record.Parent, ProjectID: e.ProjectID}
}

func (e *storedEndpoint) id() string { return endpointIDs.Encode(e.record.ID) }

// Follow lays an endpoint over a webhook that uses it: address, secret and limits (§5.4).
func (*Dialect) Follow(d dialect.SharedDestination, s *subscription.Subscription, plain *subscription.Secrets) error {
	var e endpoint
	if err := json.Unmarshal(d.Body, &e); err != nil || e.Dialect != Name {
		return fault.At("/endpoint_id", "This is not an endpoint of a webhook.")
	}
	plain.URL, plain.Secret = d.Secrets[secretURL], d.Secrets[secretKey]
	e.limits.apply(s)
	return nil
}

var _ dialect.Follower = (*Dialect)(nil)

// readEndpoint turns a document into an endpoint; ok is false for one of another dialect.
func (c *call) readEndpoint(p estate.Principal, r store.Record) (e storedEndpoint, ok bool, err error) {
	e.record = r
	if err := json.Unmarshal(r.Body, &e.endpoint); err != nil {
		return e, false, fmt.Errorf("decode endpoint %s: %w", r.ID, err)
	}
	if e.Dialect != Name {
		return e, false, nil
	}
	secrets, err := c.Sealed.Reveal(c, p, estate.Place{OrganizationID: r.Parent}, store.KindEndpoint, r.ID)
	if unseen(err) {
		return e, true, nil
	}
	e.edits, e.plain = true, subscription.Secrets{URL: secrets[secretURL], Secret: secrets[secretKey]}
	return e, true, err
}

// findEndpoint returns the endpoint of an identifier as the principal may see it.
func (c *call) findEndpoint(p estate.Principal, text string) (storedEndpoint, error) {
	id, issued := endpointIDs.Decode(text)
	if !issued {
		return storedEndpoint{}, missing("Endpoint", text)
	}
	r, err := c.Documents.Get(c, p, estate.Place{}, store.KindEndpoint, id)
	if err != nil {
		return storedEndpoint{}, seenAs(err, "Endpoint", text)
	}
	e, isOurs, err := c.readEndpoint(p, r)
	if err == nil && !isOurs {
		err = missing("Endpoint", text)
	}
	return e, err
}

func (c *call) theEndpoint() (storedEndpoint, error) {
	return c.findEndpoint(c.who, c.path("endpoint"))
}

// endpointResource renders an endpoint. Its secret is shown to whoever may change it, on every read: an older client
// compares it with its own (§5.3).
func (c *call) endpointResource(e *storedEndpoint) (resource, error) {
	account, err := c.accountID(e.record.Parent)
	if err != nil {
		return resource{}, err
	}
	environment, err := c.environmentID(e.ProjectID)
	if err != nil {
		return resource{}, err
	}
	address := e.Address
	if e.edits {
		address = e.plain.URL
	}
	return resource{
		ID: e.id(), Type: endpointType,
		Attributes: attributeSet{
			"name": e.Name, "url": address, "secret-key": e.plain.Secret, "timeout": e.Timeout, "max-attempts": e.MaxAttempts,
			"permissions": map[string]bool{"webhook-endpoints:update": e.edits, "webhook-endpoints:delete": e.edits},
		},
		Relationships: map[string]relationship{
			"account": toOne(accountType, account), "environment": toOne(environmentType, environment),
		},
		Links: selfLink{prefix + "/endpoints/" + e.id()},
	}, nil
}

func (c *call) answerEndpoint(how func(any) answer, e *storedEndpoint) (answer, error) {
	r, err := c.endpointResource(e)
	if err != nil {
		return answer{}, err
	}
	return c.answerWith(how, r)
}
