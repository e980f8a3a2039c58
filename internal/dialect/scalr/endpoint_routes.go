package scalr

import (
	"encoding/json"
	"strings"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/guard"
	"carillon/internal/ident"
	"carillon/internal/store"
)

func listEndpoints(c *call) (answer, error) {
	v, err := c.newView()
	if err != nil {
		return answer{}, err
	}
	all, err := c.endpointsOf(v)
	if err != nil {
		return answer{}, err
	}
	name := func(e *storedEndpoint) string { return e.Name }
	all, err = choose(v, all, listing[storedEndpoint]{
		id: func(e *storedEndpoint) ident.ID { return e.record.ID }, name: name,
		sorts: map[string]func(*storedEndpoint) string{"name": name, "url": func(e *storedEndpoint) string { return e.plain.URL }},
		filters: map[string]func(*storedEndpoint, string) (bool, error){
			"account": taken[storedEndpoint],
			"environment": func(e *storedEndpoint, value string) (bool, error) {
				id, err := c.environmentID(e.ProjectID)
				return id != "" && matches(value, id), err
			},
		},
	})
	if err != nil {
		return answer{}, err
	}
	return pageOf(c, v, all, c.endpointResource)
}

func (c *call) endpointsOf(v view) ([]storedEndpoint, error) {
	accounts, err := c.accounts(v)
	if err != nil {
		return nil, err
	}
	var all []storedEndpoint
	for i := range accounts {
		records, err := c.Documents.List(c, c.who, estate.Place{OrganizationID: accounts[i].ID}, store.KindEndpoint)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			e, isOurs, err := c.readEndpoint(c.who, r)
			if err != nil {
				return nil, err
			}
			if isOurs {
				all = append(all, e)
			}
		}
	}
	return all, nil
}

func showEndpoint(c *call) (answer, error) {
	e, err := c.theEndpoint()
	if err != nil {
		return answer{}, err
	}
	return c.answerEndpoint(ok, &e)
}

func createEndpoint(c *call) (answer, error) {
	in, err := c.read(endpointType)
	if err != nil {
		return answer{}, err
	}
	account, err := c.account(in)
	if err != nil {
		return answer{}, err
	}
	e := storedEndpoint{
		endpoint: endpoint{Dialect: Name, limits: defaultLimits()}, edits: true,
		record: store.Record{Kind: store.KindEndpoint, Parent: account.ID},
	}
	if e.ProjectID, err = c.environmentIn(in, account.ID); err != nil {
		return answer{}, err
	}
	if err := e.fill(in, true); err != nil {
		return answer{}, err
	}
	if err := c.saveEndpoint(&e); err != nil {
		return answer{}, seenAs(err, "Account", idOf(&account.Common, accountIDs))
	}
	return c.answerEndpoint(created, &e)
}

// environmentIn finds the environment that a document names, zero for none. It must be of the account.
func (c *call) environmentIn(in *input, account ident.ID) (ident.ID, error) {
	id, err := in.one("environment")
	if err != nil || id == "" {
		return 0, err
	}
	p, err := find(c, c.Projects, environmentIDs, id)
	if unseen(err) {
		err = missingOne("environment", "Environment", id)
	}
	if err == nil && p.OrganizationID != account {
		var list problems
		list.unrelated("environment", "The environment is of another account.")
		err = list
	}
	return p.ID, err
}

// fill lays a client's document over an endpoint. The scope never changes (§5.3).
func (e *storedEndpoint) fill(in *input, fresh bool) error {
	var list problems
	in.name(&e.Name, &list)
	in.address(&e.plain.URL, fresh, &list)
	in.secret(&e.plain.Secret, &list)
	e.limits.read(in, &list)
	return list.err()
}

// saveEndpoint stores an endpoint; the webhooks that use it follow in the same transaction.
func (c *call) saveEndpoint(e *storedEndpoint) error {
	e.Address = guard.Redact(e.plain.URL)
	body, err := json.Marshal(e.endpoint)
	if err != nil {
		return err
	}
	e.record.Body = body
	secrets := map[string]string{secretURL: e.plain.URL, secretKey: e.plain.Secret}
	saved, err := c.Sealed.Put(c, c.who, e.place(), e.record, secrets)
	if err == nil {
		e.record = saved
	}
	return err
}

// endpointTries is how often a change is begun anew when the endpoint was changed meanwhile, if only by a webhook that
// began to use it.
const endpointTries = 5

func updateEndpoint(c *call) (answer, error) {
	if _, err := c.theEndpoint(); err != nil {
		return answer{}, err
	}
	in, err := c.read(endpointType)
	if err != nil {
		return answer{}, err
	}
	for try := 1; ; try++ {
		e, err := c.theEndpoint()
		if err != nil {
			return answer{}, err
		}
		if !e.edits {
			return answer{}, missing("Endpoint", c.path("endpoint"))
		}
		if err := e.fill(in, false); err != nil {
			return answer{}, err
		}
		err = c.saveEndpoint(&e)
		if fault.Is(err, fault.Conflict) && try < endpointTries {
			continue
		}
		if err != nil {
			return answer{}, seenAs(err, "Endpoint", c.path("endpoint"))
		}
		return c.answerEndpoint(ok, &e)
	}
}

// deleteEndpoint keeps an endpoint that webhooks use (§5.3).
func deleteEndpoint(c *call) (answer, error) {
	e, err := c.theEndpoint()
	if err != nil {
		return answer{}, err
	}
	if !e.edits {
		return answer{}, missing("Endpoint", c.path("endpoint"))
	}
	all, err := c.Subscriptions.List(c, estate.System(), dialect.SubscriptionFilter{Organization: e.record.Parent, Dialect: Name})
	if err != nil {
		return answer{}, err
	}
	var using []string
	for i := range all {
		if all[i].EndpointID == e.record.ID {
			using = append(using, webhookID(&all[i]))
		}
	}
	if len(using) > 0 {
		return answer{}, conflict("Endpoint '"+e.id()+"' is used by webhooks: "+strings.Join(using, ", ")+".", "")
	}
	err = c.Documents.Delete(c, c.who, e.place(), store.KindEndpoint, e.record.ID)
	return gone(), seenAs(err, "Endpoint", c.path("endpoint"))
}

// mayUse reports whether webhooks of a scope may use the endpoint: one of the account is open to all of it, one of an
// environment to this environment and its workspaces (§5.4).
func (e *storedEndpoint) mayUse(organization, project ident.ID) bool {
	return e.record.Parent == organization && (e.ProjectID == 0 || e.ProjectID == project)
}
