package scalr

import (
	"strings"
	"unicode/utf8"

	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
)

const environmentType = "environments"

// environmentDefaults is what an environment shows before anybody sent anything (§6).
func environmentDefaults() attributeSet {
	return attributeSet{
		"cost-estimation-enabled": false, "remote-backend": true, "remote-backend-overridable": true, "mask-sensitive-output": true,
		"is-federated-to-account": false,
	}
}

// environmentRelations are echoed as they were sent; what the platform keeps behind them is not modelled.
var environmentRelations = []string{
	"policy-groups", "default-provider-configurations", "provider-configurations", "tags", "storage-profile",
	"default-workspace-agent-pool",
}

// environment renders an environment. The relation to the account is always there: a client stops without it (§8).
func (c *call) environment(p *estate.Project) (resource, error) {
	account, err := c.accountID(p.OrganizationID)
	if err != nil {
		return resource{}, err
	}
	creator, err := c.creator(extraOf(&p.Common).CreatedBy)
	if err != nil {
		return resource{}, err
	}
	id := idOf(&p.Common, environmentIDs)
	defaults := map[string]relationship{
		"policy-groups": toMany("policy-groups", nil), "default-provider-configurations": toMany("provider-configurations", nil),
		"provider-configurations": toMany("provider-configurations", nil), "tags": toMany("tags", nil), "storage-profile": {},
		"default-workspace-agent-pool": {},
	}
	relations := relationsOf(&p.Common, defaults)
	relations["account"], relations["created-by"] = toOne(accountType, account), creator
	return resource{
		ID: id, Type: environmentType,
		Attributes: attributesOf(&p.Common, environmentDefaults()).with(attributeSet{
			"name": p.Name, "status": "Active", "created-at": timeText(p.CreatedAt),
		}),
		Relationships: relations, Links: selfLink{prefix + "/environments/" + id},
	}, nil
}

func (c *call) answerEnvironment(how func(any) answer, p estate.Project) (answer, error) {
	r, err := c.environment(&p)
	if err != nil {
		return answer{}, err
	}
	return c.answerWith(how, r)
}

func (c *call) theEnvironment() (estate.Project, error) {
	p, err := find(c, c.Projects, environmentIDs, c.path("environment"))
	return p, seenAs(err, "Environment", c.path("environment"))
}

// environmentsOf lists the environments of the accounts that a request is about.
func (c *call) environmentsOf(v view) ([]estate.Project, error) {
	accounts, err := c.accounts(v)
	if err != nil {
		return nil, err
	}
	var all []estate.Project
	for i := range accounts {
		some, err := c.Projects.List(c, c.who, accounts[i].ID)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

func listEnvironments(c *call) (answer, error) {
	v, err := c.newView()
	if err != nil {
		return answer{}, err
	}
	all, err := c.environmentsOf(v)
	if err != nil {
		return answer{}, err
	}
	name := func(p *estate.Project) string { return p.Name }
	all, err = choose(v, all, listing[estate.Project]{
		id: func(p *estate.Project) ident.ID { return p.ID }, name: name,
		sorts: map[string]func(*estate.Project) string{"name": name},
		filters: map[string]func(*estate.Project, string) (bool, error){
			"account": taken[estate.Project],
			"name":    func(p *estate.Project, value string) (bool, error) { return matches(value, p.Name), nil },
			"environment": func(p *estate.Project, value string) (bool, error) {
				return matches(value, idOf(&p.Common, environmentIDs)), nil
			},
			"tag": func(*estate.Project, string) (bool, error) { return false, nil }, // there are no tags here
		},
	})
	if err != nil {
		return answer{}, err
	}
	return pageOf(c, v, all, c.environment)
}

func showEnvironment(c *call) (answer, error) {
	p, err := c.theEnvironment()
	if err != nil {
		return answer{}, err
	}
	return c.answerEnvironment(ok, p)
}

func createEnvironment(c *call) (answer, error) {
	in, err := c.read(environmentType)
	if err != nil {
		return answer{}, err
	}
	account, err := c.account(in)
	if err != nil {
		return answer{}, err
	}
	p := estate.Project{OrganizationID: account.ID}
	if err := fillEnvironment(in, &p); err != nil {
		return answer{}, err
	}
	if err := madeBy(&p.Common, c.who); err != nil {
		return answer{}, err
	}
	saved, err := c.Projects.Create(c, c.who, p)
	if err != nil {
		return answer{}, seenAs(err, "Account", idOf(&account.Common, accountIDs))
	}
	return c.answerEnvironment(created, saved)
}

// madeBy notes who makes an object.
func madeBy(o *estate.Common, who estate.Principal) error {
	kept := extraOf(o)
	kept.CreatedBy = who.UserID
	return put(o, kept)
}

func fillEnvironment(in *input, p *estate.Project) error {
	var list problems
	in.name(&p.Name, &list)
	if err := list.err(); err != nil {
		return err
	}
	return keep(&p.Common, in, environmentRelations...)
}

const nameLimit = 255

// name reads a name that must not be blank and is kept as it was sent. One that was there may be left out.
func (in *input) name(into *string, list *problems) {
	if !in.has("name") && *into != "" {
		return
	}
	var name string
	switch {
	case !in.take("name", &name):
		list.invalid("name", "Name must be a string.")
	case strings.TrimSpace(name) == "":
		list.invalid("name", "Name cannot be empty.")
	case utf8.RuneCountInString(name) > nameLimit:
		list.invalid("name", "Name is too long (maximum is 255 characters).")
	default:
		*into = name
	}
}

func updateEnvironment(c *call) (answer, error) {
	p, err := c.theEnvironment()
	if err != nil {
		return answer{}, err
	}
	in, err := c.read(environmentType)
	if err != nil {
		return answer{}, err
	}
	saved, err := c.Projects.Update(c, c.who, p.ID, func(p *estate.Project) error { return fillEnvironment(in, p) })
	if err != nil {
		return answer{}, seenAs(err, "Environment", c.path("environment"))
	}
	return c.answerEnvironment(ok, saved)
}

// deleteEnvironment refuses an environment that has workspaces. Its endpoints and their webhooks go with it, webhook
// integrations are unlinked (§6).
func deleteEnvironment(c *call) (answer, error) {
	p, err := c.theEnvironment()
	if err != nil {
		return answer{}, err
	}
	workspaces, err := c.Workspaces.List(c, estate.System(), p.ID)
	if err != nil {
		return answer{}, err
	}
	if len(workspaces) > 0 {
		return answer{}, conflict("The environment has workspaces.", "")
	}
	err = c.Projects.Delete(c, c.who, p.ID)
	if fault.Is(err, fault.Conflict) {
		return answer{}, conflict("The environment is the one that new workspaces fall into and can not be deleted.", "")
	}
	return gone(), seenAs(err, "Environment", c.path("environment"))
}

func federatedEnvironments(c *call) (answer, error) {
	if _, err := c.theEnvironment(); err != nil {
		return answer{}, err
	}
	return emptyPage(c)
}
