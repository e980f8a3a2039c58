package tfe

import (
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"carillon/internal/ident"
	"carillon/internal/subscription"
)

const (
	nameLimit = 255
	urlLimit  = 2048
)

// draft lays a client's document over a configuration and notes what is wrong (§5.4, §5.5).
type draft struct {
	in    *input
	s     *subscription.Subscription
	plain *subscription.Secrets
	fresh bool
	list  problems
}

// apply reads everything but the users.
func (d *draft) apply() {
	d.name()
	d.destination()
	d.url()
	if d.in.isNull("enabled") || !d.in.take("enabled", &d.s.Enabled) {
		d.list.invalid("enabled", "is invalid")
	}
	// An absent token is kept; null and "" clear it.
	d.in.text("token", &d.plain.Secret, &d.list)
	d.triggers()
	d.emails()
	d.allMembers()
}

func (d *draft) name() {
	if !d.fresh && !d.in.has("name") {
		return
	}
	var name string
	switch {
	case !d.in.take("name", &name):
		d.list.invalid("name", "is invalid")
	case blank(name):
		d.list.invalid("name", "can't be blank")
	case tooLong(name):
		d.list.invalid("name", "is too long (maximum is 255 characters)")
	default:
		d.s.Name = name
	}
}

func blank(name string) bool { return strings.TrimSpace(name) == "" }

func tooLong(name string) bool { return utf8.RuneCountInString(name) > nameLimit }

// destination reads the destination type, which never changes; clients send the unchanged one again (§5.3).
func (d *draft) destination() {
	const attribute = "destination-type"
	if !d.fresh && !d.in.has(attribute) {
		return
	}
	var name string
	if !d.in.take(attribute, &name) {
		d.list.invalid(attribute, "is not included in the list")
		return
	}
	channel, known := channelOf(name)
	switch {
	case !d.fresh && channel == d.s.Channel:
	case !d.fresh:
		d.list.invalid(attribute, "can't be changed")
	case name == "":
		d.list.invalid(attribute, "can't be blank")
	case !known:
		d.list.invalid(attribute, "is not included in the list")
	default:
		d.s.Channel = channel
	}
}

func (d *draft) url() {
	if !d.fresh && !d.in.has("url") {
		return
	}
	var address string
	switch {
	case !d.in.take("url", &address):
		d.list.invalid("url", "is invalid")
	case d.s.Channel == subscription.ChannelEmail && address != "":
		d.list.invalid("url", "must be blank")
	case d.s.Channel == subscription.ChannelEmail || d.s.Channel == "":
	case address == "":
		d.list.invalid("url", "can't be blank")
	case !absolute(address):
		d.list.invalid("url", "is invalid")
	default:
		d.plain.URL = address
	}
}

// absolute reports whether the address is one that can be sent to; whether it may be is the guard's business.
func absolute(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && len(address) <= urlLimit
}

// triggers keeps the order in which they came and drops repeats; null is the empty list (§5.3, §5.4).
func (d *draft) triggers() {
	if !d.in.has("triggers") {
		return
	}
	var values []string
	if !d.in.take("triggers", &values) {
		d.list.invalid("triggers", "is invalid")
		return
	}
	chosen := make([]string, 0, len(values))
	for _, value := range values {
		if value == changeRequestAlias {
			value = changeRequestCreated
		}
		if !offered(value, d.s.Scope().Level) {
			d.list.invalid("triggers", `is invalid: "`+value+`" is not available for `+levelWord(d.s.Scope().Level))
			return
		}
		if !slices.Contains(chosen, value) {
			chosen = append(chosen, value)
		}
	}
	d.s.Triggers, d.s.All = chosen, false
}

func (d *draft) emails() {
	const attribute = "email-addresses"
	if !d.in.has(attribute) {
		return
	}
	var addresses []string
	if !d.in.take(attribute, &addresses) || slices.ContainsFunc(addresses, func(a string) bool { return !isAddress(a) }) {
		d.list.invalid(attribute, "is invalid")
		return
	}
	if d.s.Channel != subscription.ChannelEmail && len(addresses) > 0 {
		d.list.invalid(attribute, "must be blank")
		return
	}
	d.s.Emails = addresses
}

func isAddress(text string) bool {
	parsed, err := mail.ParseAddress(text)
	return err == nil && parsed.Address == text && len(text) <= nameLimit
}

// allMembers reads the one key that is documented with underscores, and its dashed spelling (§5.3).
func (d *draft) allMembers() {
	for _, attribute := range []string{"email_all_members", "email-all-members"} {
		if !d.in.has(attribute) || d.s.Channel != subscription.ChannelEmail {
			continue
		}
		var all bool
		if !d.in.take(attribute, &all) {
			d.list.invalid(attribute, "is invalid")
			return
		}
		d.s.Settings = settings{AllMembers: &all}.encoded()
	}
}

// users reads who gets the mails. A document without them clears them: clients drop an empty list from the body (§5.4).
func (c *call) users(in *input, channel subscription.Channel, at *place) ([]ident.ID, problems, error) {
	targets, _, err := in.many("users")
	if err != nil || len(targets) == 0 {
		return nil, nil, err
	}
	var list problems
	if channel != subscription.ChannelEmail {
		list.at("/data/relationships/users", "Users must be blank")
		return nil, list, nil
	}
	members, err := c.members(at)
	if err != nil {
		return nil, nil, err
	}
	ids := make([]ident.ID, 0, len(targets))
	for _, target := range targets {
		user, err := find(c, c.Users, userIDs, target.ID)
		if err != nil && problemsOf(err).status() != 404 {
			return nil, nil, err
		}
		if err != nil || !members[user.ID] {
			list.at("/data/relationships/users", `Users is invalid: "`+target.ID+`" is not a member`)
			continue
		}
		ids = append(ids, user.ID)
	}
	return ids, list, nil
}

// members returns the users who may be named at a place: those of the organization, or of the team.
func (c *call) members(at *place) (map[ident.ID]bool, error) {
	memberships, err := c.Memberships.List(c, c.who, at.organization)
	if err != nil {
		return nil, err
	}
	users := make(map[ident.ID]bool, len(memberships))
	for _, m := range memberships {
		if at.scope.Level != subscription.LevelTeam || slices.Contains(at.members, m.ID) {
			users[m.UserID] = true
		}
	}
	return users, nil
}
