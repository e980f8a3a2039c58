package pulumi

import (
	"strings"
	"testing"

	"carillon/internal/fault"
	"carillon/internal/subscription"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	at := func(level subscription.Level, channel subscription.Channel, triggers ...string) *subscription.Subscription {
		s := hook(channel, triggers...)
		s.Scopes = []subscription.Scope{{Level: level, ID: 1}}
		return s
	}
	nothing := at(subscription.LevelOrganization, subscription.ChannelWebhook)
	nothing.All = false
	both := at(subscription.LevelOrganization, subscription.ChannelWebhook, groupStacks)
	both.All = true
	for name, tc := range map[string]struct {
		s    *subscription.Subscription
		url  string
		want string
	}{
		"everything":                    {at(subscription.LevelOrganization, subscription.ChannelWebhook), "https://x", ""},
		"filters and groups":            {at(subscription.LevelWorkspace, subscription.ChannelSlack, "update_failed", groupDeployments), "https://x", ""},
		"of an environment":             {at(subscription.LevelEnvironment, subscription.ChannelTeams, groupEnvironments), "https://x", ""},
		"deployment":                    {at(subscription.LevelWorkspace, subscription.ChannelTrigger, "update_failed"), "a/b", ""},
		"of a project":                  {at(subscription.LevelProject, subscription.ChannelWebhook), "https://x", "/scopes/0/level"},
		"of a team":                     {at(subscription.LevelTeam, subscription.ChannelWebhook), "https://x", "/scopes/0/level"},
		"deployment of an organization": {at(subscription.LevelOrganization, subscription.ChannelTrigger), "a/b", "/scopes/0/level"},
		"deployment at an address":      {at(subscription.LevelWorkspace, subscription.ChannelTrigger), "https://x/y", "/url"},
		"unknown filter":                {at(subscription.LevelOrganization, subscription.ChannelWebhook, "update_failed", "x"), "https://x", "/triggers/1"},
		"an organization's filter":      {at(subscription.LevelWorkspace, subscription.ChannelWebhook, "stack_created"), "https://x", "/triggers/0"},
		"another level's group":         {at(subscription.LevelEnvironment, subscription.ChannelWebhook, groupStacks), "https://x", "/triggers/0"},
		"nothing":                       {nothing, "https://x", "/triggers"},
		"everything and something":      {both, "https://x", "/triggers"},
	} {
		err := New().Validate(tc.s, subscription.Secrets{URL: tc.url})
		if tc.want == "" && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if f, ok := err.(*fault.Error); tc.want != "" && (!ok || f.Fields()[0].Pointer != tc.want) {
			t.Errorf("%s: %v, want %s", name, err, tc.want)
		}
	}
	long := New().Validate(at(subscription.LevelOrganization, subscription.ChannelWebhook), subscription.Secrets{URL: "https://x", Secret: strings.Repeat("x", secretLimit+1)})
	if !fault.Is(long, fault.Invalid) {
		t.Errorf("a long secret: %v", long)
	}
}
