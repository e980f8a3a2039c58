package pulumi

import (
	"cmp"

	"carillon/internal/estate"
)

// showUser says who asks, and what it sees (§6.1). Logins are never empty: clients stop without them.
func showUser(c *call) (answer, error) {
	user, err := c.user()
	if err != nil {
		return answer{}, err
	}
	all, err := c.Organizations.List(c, c.who, 0)
	if err != nil {
		return answer{}, err
	}
	organizations := make([]object, 0, len(all))
	for i := range all {
		organizations = append(organizations, object{
			{"githubLogin", all[i].Name}, {"name", displayName(&all[i])}, {"avatarUrl", all[i].AvatarURL},
		})
	}
	return ok(object{
		{"id", user.ID.String()}, {"githubLogin", user.Name}, {"name", cmp.Or(user.FullName, user.Name)}, {"email", user.Email},
		{"avatarUrl", user.AvatarURL}, {"organizations", organizations}, {"identities", []string{}},
		{"siteAdmin", c.who.SiteAdmin},
	}), nil
}

func displayName(o *estate.Organization) string { return cmp.Or(o.DisplayName, o.Name) }

// showDefaultOrganization is the token's first. The key has a capital letter that no other has (§8).
func showDefaultOrganization(c *call) (answer, error) {
	all, err := c.Organizations.List(c, c.who, 0)
	if err != nil {
		return answer{}, err
	}
	if len(all) == 0 {
		return answer{}, notFound("the token belongs to no organization")
	}
	return ok(object{{"gitHubLogin", all[0].Name}, {"messages", []string{}}}), nil
}
