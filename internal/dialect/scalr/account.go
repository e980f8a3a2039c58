package scalr

import (
	"encoding/json"

	"carillon/internal/estate"
	"carillon/internal/ident"
)

const accountType = "accounts"

func newAccount(o *estate.Organization) resource {
	id := idOf(&o.Common, accountIDs)
	return resource{
		ID: id, Type: accountType,
		Attributes: attributeSet{
			"name": o.Name, "allowed-ips": []string{}, "created-at": timeText(o.CreatedAt),
		},
		Relationships: map[string]relationship{}, Links: selfLink{prefix + "/accounts/" + id},
	}
}

func listAccounts(c *call) (answer, error) {
	v, err := c.newView()
	if err != nil {
		return answer{}, err
	}
	all, err := c.Organizations.List(c, c.who, 0)
	if err != nil {
		return answer{}, err
	}
	all, err = choose(v, all, listing[estate.Organization]{
		id:    func(o *estate.Organization) ident.ID { return o.ID },
		name:  func(o *estate.Organization) string { return o.Name },
		sorts: map[string]func(*estate.Organization) string{"name": func(o *estate.Organization) string { return o.Name }},
		filters: map[string]func(*estate.Organization, string) (bool, error){
			"account": func(o *estate.Organization, value string) (bool, error) {
				return matches(value, idOf(&o.Common, accountIDs)), nil
			},
			"name": func(o *estate.Organization, value string) (bool, error) { return matches(value, o.Name), nil },
		},
	})
	if err != nil {
		return answer{}, err
	}
	return pageOf(c, v, all, func(o *estate.Organization) (resource, error) { return newAccount(o), nil })
}

func showAccount(c *call) (answer, error) {
	o, err := find(c, c.Organizations, accountIDs, c.path("account"))
	if err != nil {
		return answer{}, seenAs(err, "Account", c.path("account"))
	}
	return c.answerWith(ok, newAccount(&o))
}

// account finds the account that a document names; one that names none means the token's only one (§5.3).
func (c *call) account(in *input) (estate.Organization, error) {
	id, err := in.one("account")
	if err != nil {
		return estate.Organization{}, err
	}
	if id != "" {
		o, err := find(c, c.Organizations, accountIDs, id)
		if unseen(err) {
			err = missingOne("account", "Account", id)
		}
		return o, err
	}
	all, err := c.Organizations.List(c, c.who, 0)
	if err != nil {
		return estate.Organization{}, err
	}
	if len(all) != 1 {
		var list problems
		list.unrelated("account", "Account is required: the token has none, or several.")
		return estate.Organization{}, list
	}
	return all[0], nil
}

// accounts lists the accounts that a request is about: the one that it filters by, or all that the token sees. An unknown
// one is none, never an error (§5.1).
func (c *call) accounts(v view) ([]estate.Organization, error) {
	value, chosen := v.chosen()["account"]
	all, err := c.Organizations.List(c, c.who, 0)
	if err != nil || !chosen {
		return all, err
	}
	var found []estate.Organization
	for i := range all {
		if matches(value, idOf(&all[i].Common, accountIDs)) {
			found = append(found, all[i])
		}
	}
	return found, nil
}

// taken is a filter that was applied when the items were gathered.
func taken[T any](*T, string) (bool, error) { return true, nil }

const definitionType = "event-definitions"

// newDefinition renders an event that a webhook may name; its identifier is its name (§4.1).
func newDefinition(d definition) resource {
	return resource{
		ID: d.name, Type: definitionType,
		Attributes:    attributeSet{"name": d.name, "description": d.description},
		Relationships: map[string]relationship{}, Links: json.RawMessage("{}"),
	}
}

func listDefinitions(c *call) (answer, error) {
	v, err := c.newView()
	if err != nil {
		return answer{}, err
	}
	all, err := choose(v, definitions, listing[definition]{
		id: func(*definition) ident.ID { return 0 }, name: func(d *definition) string { return d.name },
		sorts: map[string]func(*definition) string{"name": func(d *definition) string { return d.name }},
	})
	if err != nil {
		return answer{}, err
	}
	return pageOf(c, v, all, func(d *definition) (resource, error) { return newDefinition(*d), nil })
}
