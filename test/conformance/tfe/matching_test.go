package tfe_test

import (
	"net/http"
	"strings"
	"testing"

	tfe "github.com/hashicorp/go-tfe"

	"carillon/test/conformance"
)

// owes posts an event and returns how many deliveries it is owed in.
func (p *platform) owes(t *testing.T, e object) int {
	t.Helper()
	var receipt struct {
		Deliveries int `json:"deliveries"`
	}
	p.Want(t, http.StatusAccepted, "POST", "/v1/events", e, &receipt)
	return receipt.Deliveries
}

// raw creates a configuration with triggers that the client can not send yet.
func (p *platform) raw(t *testing.T, place, url string, triggers string) {
	t.Helper()
	p.Want(t, http.StatusCreated, "POST", "/api/v2/"+place+"/notification-configurations",
		`{"data":{"type":"notification-configurations","attributes":{"name":"raw","destination-type":"generic","enabled":true,"url":"`+url+`","triggers":[`+triggers+`]}}}`, nil)
}

// TestMatching is section 4.4 on the running program.
func TestMatching(t *testing.T) {
	t.Parallel()
	p, ctx := newPlatform(t), t.Context()
	w := p.workspace(t, "my-workspace")
	sink := conformance.NewSink(t)
	p.raw(t, "workspaces/"+w.ID, sink.URL, `"run:errored","run:run_errored","run:cost_estimated","run:pending_apply_approval","run:created"`)
	p.raw(t, "projects/"+p.organization.DefaultProject.ID, sink.URL, `"run:errored","assessment:drifted"`)
	run := func(id, status string, more object) object {
		fields := object{"source_id": id, "external_ids": object{}}
		for key, value := range more {
			fields[key] = value
		}
		return runEvent(status, fields)
	}
	for _, tc := range []struct {
		name string
		e    object
		want int
	}{
		{"of two matching values one is told, in the workspace and in its project", run("1", "errored", nil), 2},
		{"two stages of one stop", run("2", "cost_estimated", object{"awaiting": true}), 1},
		{"a stage without a stop", run("3", "cost_estimated", nil), 1},
		{"a status that fires nothing", run("4", "discarded", nil), 0},
		{"a value that nobody named", run("5", "applied", nil), 0},
		{"a plan-only run", run("6", "errored", object{"operation": "plan"}), 0},
	} {
		if got := p.owes(t, tc.e); got != tc.want {
			t.Errorf("%s: %d deliveries, want %d", tc.name, got, tc.want)
		}
	}
	if _, err := p.client.Workspaces.UpdateByID(ctx, w.ID, tfe.WorkspaceUpdateOptions{ExecutionMode: tfe.String("local")}); err != nil {
		t.Fatal(err)
	}
	if got := p.owes(t, run("7", "errored", nil)); got != 0 {
		t.Errorf("a local workspace: %d deliveries", got)
	}
	if _, err := p.client.Workspaces.UpdateByID(ctx, w.ID, tfe.WorkspaceUpdateOptions{ExecutionMode: tfe.String("remote"), Project: p.project(t, "elsewhere")}); err != nil {
		t.Fatal(err)
	}
	moved := run("8", "errored", nil)
	moved["project"] = object{"name": "elsewhere"}
	if got := p.owes(t, moved); got != 1 {
		t.Errorf("a workspace that moved to another project: %d deliveries", got)
	}
}

func TestChangeRequestsReachTheTeamsTheyName(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	p.workspace(t, "my-workspace")
	sink := conformance.NewSink(t)
	for _, name := range []string{"first", "second"} {
		p.raw(t, "teams/"+p.team(t, name).ID, sink.URL, `"change_request:created"`)
	}
	request := object{
		"kind": "change_request", "action": "created", "organization": object{"name": "acme-org"}, "workspace": object{"name": "my-workspace"},
		"change_request": object{"source_id": "c-1", "subject": "s"},
	}
	if got := p.owes(t, request); got != 2 {
		t.Errorf("no team named: %d deliveries", got)
	}
	request["teams"], request["change_request"] = []object{{"name": "second"}}, object{"source_id": "c-2", "subject": "s"}
	if got := p.owes(t, request); got != 1 {
		t.Errorf("one team named: %d deliveries", got)
	}
}

// TestEveryIdentifierCanBeLookedUp follows the identifiers and addresses of payloads into the API (S9).
func TestEveryIdentifierCanBeLookedUp(t *testing.T) {
	t.Parallel()
	p, ctx := newPlatform(t), t.Context()
	w := p.workspace(t, "my-workspace")
	sink := conformance.NewSink(t)
	p.raw(t, "workspaces/"+w.ID, sink.URL, `"run:completed","assessment:drifted"`)
	p.owes(t, runEvent("applied", object{"source_id": "not-of-the-platform", "external_ids": object{}}))
	result := func(id string, drifted int) object {
		return object{
			"source_id": id, "succeeded": true, "drifted": drifted > 0, "all_checks_succeeded": true, "resources_drifted": drifted,
			"resources_undrifted": 5, "created_at": "2025-03-04T05:06:07Z",
		}
	}
	p.owes(t, object{
		"kind": "assessment", "organization": object{"name": "acme-org"}, "workspace": object{"name": "my-workspace"},
		"assessment": object{"new": result("a-2", 2), "prior": result("a-1", 0)},
	})
	for _, r := range sink.Wait(t, 3)[1:] {
		payload := decode(t, r.Body)
		nc, err := p.client.NotificationConfigurations.Read(ctx, payload["notification_configuration_id"].(string))
		if err != nil || nc.Name != "raw" {
			t.Errorf("got %+v, %v", nc, err)
		}
		if details, ok := payload["details"].(map[string]any); ok {
			p.Want(t, http.StatusOK, "GET", strings.TrimPrefix(payload["notification_configuration_url"].(string), p.URL), nil, nil)
			for key, drifted := range map[string]float64{"new_assessment_result": 2, "prior_assessment_result": 0} {
				found := details[key].(map[string]any)
				got := p.Want(t, http.StatusOK, "GET", strings.TrimPrefix(found["url"].(string), p.URL), nil, nil)
				if a := attributes(t, got.Body); a["resources-drifted"] != drifted {
					t.Errorf("%s: got %v", key, a)
				}
			}
			continue
		}
		run, err := p.client.Runs.Read(ctx, payload["run_id"].(string))
		if err != nil || run.Status != tfe.RunApplied {
			t.Errorf("got %+v, %v", run, err)
		}
		if workspace, err := p.client.Workspaces.ReadByID(ctx, payload["workspace_id"].(string)); err != nil || workspace.Name != "my-workspace" {
			t.Errorf("got %+v, %v", workspace, err)
		}
	}
}
