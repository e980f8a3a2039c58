package event

// parts checks the parts that an event has, whatever its kind: a policy event may say which run it was.
func (c *checker) parts(e *Event) {
	if e.Run != nil {
		c.run(e.Run)
	}
	if a := e.Assessment; a != nil {
		c.assessment("/assessment/new", &a.New)
		if a.Prior != nil {
			c.assessment("/assessment/prior", a.Prior)
		}
	}
	if a := e.AutoDestroy; a != nil {
		c.refuse(a.HoursLeft < 0, "/auto_destroy/hours_left", "Must not be negative.")
		c.name("/auto_destroy/run_source_id", a.RunSourceID)
		c.word("/auto_destroy/run_status", string(a.RunStatus))
		c.text("/auto_destroy/run_error", a.RunError, MaxError)
	}
	c.deployment(e.Deployment)
	c.environment(e.Environment)
	c.policy(e.Policy)
	c.changeRequest(e.ChangeRequest)
	c.moduleVersion(e.ModuleVersion)
	c.account(e.Account)
	c.notifier(e.Notifier)
}

func (c *checker) assessment(base string, r *AssessmentResult) {
	defer c.restore(c.place)
	c.place = place{base: base}
	c.name("/source_id", r.SourceID)
	c.atLeastZero("/resources_drifted", r.ResourcesDrifted)
	c.atLeastZero("/resources_undrifted", r.ResourcesUndrifted)
	c.atLeastZero("/checks_passed", r.ChecksPassed)
	c.atLeastZero("/checks_failed", r.ChecksFailed)
	c.atLeastZero("/checks_errored", r.ChecksErrored)
	c.atLeastZero("/checks_unknown", r.ChecksUnknown)
	c.text("/error", r.Error, MaxError)
	c.url("/url", r.URL)
	c.name("/run_source_id", r.RunSourceID)
	c.name("/native_status", r.NativeStatus)
	c.names("/drifted_resources", r.DriftedResourceList)
	c.changes("/changes", r.Changes)
}

func (c *checker) deployment(d *Deployment) {
	if d == nil {
		return
	}
	c.name("/deployment/source_id", d.SourceID)
	c.atLeastZero("/deployment/number", d.Number)
	if d.Operation != "" {
		c.oneOf("/deployment/operation", string(d.Operation), operations)
	}
	c.url("/deployment/url", d.URL)
	c.name("/deployment/status", d.Status)
}

func (c *checker) environment(e *Environment) {
	if e == nil {
		return
	}
	c.name("/environment/project", e.Project)
	c.required("/environment/name", e.Name)
	c.name("/environment/tag", e.Tag)
	c.atLeastZero("/environment/revision", e.Revision)
	c.atLeastZero("/environment/prior_revision", e.PriorRevision)
	c.count("/environment/affected_revisions", len(e.AffectedRevisions))
	if i := e.Imported; i != nil {
		c.name("/environment/imported/project", i.Project)
		c.required("/environment/imported/name", i.Name)
		c.atLeastZero("/environment/imported/revision", i.Revision)
	}
	c.name("/environment/status", e.Status)
	c.text("/environment/error", e.Error, MaxError)
}

func (c *checker) policy(p *Policy) {
	if p == nil {
		return
	}
	c.url("/policy/run_url", p.RunURL)
	if len(p.Violations) == 0 {
		c.add("/policy/violations", "Must name at least one violated policy.")
	}
	c.count("/policy/violations", len(p.Violations))
	for i, v := range p.Violations {
		c.place = place{base: "/policy/violations", item: i + 1}
		c.name("/pack", v.Pack)
		c.name("/pack_version", v.PackVersion)
		c.required("/policy", v.Policy)
		c.text("/message", v.Message, MaxText)
		c.text("/resource", v.Resource, MaxURL)
		c.name("/severity", v.Severity)
	}
	c.place = place{}
}

func (c *checker) changeRequest(r *ChangeRequest) {
	if r == nil {
		return
	}
	c.name("/change_request/source_id", r.SourceID)
	c.text("/change_request/subject", r.Subject, MaxURL)
	c.text("/change_request/message", r.Message, MaxText)
	c.url("/change_request/url", r.URL)
	c.actor("/change_request/created_by", r.CreatedBy)
	c.atLeastZero("/change_request/latest_revision", r.LatestRevision)
	c.name("/change_request/status", r.Status)
}

func (c *checker) moduleVersion(v *ModuleVersion) {
	if v == nil {
		return
	}
	c.name("/module_version/id", v.ID)
	c.required("/module_version/number", v.Number)
	c.name("/module_version/state", v.State)
	c.name("/module_version/provider", v.Provider)
	c.name("/module_version/branch", v.Branch)
	c.commit("/module_version/commit", v.Commit)
	c.count("/module_version/test_runs", len(v.TestRuns))
	for i, r := range v.TestRuns {
		c.place = place{base: "/module_version/test_runs", item: i + 1}
		c.required("/id", r.ID)
		c.name("/title", r.Title)
		c.name("/state", r.State)
	}
	c.place = place{}
}

func (c *checker) account(a *Account) {
	if a == nil {
		return
	}
	c.refuse(a.Title == "" && a.Verb == "", "/account", `Needs "title" for an error, or "verb" for an audit record.`)
	if a.Severity != "" {
		c.oneOf("/account/severity", a.Severity, []string{"info", "warning", "error"})
	}
	c.text("/account/title", a.Title, MaxURL)
	c.text("/account/body", a.Body, MaxText)
	c.text("/account/cause", a.Cause, MaxText)
	c.name("/account/verb", a.Verb)
	c.names("/account/actor_roles", a.ActorRoles)
	c.name("/account/mutation", a.Mutation)
	c.name("/account/remote_ip", a.RemoteIP)
}

func (c *checker) notifier(n *Notifier) {
	if n == nil {
		return
	}
	c.name("/notifier/subscription", n.Subscription)
	c.name("/notifier/subscription_name", n.SubscriptionName)
	c.name("/notifier/destination", n.Destination)
	c.name("/notifier/delivery", n.Delivery)
	c.name("/notifier/event", n.Event)
	c.text("/notifier/reason", n.Reason, MaxText)
}

func (c *checker) commit(base string, v *Commit) {
	if v == nil {
		return
	}
	defer c.restore(c.place)
	c.place = place{base: base}
	c.name("/hash", v.Hash)
	c.text("/message", v.Message, MaxText)
	c.name("/author_name", v.AuthorName)
	c.name("/author_login", v.AuthorLogin)
	c.url("/url", v.URL)
}
