package manage

import (
	"cmp"
	"time"

	"carillon/internal/guard"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// address gives a subscription its lane and its address for people. Channels that send HTTP requests share the lane of an
// address; mail has a lane for each subscription, because the recipients are what fails.
func (m *Manage) address(s *subscription.Subscription, plain subscription.Secrets) {
	organization := s.OrganizationID.String()
	switch s.Channel {
	case subscription.ChannelEmail:
		s.Destination, s.Address = ident.Derive("destination", organization, "mail", s.ID.String()), "mail"
	case subscription.ChannelTrigger, subscription.ChannelWork:
		s.Destination, s.Address = ident.Derive("destination", organization, "trigger", plain.URL), guard.Redact(plain.URL)
	default:
		s.Destination, s.Address = ident.Derive("destination", organization, "http", plain.URL), guard.Redact(plain.URL)
	}
	s.Name = cmp.Or(s.Name, s.Address)
}

// keepFixed puts back what nobody may change, counts the version, and forgets why Carillon switched the subscription off
// once a person decided.
func (d *draft) keepFixed(now func() time.Time) {
	next, old := d.next, d.old
	next.ID, next.OrganizationID, next.Dialect = old.ID, old.OrganizationID, old.Dialect
	next.CreatedAt, next.CreatedBy = old.CreatedAt, old.CreatedBy
	next.Version, next.UpdatedAt = old.Version+1, now()
	if next.Enabled {
		next.DisabledReason = ""
	}
}
