package scalr

// integrationPayload is the second generation, of webhook integrations: hyphens, sorted on every level (§3).
type integrationPayload struct {
	Environment integrationPlace   `json:"environment"`
	Event       string             `json:"event-name"`
	Version     int                `json:"payload-version"`
	Run         integrationRun     `json:"run"`
	Variables   map[string]string  `json:"variables"`
	Webhook     integrationWebhook `json:"webhook"`
	Workspace   integrationPlace   `json:"workspace"`
}

type integrationRun struct {
	CreatedAt string           `json:"created-at"`
	CreatedBy integrationActor `json:"created-by"`
	ID        string           `json:"id"`
	Message   string           `json:"message"`
	Source    string           `json:"source"`
	Status    string           `json:"status"`
	UpdatedAt string           `json:"updated-at"`
	URL       string           `json:"url"`
}

type integrationActor struct {
	Email    string `json:"email"`
	ID       string `json:"id"`
	Username string `json:"username"`
}

type integrationWebhook struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type integrationPlace struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	URL  string `json:"url"`
}

func newIntegrationPayload(f facts) integrationPayload {
	return integrationPayload{
		Environment: integrationPlace{ID: f.environmentID, Name: f.environmentName, URL: f.environmentURL},
		Event:       f.event, Version: payloadVersion,
		Run: integrationRun{
			CreatedAt: f.createdAt, CreatedBy: integrationActor{Email: f.creator.Email, ID: f.creator.ID, Username: f.creator.Name},
			ID: f.id, Message: f.message, Source: f.source, Status: f.status, UpdatedAt: f.updatedAt, URL: f.url,
		},
		Variables: f.variables,
		Webhook:   integrationWebhook{ID: f.webhookID, Name: f.webhookName},
		Workspace: integrationPlace{ID: f.workspaceID, Name: f.workspaceName, URL: f.workspaceURL},
	}
}
