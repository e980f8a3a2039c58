package scalr

// routes maps paths to what each method does there (§5.3 to §6).
func routes() map[string]map[string]handler {
	return map[string]map[string]handler{
		"/accounts":           {"GET": listAccounts},
		"/accounts/{account}": {"GET": showAccount},
		"/event-definitions":  {"GET": listDefinitions},

		"/endpoints":            {"GET": listEndpoints, "POST": createEndpoint},
		"/endpoints/{endpoint}": {"GET": showEndpoint, "PATCH": updateEndpoint, "DELETE": deleteEndpoint},

		"/webhooks":                        {"GET": listWebhooks, "POST": createWebhook},
		"/webhooks/{webhook}":              {"GET": showWebhook, "PATCH": updateWebhook, "DELETE": deleteHook},
		"/integrations/webhooks":           {"GET": listIntegrations, "POST": createIntegration},
		"/integrations/webhooks/{webhook}": {"GET": showIntegration, "PATCH": updateIntegration, "DELETE": deleteHook},

		"/integrations/webhook-deliveries":            {"GET": listDeliveries},
		"/integrations/webhook-deliveries/{delivery}": {"GET": showDelivery},

		"/environments":               {"GET": listEnvironments, "POST": createEnvironment},
		"/environments/{environment}": {"GET": showEnvironment, "PATCH": updateEnvironment, "DELETE": deleteEnvironment},
		"/environments/{environment}/relationships/federated-environments": {"GET": federatedEnvironments},

		"/workspaces":             {"GET": listWorkspaces, "POST": createWorkspace},
		"/workspaces/{workspace}": {"GET": showWorkspace, "PATCH": updateWorkspace, "DELETE": deleteWorkspace},
		"/workspaces/{workspace}/provider-configuration-links":         {"GET": ofWorkspace},
		"/workspaces/{workspace}/relationships/remote-state-consumers": {"GET": ofWorkspace},
	}
}
