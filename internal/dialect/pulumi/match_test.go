package pulumi

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"carillon/internal/event"
	"carillon/internal/subscription"
)

func TestFilters(t *testing.T) {
	t.Parallel()
	table := fileAs[[]struct {
		Filter, Kind, Group string
		Scopes              []string
	}](t, "filters.json")
	levels := map[subscription.Level]string{
		subscription.LevelOrganization: "organization", subscription.LevelWorkspace: "stack", subscription.LevelEnvironment: "environment",
	}
	if len(table) != 44 || len(filters) != 44 {
		t.Fatalf("%d and %d filters", len(table), len(filters))
	}
	for i, row := range table {
		f := filterNamed(row.Filter)
		if f == nil || f.kind != row.Kind || f.group != row.Group {
			t.Errorf("%s is %+v", row.Filter, f)
			continue
		}
		if filters[i].name != row.Filter {
			t.Errorf("%s stands in the place of %s", filters[i].name, row.Filter)
		}
		for level, word := range levels {
			if f.openTo(level) != slices.Contains(row.Scopes, word) {
				t.Errorf("%s at %s: %v", row.Filter, word, f.openTo(level))
			}
		}
	}
	for level, want := range map[subscription.Level][2]int{
		subscription.LevelOrganization: {44, 5}, subscription.LevelWorkspace: {22, 3}, subscription.LevelEnvironment: {18, 2},
		subscription.LevelProject: {}, subscription.LevelTeam: {},
	} {
		var values []string
		for _, trigger := range New().Triggers(level) {
			values = append(values, trigger.Value)
		}
		named, grouped := split(values)
		if len(named) != want[0] || len(grouped) != want[1] {
			t.Errorf("%s: %d filters and %d groups", level, len(named), len(grouped))
		}
	}
}

type matchVector struct {
	Name    string
	Webhook struct {
		Scope   string
		Active  bool
		Filters []string
		Groups  []string
	}
	Event struct {
		Organization string
		Stack        *string
		Environment  *string
		Filters      []string
	}
	Delivered bool
}

func TestMatchVectors(t *testing.T) {
	t.Parallel()
	vectors := fileAs[[]matchVector](t, "match-vectors.json")
	if len(vectors) != 23 {
		t.Fatalf("there are %d vectors", len(vectors))
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			s := hook(subscription.ChannelWebhook, slices.Concat(v.Webhook.Filters, v.Webhook.Groups)...)
			s.Enabled, s.Scopes = v.Webhook.Active, []subscription.Scope{scopeNamed(v.Webhook.Scope)}
			e := v.happened(t)
			notices := New().Notices(e)
			if len(notices) != 1 {
				t.Fatalf("the event says %+v", notices)
			}
			var index subscription.Index
			index.Put(s)
			found := index.Match(Name, notices, subscription.Places(e))
			if (len(found) == 1) != v.Delivered || len(found) > 1 {
				t.Errorf("%d deliveries of %+v", len(found), notices)
			}
			verdict := subscription.Judge(s, notices[0], subscription.Places(e))
			if (verdict == subscription.Matches) != v.Delivered {
				t.Errorf("the verdict is %s", verdict)
			}
		})
	}
}

// scopeNamed reads "org:acme", "stack:acme/website/prod", "env:acme/website/prod".
func scopeNamed(text string) subscription.Scope {
	kind, name, _ := strings.Cut(text, ":")
	switch kind {
	case "stack":
		return subscription.Scope{Level: subscription.LevelWorkspace, ID: sampleStack}
	case "env":
		parts := strings.Split(name, "/")
		return subscription.Scope{
			Level: subscription.LevelEnvironment, ID: subscription.EnvironmentScopeID(sampleOrganization, parts[1], parts[2]),
		}
	}
	return subscription.Scope{Level: subscription.LevelOrganization, ID: sampleOrganization}
}

// happened makes an event of the platform's own that has the vector's filters.
func (v matchVector) happened(t *testing.T) *event.Event {
	t.Helper()
	e := sample(event.KindOther)
	e.Organization.Name, e.Project, e.Workspace = v.Event.Organization, nil, nil
	if v.Event.Organization != "acme" {
		e.Organization.ID++
	}
	if v.Event.Stack != nil {
		e.Workspace = &event.Workspace{ID: sampleStack, Name: "prod"}
		if !strings.HasSuffix(*v.Event.Stack, "/prod") {
			e.Workspace.ID = otherStack
		}
	}
	if v.Event.Environment != nil {
		parts := strings.Split(*v.Event.Environment, "/")
		e.Environment = &event.Environment{Project: parts[1], Name: parts[2]}
	}
	e.Native = &event.Native{Dialect: Name, Kind: "new_kind", Body: []byte("{}")}
	if len(v.Event.Filters) > 0 {
		f := filterNamed(v.Event.Filters[len(v.Event.Filters)-1])
		body, err := json.Marshal(membersFor(f, slices.Contains(v.Event.Filters, "drift_detected")))
		if err != nil {
			t.Fatal(err)
		}
		e.Native.Kind, e.Native.Body = f.kind, body
	}
	if got := announce(e)[0].filters; !slices.Equal(got, v.Event.Filters) {
		t.Fatalf("the filters are %v", got)
	}
	return e
}

// membersFor are members from which the filter follows.
func membersFor(f *filter, drifted bool) map[string]any {
	name, end := f.name[:strings.LastIndexByte(f.name, '_')], f.name[strings.LastIndexByte(f.name, '_')+1:]
	if end == "queued" {
		end = statusQueued
	}
	return map[string]any{"kind": name, "result": end, "status": end, "action": end, "driftDetected": drifted}
}
