package webhook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// ScalrPayload is a body of Scalr, of either generation: the older writes its members with underscores, the newer with
// hyphens.
type ScalrPayload struct {
	Version     Number       `json:"payload_version"`
	Event       string       `json:"event_name"` // run:completed, run:errored or run:needs_attention
	Run         ScalrRun     `json:"run"`
	Webhook     ScalrObject  `json:"webhook"`
	Workspace   ScalrObject  `json:"workspace"`
	Environment ScalrObject  `json:"environment"`
	Variables   ScalrStrings `json:"variables"`
}

// ScalrRun is the run.
type ScalrRun struct {
	ID        string     `json:"id"`
	Message   string     `json:"message"`
	Status    string     `json:"status"`
	Source    string     `json:"source"`
	URL       string     `json:"url"`
	CreatedAt Time       `json:"created_at"`
	UpdatedAt Time       `json:"updated_at"`
	CreatedBy ScalrActor `json:"created_by"`
}

// ScalrActor is who made the run; what is not known is empty.
type ScalrActor struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	Email    string `json:"email"`
}

// ScalrObject names something. The webhook has no URL.
type ScalrObject struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	URL  string `json:"url"`
}

// ScalrStrings are the run's variables. A value that is not a string is kept as its JSON text.
type ScalrStrings map[string]string

// UnmarshalJSON reads the variables.
func (s *ScalrStrings) UnmarshalJSON(text []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return fmt.Errorf("variables are not an object")
	}
	all := make(ScalrStrings, len(members))
	for name, raw := range members {
		var plain string
		if json.Unmarshal(raw, &plain) != nil {
			var compact bytes.Buffer
			if err := json.Compact(&compact, raw); err != nil {
				return err
			}
			plain = compact.String()
		}
		all[name] = plain
	}
	*s = all
	return nil
}

// ParseScalr reads a body of Scalr.
func ParseScalr(body []byte) (*ScalrPayload, error) {
	var members map[string]json.RawMessage
	if err := object(body, &members); err != nil {
		return nil, err
	}
	folded, err := json.Marshal(fold(members))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPayload, err)
	}
	p := new(ScalrPayload)
	if err := object(folded, p); err != nil {
		return nil, err
	}
	if p.Event == "" {
		return nil, missing("event_name")
	}
	if p.Run.ID == "" {
		return nil, missing("run.id")
	}
	return p, nil
}

// fold writes members with underscores on every level. The names of variables are the user's own and stay.
func fold(members map[string]json.RawMessage) map[string]json.RawMessage {
	folded := make(map[string]json.RawMessage, len(members))
	for name, raw := range members {
		key := strings.ReplaceAll(name, "-", "_")
		if _, taken := members[key]; taken && key != name {
			continue // both spellings: the plain one counts
		}
		if key != "variables" {
			raw = foldValue(raw)
		}
		folded[key] = raw
	}
	return folded
}

func foldValue(raw json.RawMessage) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil || members == nil {
		return raw
	}
	text, err := json.Marshal(fold(members))
	if err != nil {
		return raw
	}
	return text
}
