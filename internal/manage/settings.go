package manage

import (
	"context"
	"fmt"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/store"
)

// settings lets the dialect keep its own facts in line with what is about to be saved.
func (m *Manage) settings(ctx context.Context, d *draft) error {
	completer, ok := m.dialects[d.next.Dialect].(dialect.Completer)
	if !ok {
		return nil
	}
	organization, err := byID[estate.Organization](ctx, m, store.KindOrganization, d.next.OrganizationID)
	if missing(err) {
		return fault.Missing("organization", d.next.OrganizationID.String())
	}
	if err != nil {
		return err
	}
	err = completer.Complete(dialect.Completion{
		Subscription: d.next, Plain: d.plain, Was: d.was, Organization: organization.Name, Fingerprint: m.Tokens().Fingerprint,
	})
	if err != nil {
		return fmt.Errorf("complete the subscription's settings: %w", err)
	}
	return nil
}
