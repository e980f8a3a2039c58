package tfe

import (
	"net/http"
	"strconv"
	"strings"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

const configurationType = "notification-configurations"

// configurationAttributes is the resource of §5.3.
type configurationAttributes struct {
	Enabled         bool               `json:"enabled"`
	Name            string             `json:"name"`
	URL             *string            `json:"url"`
	DestinationType string             `json:"destination-type"`
	Token           *string            `json:"token"` // never shown
	Triggers        []string           `json:"triggers"`
	Responses       []deliveryResponse `json:"delivery-responses"`
	Emails          []string           `json:"email-addresses"`
	AllMembers      *bool              `json:"email_all_members,omitempty"` // the one key with underscores (§8)
	CreatedAt       string             `json:"created-at"`
	UpdatedAt       string             `json:"updated-at"`
}

// deliveryResponse is the newest answer of the destination. Every scalar is a string (§5.3).
type deliveryResponse struct {
	URL        string              `json:"url"`
	Body       string              `json:"body"`
	Code       string              `json:"code"`
	Headers    map[string][]string `json:"headers"`
	SentAt     string              `json:"sent-at"`
	Successful string              `json:"successful"`
}

// destinations maps the platform's destination types to channels.
var destinations = []struct {
	name    string
	channel subscription.Channel
}{
	{"generic", subscription.ChannelWebhook},
	{"slack", subscription.ChannelSlack},
	{"microsoft-teams", subscription.ChannelTeams},
	{"email", subscription.ChannelEmail},
}

func destinationType(channel subscription.Channel) string {
	for _, d := range destinations {
		if d.channel == channel {
			return d.name
		}
	}
	return string(channel)
}

func channelOf(destination string) (subscription.Channel, bool) {
	for _, d := range destinations {
		if d.name == destination {
			return d.channel, true
		}
	}
	return "", false
}

// configuration renders a configuration. Its address is shown to those who manage it, and nobody else gets here.
func (c *call) configuration(s *subscription.Subscription) (resource, error) {
	id := configurationID(s)
	attributes := configurationAttributes{
		Enabled:         s.Enabled,
		Name:            s.Name,
		DestinationType: destinationType(s.Channel),
		Triggers:        shownTriggers(s),
		Responses:       []deliveryResponse{},
		Emails:          append([]string{}, s.Emails...),
		CreatedAt:       milli(s.CreatedAt),
		UpdatedAt:       milli(s.UpdatedAt),
	}
	if s.Channel == subscription.ChannelEmail {
		if s.Scope().Level != subscription.LevelWorkspace {
			attributes.AllMembers = settingsOf(s).AllMembers
		}
	} else if err := c.showDestination(s, &attributes); err != nil {
		return resource{}, err
	}
	subscribable, err := c.subscribable(s)
	if err != nil {
		return resource{}, err
	}
	users, err := c.usersOf(s)
	if err != nil {
		return resource{}, err
	}
	return resource{
		ID: id, Type: configurationType, Attributes: attributes,
		Relationships: map[string]relationship{"subscribable": subscribable, "users": toMany("users", users...)},
		Links:         map[string]string{"self": configurationPath(id)},
	}, nil
}

// showDestination adds the address and the newest answer. Mail has neither (§5.4).
func (c *call) showDestination(s *subscription.Subscription, attributes *configurationAttributes) error {
	plain, err := c.Subscriptions.Reveal(c, c.who, s.ID)
	if err != nil {
		return err
	}
	attributes.URL = &plain.URL
	attempt, err := c.Subscriptions.LastAnswer(c, c.who, s.ID)
	if err != nil || attempt == nil || attempt.Result.Response == nil {
		return err
	}
	attributes.Responses = append(attributes.Responses, newDeliveryResponse(plain.URL, attempt))
	return nil
}

// responseLimit is how much of an answer's body is shown (O2).
const responseLimit = 16 << 10

func newDeliveryResponse(url string, a *delivery.Attempt) deliveryResponse {
	body := a.Result.Response.Body
	headers := make(map[string][]string, len(a.Result.Response.Header))
	for name, values := range a.Result.Response.Header {
		name = strings.ToLower(name)
		headers[name] = append(headers[name], values...)
	}
	return deliveryResponse{
		URL:        url,
		Body:       strings.ToValidUTF8(string(body[:min(len(body), responseLimit)]), "\uFFFD"),
		Code:       strconv.Itoa(a.Result.Status),
		Headers:    headers,
		SentAt:     a.Result.StartedAt.UTC().Format(zoned),
		Successful: strconv.FormatBool(a.Result.OK()),
	}
}

// shownTriggers are those that the subscription names; one that takes everything names what is not deprecated (O15).
func shownTriggers(s *subscription.Subscription) []string {
	shown := append([]string{}, s.Triggers...)
	if !s.All {
		return shown
	}
	for _, t := range triggers {
		if t.openTo(s.Scope().Level) && !t.deprecated {
			shown = append(shown, t.value)
		}
	}
	return shown
}

// subscribable is what the configuration belongs to.
func (c *call) subscribable(s *subscription.Subscription) (relationship, error) {
	scope := s.Scope()
	switch scope.Level {
	case subscription.LevelProject:
		return refer(c, c.Projects, "projects", projectIDs, scope.ID, func(p *estate.Project) *estate.Common { return &p.Common })
	case subscription.LevelTeam:
		return refer(c, c.Teams, "teams", teamIDs, scope.ID, func(t *estate.Team) *estate.Common { return &t.Common })
	case subscription.LevelWorkspace:
		return refer(c, c.Workspaces, "workspaces", workspaceIDs, scope.ID, func(w *estate.Workspace) *estate.Common { return &w.Common })
	}
	// Only our own API attaches subscriptions elsewhere; the platform has no word for it.
	return toOne("organizations", organizationIDs.Encode(s.OrganizationID)), nil
}

// refer names an object of a collection.
func refer[T any](c *call, from dialect.Collection[T], kind string, ids ident.Codec, id ident.ID, common func(*T) *estate.Common) (relationship, error) {
	object, err := from.Get(c, c.who, estate.ByID(id))
	if err != nil {
		return relationship{}, err
	}
	return toOne(kind, external(common(&object), ids)), nil
}

// usersOf lists a configuration's users by the platform's identifiers, in the order in which they were given.
func (c *call) usersOf(s *subscription.Subscription) ([]string, error) {
	ids := make([]string, 0, len(s.UserIDs))
	for _, id := range s.UserIDs {
		user, err := c.Users.Get(c, c.who, estate.ByID(id))
		if err != nil && problemsOf(err).status() != http.StatusNotFound {
			return nil, err
		}
		if err != nil { // clients compare the number with what they sent (§8), also when somebody is gone
			ids = append(ids, userIDs.Encode(id))
			continue
		}
		ids = append(ids, external(&user.Common, userIDs))
	}
	return ids, nil
}
