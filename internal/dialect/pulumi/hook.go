package pulumi

import (
	"crypto/rand"
	"encoding/hex"
	"hash/fnv"
	"regexp"
	"strconv"
	"strings"

	"carillon/internal/dialect"
	"carillon/internal/fault"
	"carillon/internal/subscription"
)

// hookShape is what a webhook's name may be (§5.2).
var hookShape = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,32}$`)

// formats maps the platform's formats to channels.
var formats = []struct {
	name    string
	channel subscription.Channel
}{
	{"raw", subscription.ChannelWebhook},
	{"slack", subscription.ChannelSlack},
	{"ms_teams", subscription.ChannelTeams},
	{"pulumi_deployments", subscription.ChannelTrigger},
}

func formatOf(channel subscription.Channel) string {
	for _, f := range formats {
		if f.channel == channel {
			return f.name
		}
	}
	return formats[0].name
}

func channelOf(format string) (subscription.Channel, bool) {
	for _, f := range formats {
		if f.name == format {
			return f.channel, true
		}
	}
	return "", false
}

// identifier is a webhook's external identifier: its name, made unique in the organization by its scope.
func identifier(scope subscription.Scope, name string) string { return scope.ID.String() + "/" + name }

// hookName is the webhook's name: the one that it was given, or one that follows from its ID where another face made it.
func hookName(s *subscription.Subscription) string {
	given := s.ExternalIDs[Name]
	if name := given[strings.LastIndexByte(given, '/')+1:]; hookShape.MatchString(name) {
		return name
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(s.ID.String())) // a hash never fails to write
	text := strconv.FormatUint(uint64(h.Sum32()), 16)
	return strings.Repeat("0", 8-len(text)) + text
}

// newHookName draws a name: 8 hexadecimal digits.
func newHookName() string {
	var raw [4]byte
	_, _ = rand.Read(raw[:]) // never fails: crypto/rand ends the program instead
	return hex.EncodeToString(raw[:])
}

// hook renders a webhook (§5.2). The secret is never shown, not even as null.
func (c *call) hook(t *target, s *subscription.Subscription) (object, error) {
	plain, err := c.Subscriptions.Reveal(c, c.who, s.ID)
	if err != nil {
		return nil, err
	}
	shown := object{{"organizationName", t.organization.Name}}
	switch t.level {
	case subscription.LevelWorkspace:
		shown = append(shown, member{"projectName", t.project}, member{"stackName", t.name})
	case subscription.LevelEnvironment:
		shown = append(shown, member{"projectName", t.project}, member{"envName", t.name})
	}
	shown = append(shown,
		member{"name", hookName(s)}, member{"displayName", s.Name}, member{"payloadUrl", plain.URL}, member{"active", s.Enabled},
		member{"format", formatOf(s.Channel)},
	)
	if named, grouped := split(s.Triggers); !s.All {
		if len(named) > 0 {
			shown = append(shown, member{"filters", named})
		}
		if len(grouped) > 0 {
			shown = append(shown, member{"groups", grouped})
		}
	}
	return append(shown,
		member{"hasSecret", s.Secret != ""}, member{"secretCiphertext", settingsOf(s).Ciphertext},
	), nil
}

// hooks lists the webhooks of a target, oldest first.
func (c *call) hooks(t *target) ([]subscription.Subscription, error) {
	if t.id == 0 {
		return nil, nil
	}
	scope := t.scope()
	all, err := c.Subscriptions.List(c, c.who, dialect.SubscriptionFilter{Organization: t.organization.ID, Dialect: Name, Scope: &scope})
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	return all, err
}

// theHook finds the webhook of the path.
func (c *call) theHook(t *target) (*subscription.Subscription, error) {
	all, err := c.hooks(t)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if hookName(&all[i]) == c.path("hook") {
			return &all[i], nil
		}
	}
	return nil, notFound("Webhook '%s' not found", c.path("hook"))
}
