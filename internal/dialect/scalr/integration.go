package scalr

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"carillon/internal/estate"
	"carillon/internal/subscription"
)

// integrationAttributes is a webhook as the second generation shows it (§5.4).
type integrationAttributes struct {
	Name          string        `json:"name"`
	Enabled       bool          `json:"enabled"`
	Shared        bool          `json:"is-shared"`
	URL           string        `json:"url"`
	Method        string        `json:"http-method"`
	Secret        string        `json:"secret-key"`
	Timeout       int64         `json:"timeout"`
	MaxAttempts   int64         `json:"max-attempts"`
	Headers       []headerValue `json:"headers"`
	LastTriggered *string       `json:"last-triggered-at"`
	Statistics    any           `json:"statistics,omitempty"`
}

// headerValue is a header that a webhook adds. The value of a sensitive one is never shown.
type headerValue struct {
	Name      string `json:"name"`
	Value     string `json:"value"`
	Sensitive bool   `json:"sensitive"`
}

// integration renders a webhook as the second generation does. The secret is shown in the answer that made it, and
// afterwards only to those for whom revealed says so.
func (c *call) integration(h *hook, showSecret bool) (resource, error) {
	account, err := c.accountID(h.s.OrganizationID)
	if err != nil {
		return resource{}, err
	}
	environments := make([]string, 0, len(h.environments))
	for _, id := range h.environments {
		text, err := c.environmentID(id)
		if err != nil {
			return resource{}, err
		}
		environments = append(environments, text)
	}
	limits := limitsOf(h.s)
	a := integrationAttributes{
		Name: h.s.Name, Enabled: h.s.Enabled, Shared: h.shared, URL: h.address(), Method: "POST", Timeout: limits.Timeout,
		MaxAttempts: limits.MaxAttempts, Headers: h.headers(),
	}
	if a.LastTriggered, err = c.lastTriggered(h.s); err != nil {
		return resource{}, err
	}
	if showSecret, err = c.revealed(h, showSecret); err != nil {
		return resource{}, err
	}
	if showSecret {
		a.Secret = h.plain.Secret
	}
	if wantsStatistics(c.request.URL.Query()) {
		if a.Statistics, err = c.statistics(h.s); err != nil {
			return resource{}, err
		}
	}
	id := webhookID(h.s)
	return resource{
		ID: id, Type: integrationType, Attributes: a,
		Relationships: map[string]relationship{
			"account": toOne(accountType, account), "environments": toMany(environmentType, environments),
			"events": toMany(definitionType, eventsOf(h.s)),
		},
		Links: selfLink{prefix + "/integrations/webhooks/" + id},
	}, nil
}

// headers lists the headers with the values that may be shown.
func (h *hook) headers() []headerValue {
	list := make([]headerValue, 0, len(h.s.Headers))
	for i, key := range subscription.HeaderKeys(h.s.Headers) {
		each := headerValue{Name: h.s.Headers[i].Name, Sensitive: h.s.Headers[i].Sensitive}
		if !each.Sensitive {
			each.Value = h.plain.Headers[key]
		}
		list = append(list, each)
	}
	return list
}

// oldProvider is the client that wants a value where today's wants "" (§5.6).
var oldProvider = regexp.MustCompile(`^terraform-provider-scalr/v?1\.`)

// revealed reports whether the answer shows the secret: the one that made it does, others only by the installation's
// choice, or for a client that can not do without. Whoever may change a webhook but not its endpoint is not shown it.
func (c *call) revealed(h *hook, made bool) (bool, error) {
	if !h.edits || (!made && !c.dialect.RevealSecrets && !oldProvider.MatchString(c.request.UserAgent())) {
		return false, nil
	}
	if h.s.EndpointID == 0 {
		return true, nil
	}
	return c.managesEndpoint(h.s)
}

// managesEndpoint reports whether the principal may change the endpoint of a webhook.
func (c *call) managesEndpoint(s *subscription.Subscription) (bool, error) {
	if c.who.May(estate.RoleAdmin, estate.Place{OrganizationID: s.OrganizationID}) {
		return true, nil
	}
	e, err := c.findEndpoint(c.who, endpointIDs.Encode(s.EndpointID))
	if err != nil && problemsOf(err).status() == 404 {
		return false, nil
	}
	return e.edits, err
}

// wantsStatistics reads the one sparse field that adds something (§5.4).
func wantsStatistics(query url.Values) bool {
	return slices.Contains(strings.Split(query.Get("fields["+integrationType+"]"), ","), "statistics")
}
