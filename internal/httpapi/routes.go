package httpapi

import "slices"

// routes is the whole API.
func (a *api) routes() []route {
	return slices.Concat(
		[]route{
			{pattern: "GET /v1/version", handle: a.version, open: true},
			{pattern: "GET /v1/openapi.yaml", handle: a.documentYAML, open: true},
			{pattern: "GET /v1/openapi.json", handle: a.documentJSON, open: true},
			{pattern: "GET /v1/whoami", handle: a.whoami},
			{pattern: "GET /v1/dialects", handle: a.listDialects},

			{pattern: "POST /v1/events", handle: a.postEvents},
			{pattern: "GET /v1/events", handle: a.listEvents, query: paged("organization", "project", "workspace", "run", "kind", "from", "to")},
			{pattern: "GET /v1/events/{event}", handle: a.getEvent},
			{pattern: "GET /v1/events/{event}/explanation", handle: a.explainEvent, query: []string{"subscription", "verdict", "limit"}},
			{pattern: "GET /v1/runs", handle: a.listRuns, query: paged("organization", "project", "workspace", "from", "to")},
			{pattern: "GET /v1/runs/{run}", handle: a.getRun},
		},
		a.organizations().routes("/v1/organizations", "/v1/organizations/{organization}"),
		a.projects().routes("/v1/organizations/{organization}/projects", "/v1/projects/{project}"),
		a.workspaces().routes("/v1/organizations/{organization}/workspaces", "/v1/workspaces/{workspace}"),
		[]route{a.projects().listed("/v1/projects"), a.workspaces().listed("/v1/workspaces")},
		[]route{
			{
				pattern: "GET /v1/subscriptions", handle: a.listSubscriptions,
				query: paged("organization", "dialect", "project", "workspace", "team", "enabled", "name"),
			},
			{pattern: "POST /v1/subscriptions", handle: a.createSubscription, query: []string{"verify"}},
			{pattern: "POST /v1/subscriptions/preview", handle: a.preview},
			{pattern: "GET /v1/subscriptions/{subscription}", handle: a.getSubscription},
			{pattern: "PATCH /v1/subscriptions/{subscription}", handle: a.patchSubscription, query: []string{"verify"}},
			{pattern: "DELETE /v1/subscriptions/{subscription}", handle: a.deleteSubscription},
			{pattern: "POST /v1/subscriptions/{subscription}/verify", handle: a.verifySubscription},
			{pattern: "POST /v1/subscriptions/{subscription}/enable", handle: a.enableSubscription, query: []string{"verify"}},
			{pattern: "POST /v1/subscriptions/{subscription}/disable", handle: a.disableSubscription},
			{pattern: "POST /v1/subscriptions/{subscription}/test", handle: a.testSubscription},
			{pattern: "POST /v1/subscriptions/{subscription}/preview", handle: a.previewSaved},
			{pattern: "GET /v1/subscriptions/{subscription}/last-answer", handle: a.lastAnswer},

			{pattern: "GET /v1/deliveries", handle: a.listDeliveries, query: paged(
				"organization", "workspace", "run", "event", "subscription", "destination", "state", "status", "cause", "from", "to",
			)},
			{pattern: "GET /v1/deliveries/{delivery}", handle: a.getDelivery},
			{pattern: "GET /v1/deliveries/{delivery}/attempts/{number}/request", handle: a.getRequest},
			{pattern: "POST /v1/deliveries/{delivery}/redeliver", handle: a.redeliver},
			{pattern: "POST /v1/deliveries/{delivery}/cancel", handle: a.cancel},

			{pattern: "GET /v1/replays", handle: a.listReplays, query: paged("organization")},
			{pattern: "POST /v1/replays", handle: a.createReplay},
			{pattern: "POST /v1/replays/preview", handle: a.previewReplay},
			{pattern: "GET /v1/replays/{replay}", handle: a.getReplay},
			{pattern: "POST /v1/replays/{replay}/cancel", handle: a.cancelReplay},

			{pattern: "GET /v1/destinations", handle: a.listDestinations, query: []string{"organization", "condition", "limit"}},

			{pattern: "GET /v1/tokens", handle: a.listTokens, query: paged()},
			{pattern: "POST /v1/tokens", handle: a.createToken},
			{pattern: "DELETE /v1/tokens/{token}", handle: a.revokeToken},

			{pattern: "GET /v1/sources", handle: a.listSources, query: paged("organization")},
			{pattern: "POST /v1/sources", handle: a.createSource},
			{pattern: "GET /v1/sources/{source}", handle: a.getSource},
			{pattern: "PATCH /v1/sources/{source}", handle: a.patchSource},
			{pattern: "DELETE /v1/sources/{source}", handle: a.deleteSource},

			{pattern: "GET /v1/accounting", handle: a.accounting},
			{pattern: "GET /v1/audit", handle: a.audit, query: paged("organization")},

			{pattern: "POST /in/{source}", handle: a.receive, open: true},
			{pattern: "PUT /in/{source}", handle: a.receive, open: true},
		},
	)
}
