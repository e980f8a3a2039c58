package scalr

import (
	"carillon/internal/estate"
	"carillon/internal/ident"
)

const userType = "users"

// newUser renders a user, who is only ever included (§6).
func newUser(u *estate.User) resource {
	return resource{
		ID: idOf(&u.Common, userIDs), Type: userType,
		Attributes: attributeSet{
			"status": "Active", "email": u.Email, "username": u.Name, "full-name": u.FullName, "created-at": timeText(u.CreatedAt),
			"last-login-at": nil,
		},
		Relationships: map[string]relationship{"teams": toMany("teams", nil), "identity-providers": toMany("identity-providers", nil)},
	}
}

// creator is who made an object, none when that is not known or they are gone.
func (c *call) creator(id ident.ID) (relationship, error) {
	if id == 0 {
		return relationship{}, nil
	}
	u, err := c.Users.Get(c, estate.System(), estate.ByID(id))
	if unseen(err) {
		return relationship{}, nil
	}
	return toOne(userType, idOf(&u.Common, userIDs)), err
}
