package pulumi

import (
	"cmp"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"carillon/internal/dialect"
	"carillon/internal/event"
)

// Series of numbers that the platform gives to runs of a stack: it counts updates and deployments apart (§3.3).
const (
	seriesUpdates     = "updates"
	seriesDeployments = "deployments"
)

// defaultProject stands where the source of an event names no project (§3.3).
const defaultProject = "default"

// compose fills in what an announcement of an event says (§3.3).
func compose(e *event.Event, a announcement, site dialect.Site) (content, error) {
	if a.native {
		c, ok := readContent(a.kind, e.Native.Body)
		if !ok {
			return content{}, fmt.Errorf("the event does not hold what the platform said")
		}
		return c, nil
	}
	c := content{
		kind: a.kind, user: actorOf(e), organization: organizationOf(e), project: projectOf(e),
		action: a.action, operation: a.operation, result: a.outcome, status: a.outcome, drifted: a.drifted, level: a.outcome,
		preview: a.kind == kindPreview,
	}
	if e.Workspace != nil {
		c.stack = e.Workspace.Name
	}
	at := place{site: site, content: &c}
	switch {
	case e.Environment != nil:
		c.fillEnvironment(e)
	case e.Assessment != nil && e.Kind == event.KindAssessment:
		c.fillAssessment(e, at)
	case e.Deployment != nil && e.Kind == event.KindDeployment:
		d := e.Deployment
		c.version = number(d.Number, e, seriesDeployments)
		c.link = cmp.Or(d.URL, at.numbered(seriesDeployments, c.version))
	case e.Policy != nil && e.Kind == event.KindPolicy:
		c.fillPolicy(e, at)
	case e.Run != nil:
		c.fillRun(e, at)
	}
	return c, nil
}

// place is where the pages of a stack are.
type place struct {
	site    dialect.Site
	content *content
}

// stack is the address of the stack's page, segments percent-encoded.
func (p place) stack() string {
	return p.site.BaseURL + "/" + url.PathEscape(p.content.organization.Login) + "/" + url.PathEscape(p.content.project) + "/" +
		url.PathEscape(p.content.stack)
}

func (p place) numbered(series string, n int64) string {
	return p.stack() + "/" + series + "/" + strconv.FormatInt(n, 10)
}

// uuid names a run as the platform names previews and drift runs: by the run's own UUID, else by one that follows from its
// address.
func (p place) uuid(run string) string {
	if last := run[strings.LastIndexByte(run, '/')+1:]; isUUID(last) {
		return strings.ToLower(last)
	}
	return uuidOf(p.stack() + "/" + run)
}

// number is the source's own, else the one that was drawn for the event, else the first.
func number(own int64, e *event.Event, series string) int64 {
	return cmp.Or(own, e.Numbers[series], 1)
}

func (c *content) fillRun(e *event.Event, at place) {
	r := e.Run
	c.changes = changesOf(r.Changes)
	switch c.kind {
	case kindPreview:
		c.link = cmp.Or(r.URL, at.stack()+"/previews/"+at.uuid(r.SourceID))
	case kindUpdate:
		c.link = cmp.Or(r.URL, at.numbered(seriesUpdates, number(r.Number, e, seriesUpdates)))
	default:
		c.version = number(r.Number, e, seriesDeployments)
		c.link = cmp.Or(r.URL, at.numbered(seriesDeployments, c.version))
		c.driftRun = at.uuid(r.SourceID)
	}
}

func (c *content) fillAssessment(e *event.Event, at place) {
	found := e.Assessment.New
	run := cmp.Or(found.RunSourceID, found.SourceID)
	if run == "" {
		run = e.ID.String()
	}
	c.driftRun = at.uuid(run)
	c.changes = changesOf(found.Changes)
	c.link = cmp.Or(found.URL, at.numbered(seriesDeployments, number(0, e, seriesDeployments)))
}

// fillPolicy leads to the update that was checked, as far as it is known, else to the stack.
func (c *content) fillPolicy(e *event.Event, at place) {
	c.link = cmp.Or(e.Policy.RunURL, at.stack())
	if e.Policy.RunURL == "" && e.Run != nil {
		c.link = cmp.Or(e.Run.URL, at.numbered(seriesUpdates, number(e.Run.Number, e, seriesUpdates)))
	}
	for _, v := range e.Policy.Violations {
		c.violations = append(c.violations, violation{
			Pack: v.Pack, Version: v.PackVersion, Policy: v.Policy, Message: v.Message, Resource: v.Resource, Severity: v.Severity,
		})
	}
}

func (c *content) fillEnvironment(e *event.Event) {
	env := e.Environment
	c.project, c.environment = cmp.Or(env.Project, defaultProject), env.Name
	c.tag, c.revision, c.affected = env.Tag, env.Revision, env.AffectedRevisions
	c.before, c.after, c.complaint = env.PriorRevision, env.Revision, env.Error
	if i := env.Imported; i != nil {
		c.imported = reference{Project: i.Project, Name: i.Name, Revision: i.Revision}
	}
	if r := e.ChangeRequest; r != nil {
		c.request = changeRequest{
			ID: r.SourceID, Revision: r.LatestRevision, Status: cmp.Or(r.Status, c.action), Description: cmp.Or(r.Subject, r.Message),
		}
	}
}

// actorOf is who asked for it: who caused the step, else who made the run. Nobody known is three empty texts (§3.1).
func actorOf(e *event.Event) account {
	who := e.Actor
	if who == nil && e.Run != nil {
		who = e.Run.CreatedBy
	}
	if who == nil {
		return account{}
	}
	return account{Name: cmp.Or(who.FullName, who.Name, who.Email), Login: who.Name, Avatar: who.AvatarURL}
}

func organizationOf(e *event.Event) account {
	o := e.Organization
	return account{Name: cmp.Or(o.DisplayName, o.Name), Login: o.Name, Avatar: o.AvatarURL}
}

func projectOf(e *event.Event) string {
	if e.Project == nil || e.Project.Name == "" {
		return defaultProject
	}
	return e.Project.Name
}

// changesOf gives the platform's words to counts; those that are unknown or zero are left out. A source's own counts are
// passed on with its own words (§3.2).
func changesOf(c *event.Changes) counts {
	known := counts{}
	if c == nil {
		return known
	}
	own := c.Operations
	if own == nil {
		own = map[string]int64{
			"create": c.Add, "update": c.Change, "delete": c.Destroy, "import": c.Import, "replace": c.Replace,
		}
	}
	for name, n := range own {
		if n > 0 {
			known[name] = n
		}
	}
	return known
}
