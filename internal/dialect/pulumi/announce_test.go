package pulumi

import (
	"slices"
	"strings"
	"testing"

	"carillon/internal/event"
	"carillon/internal/subscription"
)

// spelled lists what an event says: kinds, operations, outcomes, filters.
func spelled(e *event.Event) string {
	var parts []string
	for _, a := range announce(e) {
		parts = append(parts, strings.Join(strings.Fields(a.kind+" "+a.operation+" "+a.outcome), " ")+" ["+strings.Join(a.filters, " ")+"]")
	}
	return strings.Join(parts, "; ")
}

func TestRuns(t *testing.T) {
	t.Parallel()
	yes := true
	for name, tc := range map[string]struct {
		run  event.Run
		from string
		want string
	}{
		"queued":                        {event.Run{Status: event.StatusPending}, "", ""},
		"queued by a service":           {event.Run{Status: event.StatusPending, Service: true}, "", "deployment update not-started [deployment_queued]"},
		"planning":                      {event.Run{Status: event.StatusPlanning}, "", ""},
		"planning by a service":         {event.Run{Status: event.StatusPlanning, Service: true, Operation: event.OperationDestroy}, "", "deployment destroy running [deployment_started]"},
		"planned":                       {event.Run{Status: event.StatusPlanned, Service: true}, "", "stack_preview update succeeded [preview_succeeded]"},
		"planned and waiting":           {event.Run{Status: event.StatusPlanned, Awaiting: true}, "", "stack_preview update succeeded [preview_succeeded]"},
		"plan only, planned":            {event.Run{Status: event.StatusPlanned, Operation: event.OperationPlan}, "", ""},
		"saved":                         {event.Run{Status: event.StatusPlannedAndSaved, Operation: event.OperationDestroy}, "", "stack_preview destroy succeeded [preview_succeeded]"},
		"costs, waiting, by webhook":    {event.Run{Status: event.StatusCostEstimated, Awaiting: true}, "webhook", "stack_preview update succeeded [preview_succeeded]"},
		"policies, waiting, by webhook": {event.Run{Status: event.StatusPolicyChecked, Awaiting: true}, "webhook", "stack_preview update succeeded [preview_succeeded]"},
		"costs, going on, by webhook":   {event.Run{Status: event.StatusCostEstimated}, "webhook", ""},
		"costs, waiting, told of all":   {event.Run{Status: event.StatusCostEstimated, Awaiting: true}, "api", ""},
		"needs an override":             {event.Run{Status: event.StatusPolicyOverride, Awaiting: true, Service: true}, "webhook", ""},
		"applying":                      {event.Run{Status: event.StatusApplying, Service: true}, "", ""},
		"applied":                       {event.Run{Status: event.StatusApplied, Operation: event.OperationApply}, "", "stack_update update succeeded [update_succeeded]"},
		"applied by a service":          {event.Run{Status: event.StatusApplied, Service: true}, "", "stack_update update succeeded [update_succeeded]; deployment update succeeded [deployment_succeeded]"},
		"destroyed":                     {event.Run{Status: event.StatusApplied, Operation: event.OperationDestroy}, "", "stack_update destroy succeeded [destroy_succeeded]"},
		"refreshed":                     {event.Run{Status: event.StatusApplied, Operation: event.OperationRefresh, Service: true}, "", "stack_update refresh succeeded [refresh_succeeded]; deployment refresh succeeded [deployment_succeeded]"},
		"imported by a service":         {event.Run{Status: event.StatusApplied, Operation: event.OperationImport, Service: true}, "", "stack_update import succeeded [import_succeeded]; deployment update succeeded [deployment_succeeded]"},
		"nothing to change":             {event.Run{Status: event.StatusPlannedAndFinished, Operation: event.OperationApply}, "", "stack_update update succeeded [update_succeeded]"},
		"plan only, done":               {event.Run{Status: event.StatusPlannedAndFinished, Operation: event.OperationPlan, Service: true}, "", "stack_preview update succeeded [preview_succeeded]; deployment preview succeeded [deployment_succeeded]"},
		"errored in the plan":           {event.Run{Status: event.StatusErrored, Phase: event.PhasePlan, Service: true}, "", "stack_preview update failed [preview_failed]; deployment update failed [deployment_failed]"},
		"errored in the apply":          {event.Run{Status: event.StatusErrored, Phase: event.PhaseApply, Operation: event.OperationDestroy}, "", "stack_update destroy failed [destroy_failed]"},
		"errored somewhere":             {event.Run{Status: event.StatusErrored}, "", "stack_update update failed [update_failed]"},
		"errored somewhere, plan only":  {event.Run{Status: event.StatusErrored, Operation: event.OperationPlan}, "", "stack_preview update failed [preview_failed]"},
		"canceled in the plan":          {event.Run{Status: event.StatusCanceled, Phase: event.PhasePlan}, "", "stack_preview update failed [preview_failed]"},
		"force-canceled":                {event.Run{Status: event.StatusForceCanceled, Service: true}, "", "stack_update update failed [update_failed]; deployment update failed [deployment_failed]"},
		"stopped by a policy":           {event.Run{Status: event.StatusPolicySoftFailed}, "", "stack_preview update failed [preview_failed]"},
		"discarded":                     {event.Run{Status: event.StatusDiscarded}, "", ""},
		"discarded at a service":        {event.Run{Status: event.StatusDiscarded, Service: true}, "", "deployment update failed [deployment_failed]"},
		"skipped":                       {event.Run{Status: event.StatusSkipped, Service: true}, "", ""},
		"a task":                        {event.Run{Status: event.StatusApplied, Operation: event.OperationTask, Service: true}, "", ""},
		"a module's test":               {event.Run{Status: event.StatusErrored, Operation: event.OperationTest, Service: true}, "", ""},
		"an unknown status":             {event.Run{Status: "dreaming", Service: true}, "", ""},
		"looked for drift, found":       {event.Run{Status: event.StatusPlannedAndFinished, Operation: event.OperationPlan, Drift: true, HasChanges: &yes}, "", "drift_detection succeeded [drift_detected drift_detection_succeeded]"},
		"looked for drift, none":        {event.Run{Status: event.StatusPlannedAndFinished, Operation: event.OperationPlan, Drift: true, Changes: &event.Changes{Operations: map[string]int64{"same": 3}}}, "", "drift_detection succeeded [drift_detection_succeeded]"},
		"looked for drift, errored":     {event.Run{Status: event.StatusErrored, Operation: event.OperationPlan, Drift: true, Service: true}, "", "drift_detection failed [drift_detection_failed]; deployment detect-drift failed [deployment_failed]"},
		"will mend drift":               {event.Run{Status: event.StatusPlanned, Drift: true, Changes: &event.Changes{Change: 1}}, "", "drift_detection succeeded [drift_detected drift_detection_succeeded]"},
		"mended drift":                  {event.Run{Status: event.StatusApplied, Drift: true, Service: true, HasChanges: &yes}, "", "drift_remediation succeeded [drift_remediation_succeeded]; deployment remediate-drift succeeded [deployment_succeeded]"},
		"could not mend drift":          {event.Run{Status: event.StatusErrored, Drift: true, Phase: event.PhaseApply}, "", "drift_remediation failed [drift_remediation_failed]"},
	} {
		e := sample(event.KindRun)
		e.Source.Kind = tc.from
		e.Run = &tc.run
		if got := spelled(e); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

func TestOtherEvents(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*event.Event)
		kind   event.Kind
		want   string
	}{
		"stack renamed":         {func(e *event.Event) { e.Action = "renamed" }, event.KindWorkspace, ""},
		"checks failed":         {func(e *event.Event) { e.Action, e.Assessment = "check_failure", &event.Assessment{} }, event.KindAssessment, ""},
		"drift check failed":    {func(e *event.Event) { e.Assessment = &event.Assessment{} }, event.KindAssessment, "drift_detection failed [drift_detection_failed]"},
		"deployment queued":     {func(e *event.Event) { e.Action, e.Deployment = "queued", &event.Deployment{} }, event.KindDeployment, "deployment update not-started [deployment_queued]"},
		"deployment running":    {func(e *event.Event) { e.Action, e.Deployment = "running", &event.Deployment{} }, event.KindDeployment, "deployment update running [deployment_started]"},
		"a warning":             {func(e *event.Event) { e.Policy = &event.Policy{} }, event.KindPolicy, "policy_violation advisory [policy_violation_advisory]"},
		"environment made":      {func(e *event.Event) { e.Action, e.Environment = "created", &event.Environment{Name: "x"} }, event.KindEnvironment, "environment created [environment_created]"},
		"revision retracted":    {func(e *event.Event) { e.Action, e.Environment = "revision_retracted", &event.Environment{Name: "x"} }, event.KindEnvironment, "environment_revision retracted [environment_revision_retracted]"},
		"revision tagged":       {func(e *event.Event) { e.Action, e.Environment = "revision_tag_updated", &event.Environment{Name: "x"} }, event.KindEnvironment, "environment_revision_tag updated [environment_revision_tag_updated]"},
		"import changed":        {func(e *event.Event) { e.Action, e.Environment = "imported_changed", &event.Environment{Name: "x"} }, event.KindEnvironment, "imported_environment_changed changed [imported_environment_changed]"},
		"rotation failed":       {func(e *event.Event) { e.Action, e.Environment = "rotation_failed", &event.Environment{Name: "x"} }, event.KindEnvironment, "environment_rotation failed [environment_rotation_failed]"},
		"environment updated":   {func(e *event.Event) { e.Action, e.Environment = "updated", &event.Environment{Name: "x"} }, event.KindEnvironment, ""},
		"request about a stack": {func(e *event.Event) { e.Action, e.ChangeRequest = "created", &event.ChangeRequest{} }, event.KindChangeRequest, ""},
		"request approved": {func(e *event.Event) {
			e.Action, e.ChangeRequest, e.Environment = "approved", &event.ChangeRequest{}, &event.Environment{Name: "x"}
		}, event.KindChangeRequest, "change_request [change_request_approved]"},
		"notifier":        {func(e *event.Event) { e.Action, e.Notifier = "failing", &event.Notifier{} }, event.KindNotifier, ""},
		"another's other": {func(e *event.Event) { e.Native = &event.Native{Dialect: "elsewhere", Kind: "x", Body: []byte("{}")} }, event.KindOther, ""},
		"broken native":   {func(e *event.Event) { e.Native = &event.Native{Dialect: Name, Kind: "x", Body: []byte("{")} }, event.KindOther, ""},
		"odd native kind": {func(e *event.Event) { e.Native = &event.Native{Dialect: Name, Kind: "x\r\ny", Body: []byte("{}")} }, event.KindOther, ""},
		"native ping":     {func(e *event.Event) { e.Native = &event.Native{Dialect: Name, Kind: kindPing, Body: []byte("{}")} }, event.KindOther, ""},
		"native rotation": {func(e *event.Event) {
			e.Native = &event.Native{Dialect: Name, Kind: kindRotation, Body: []byte(`{"status":"succeeded"}`)}
		}, event.KindOther, "environment_rotation [environment_rotation_succeeded]"},
	} {
		e := sample(tc.kind)
		tc.change(e)
		if got := spelled(e); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

func TestSummaries(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		content content
		want    string
		tone    tone
	}{
		{content{kind: kindUpdate, operation: "update", result: "succeeded"}, "update succeeded", toneGood},
		{content{kind: kindPreview, operation: "destroy", result: "failed"}, "preview of destroy failed", toneBad},
		{content{kind: kindDeployment, operation: "update", version: 127, status: statusQueued}, "deployment 127 (update) queued", toneOther},
		{content{kind: kindDeployment, operation: "update", version: 127, status: statusRunning}, "deployment 127 (update) started", toneOther},
		{content{kind: kindDeployment, operation: "preview", version: 9, status: statusSucceeded}, "deployment 9 (preview) succeeded", toneGood},
		{content{kind: kindStack, action: "created"}, "created", toneOther},
		{content{kind: kindDrift, status: statusSucceeded, drifted: true}, "drift detected", toneOther},
		{content{kind: kindDrift, status: statusSucceeded}, "no drift", toneGood},
		{content{kind: kindDrift, status: statusFailed}, "drift detection failed", toneBad},
		{content{kind: kindRemediation, status: statusSucceeded}, "drift remediation succeeded", toneGood},
		{content{kind: kindPolicy, level: "mandatory", violations: make([]violation, 2)}, "2 mandatory policy violations", toneBad},
		{content{kind: kindPolicy, level: "advisory", violations: make([]violation, 1)}, "1 advisory policy violation", toneOther},
		{content{kind: kindRevision, action: "created"}, "environment revision created", toneOther},
		{content{kind: kindRotation, status: statusFailed}, "environment rotation failed", toneBad},
		{content{kind: kindImported}, "imported environment changed", toneOther},
		{content{kind: "something_new", action: "x"}, "something new x", toneOther},
	} {
		c := tc.content
		c.organization.Login, c.project, c.stack = "acme", "web", "prod"
		if got := c.summary(); got != "acme/web/prod "+tc.want || c.tone() != tc.tone {
			t.Errorf("got %q %v, want %q", got, c.tone(), tc.want)
		}
	}
}

// TestNumbersAreAskedForWhereTheyArePrinted checks which counters an event needs.
func TestNumbersAreAskedForWhereTheyArePrinted(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		run  event.Run
		want []string
	}{
		"a preview has a UUID":   {event.Run{Status: event.StatusPlanned}, nil},
		"an update":              {event.Run{Status: event.StatusApplied}, []string{seriesUpdates}},
		"an update with a page":  {event.Run{Status: event.StatusApplied, URL: "https://x"}, nil},
		"a numbered run":         {event.Run{Status: event.StatusApplied, Number: 3, Service: true}, nil},
		"a service's run":        {event.Run{Status: event.StatusApplied, Service: true}, []string{seriesUpdates, seriesDeployments}},
		"a service's run, page":  {event.Run{Status: event.StatusApplied, Service: true, URL: "https://x"}, []string{seriesDeployments}},
		"a drift check":          {event.Run{Status: event.StatusPlannedAndFinished, Drift: true, Operation: event.OperationPlan}, []string{seriesDeployments}},
		"what is not spoken of":  {event.Run{Status: event.StatusApplying, Service: true}, nil},
		"errored before it went": {event.Run{Status: event.StatusErrored, Phase: event.PhasePlan}, nil},
	} {
		e := sample(event.KindRun)
		e.Run = &tc.run
		if got := New().Counters(e); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	e := sample(event.KindRun)
	e.Organization.Name, e.Project, e.Workspace.Name = "a b", nil, "p/q?r"
	e.Run = &event.Run{SourceID: "run-1", Status: event.StatusApplied, Service: true, Number: 7}
	for kind, want := range map[string]string{
		kindUpdate: "https://hooks.example.com/a%20b/default/p%2Fq%3Fr/updates/7", kindDeployment: "https://hooks.example.com/a%20b/default/p%2Fq%3Fr/deployments/7",
	} {
		if got := fileLink(renderKind(t, e, kind, hook(subscription.ChannelWebhook)).Body); got != want {
			t.Errorf("%s: %s", kind, got)
		}
	}
	e.Run.Status = event.StatusPlanned
	want := "https://hooks.example.com/a%20b/default/p%2Fq%3Fr/previews/" + uuidOf("https://hooks.example.com/a%20b/default/p%2Fq%3Fr/run-1")
	if got := fileLink(renderKind(t, e, kindPreview, hook(subscription.ChannelWebhook)).Body); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func fileLink(body []byte) string {
	c, _ := readContent("", body)
	return c.link
}
