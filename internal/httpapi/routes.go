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
			{pattern: "GET /v1/events", handle: a.listEvents},
			{pattern: "GET /v1/events/{event}", handle: a.getEvent},
			{pattern: "GET /v1/events/{event}/explanation", handle: a.explainEvent},
			{pattern: "GET /v1/runs", handle: a.listRuns},
			{pattern: "GET /v1/runs/{run}", handle: a.getRun},
		},
		a.organizations().routes("/v1/organizations", "/v1/organizations/{organization}"),
		a.projects().routes("/v1/organizations/{organization}/projects", "/v1/projects/{project}"),
		a.workspaces().routes("/v1/organizations/{organization}/workspaces", "/v1/workspaces/{workspace}"),
		[]route{
			{pattern: "GET /v1/subscriptions", handle: a.listSubscriptions},
			{pattern: "POST /v1/subscriptions", handle: a.createSubscription},
			{pattern: "POST /v1/subscriptions/preview", handle: a.preview},
			{pattern: "GET /v1/subscriptions/{subscription}", handle: a.getSubscription},
			{pattern: "PATCH /v1/subscriptions/{subscription}", handle: a.patchSubscription},
			{pattern: "DELETE /v1/subscriptions/{subscription}", handle: a.deleteSubscription},
			{pattern: "POST /v1/subscriptions/{subscription}/verify", handle: a.verifySubscription},
			{pattern: "POST /v1/subscriptions/{subscription}/enable", handle: a.enableSubscription},
			{pattern: "POST /v1/subscriptions/{subscription}/disable", handle: a.disableSubscription},
			{pattern: "POST /v1/subscriptions/{subscription}/test", handle: a.testSubscription},
			{pattern: "POST /v1/subscriptions/{subscription}/preview", handle: a.previewSaved},
			{pattern: "GET /v1/subscriptions/{subscription}/last-answer", handle: a.lastAnswer},

			{pattern: "GET /v1/deliveries", handle: a.listDeliveries},
			{pattern: "GET /v1/deliveries/{delivery}", handle: a.getDelivery},
			{pattern: "GET /v1/deliveries/{delivery}/attempts/{number}/request", handle: a.getRequest},
			{pattern: "POST /v1/deliveries/{delivery}/redeliver", handle: a.redeliver},
			{pattern: "POST /v1/deliveries/{delivery}/cancel", handle: a.cancel},

			{pattern: "GET /v1/tokens", handle: a.listTokens},
			{pattern: "POST /v1/tokens", handle: a.createToken},
			{pattern: "DELETE /v1/tokens/{token}", handle: a.revokeToken},

			{pattern: "GET /v1/sources", handle: a.listSources},
			{pattern: "POST /v1/sources", handle: a.createSource},
			{pattern: "GET /v1/sources/{source}", handle: a.getSource},
			{pattern: "PATCH /v1/sources/{source}", handle: a.patchSource},
			{pattern: "DELETE /v1/sources/{source}", handle: a.deleteSource},

			{pattern: "GET /v1/accounting", handle: a.accounting},
			{pattern: "GET /v1/audit", handle: a.audit},

			{pattern: "POST /in/{source}", handle: a.receive, open: true},
		},
	)
}
