package scalr

// endpointPayload is the first generation, of webhooks with an endpoint: underscores, in the documented order (§3).
type endpointPayload struct {
	Version     int               `json:"payload_version"`
	Event       string            `json:"event_name"`
	Run         endpointRun       `json:"run"`
	Webhook     endpointWebhook   `json:"webhook"`
	Workspace   endpointPlace     `json:"workspace"`
	Environment endpointPlace     `json:"environment"`
	Variables   map[string]string `json:"variables"`
}

type endpointRun struct {
	ID        string        `json:"id"`
	Message   string        `json:"message"`
	Status    string        `json:"status"`
	Source    string        `json:"source"`
	URL       string        `json:"url"`
	CreatedAt string        `json:"created_at"`
	UpdatedAt string        `json:"updated_at"`
	CreatedBy endpointActor `json:"created_by"`
}

// endpointActor is always there with three strings: readers index into it (§3).
type endpointActor struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	Email    string `json:"email"`
}

type endpointWebhook struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type endpointPlace struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	URL  string `json:"url"`
}

func newEndpointPayload(f facts) endpointPayload {
	return endpointPayload{
		Version: payloadVersion, Event: f.event,
		Run: endpointRun{
			ID: f.id, Message: f.message, Status: f.status, Source: f.source, URL: f.url, CreatedAt: f.createdAt, UpdatedAt: f.updatedAt,
			CreatedBy: endpointActor{ID: f.creator.ID, Username: f.creator.Name, Email: f.creator.Email},
		},
		Webhook:     endpointWebhook{ID: f.webhookID, Name: f.webhookName},
		Workspace:   endpointPlace{ID: f.workspaceID, Name: f.workspaceName, URL: f.workspaceURL},
		Environment: endpointPlace{ID: f.environmentID, Name: f.environmentName, URL: f.environmentURL},
		Variables:   f.variables,
	}
}
