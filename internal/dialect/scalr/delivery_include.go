package scalr

import "carillon/internal/event"

const runType = "runs"

// remember keeps what a payload says of run and person, so that they can be included although nobody else knows them.
func (c *call) remember(p *payload) {
	if p.Run.ID != "" {
		c.known[identifier{runType, p.Run.ID}] = resource{
			ID: p.Run.ID, Type: runType,
			Attributes: attributeSet{
				"status": p.Run.Status, "message": p.Run.Message, "source": p.Run.Source, "created-at": payloadTimeText(p.Run.CreatedAt),
			},
			Relationships: map[string]relationship{"workspace": toOne(workspaceType, p.Workspace.ID)},
		}
	}
	if by := p.Run.actor(); by != nil && by.ID != "" {
		c.known[identifier{userType, by.ID}] = actorResource(by)
	}
}

// payloadTimeText spells a payload's time as the API does, nil for none.
func payloadTimeText(text string) *string {
	t := moment(text)
	if t.IsZero() {
		return nil
	}
	spelled := timeText(t)
	return &spelled
}

// actorResource is a person of whom only an event tells.
func actorResource(by *event.Actor) resource {
	return resource{
		ID: by.ID, Type: userType,
		Attributes: attributeSet{
			"status": "Active", "email": by.Email, "username": by.Name, "full-name": by.FullName, "created-at": nil, "last-login-at": nil,
		},
		Relationships: map[string]relationship{"teams": toMany("teams", nil), "identity-providers": toMany("identity-providers", nil)},
	}
}
