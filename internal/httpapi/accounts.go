package httpapi

import (
	"net/http"

	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/manage"
)

// booksView are the accounts of every delivery ever accepted. Pending is what the other figures say must be in the queue;
// queued is what was counted there.
type booksView struct {
	Accepted  int64 `json:"accepted"`
	Delivered int64 `json:"delivered"`
	Exhausted int64 `json:"exhausted"`
	Cancelled int64 `json:"cancelled"`
	Pending   int64 `json:"pending"`
	Queued    int64 `json:"queued"`
	Balanced  bool  `json:"balanced"`
}

// accounting shows whether the books balance. They are the installation's, not an organization's.
func (a *api) accounting(c *call) error {
	if !c.p.SiteAdmin {
		return fault.New(fault.Forbidden, "The accounts are for administrators of this installation.")
	}
	b, err := a.Books(c.r.Context())
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, booksView{
		b.Accepted, b.Delivered, b.Exhausted, b.Cancelled, b.Pending(), b.Counted, b.Balanced(),
	})
}

// audit lists the audit log of an organization, or of the installation, newest first.
func (a *api) audit(c *call) error {
	page := c.q.page(newest)
	organization, err := a.organizationOfQuery(c)
	if err == nil {
		err = c.q.err()
	}
	if err != nil {
		return err
	}
	entries, err := a.Audit.List(c.r.Context(), c.p, organization, page.Page)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, cut(page, entries,
		func(e *manage.AuditEntry) ident.ID { return e.ID },
		func(e *manage.AuditEntry) manage.AuditEntry { return *e }))
}
