package tfe

import (
	"strings"

	"carillon/internal/estate"
)

const userType = "users"

func newUser(u estate.User) resource {
	return resource{
		ID: external(&u.Common, userIDs), Type: userType,
		Attributes: attributeSet{"username": u.Name, "email": u.Email, "avatar-url": u.AvatarURL, "is-service-account": u.Service},
	}
}

// showAccount shows the token's owner. A token that belongs to no user is a machine of its own name.
func showAccount(c *call) (answer, error) {
	if c.who.UserID == 0 {
		return ok(single(newUser(estate.User{Common: estate.Common{ID: c.who.TokenID, Name: c.who.Name}, Service: true}))), nil
	}
	u, err := c.Users.Get(c, c.who, estate.ByID(c.who.UserID))
	if err != nil {
		return answer{}, err
	}
	return ok(single(newUser(u))), nil
}

// includes lists the related objects that a request asks for. Unknown ones are ignored, never an error (§5.6, §6).
func includes(c *call) []string {
	var list []string
	for _, value := range c.request.URL.Query()["include"] {
		for _, name := range strings.Split(value, ",") {
			if name != "" {
				list = append(list, strings.ReplaceAll(name, "_", "-"))
			}
		}
	}
	return list
}
