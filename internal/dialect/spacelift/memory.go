package spacelift

import (
	"context"
	"sync"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/subscription"
)

// memory keeps what one request has read, so that a query that asks for the same lists a hundred times reads them once.
type memory struct {
	mu         sync.Mutex
	projects   []estate.Project
	workspaces []estate.Workspace
	webhooks   []subscription.Subscription
	policies   []policyRecord
	have       struct{ projects, workspaces, webhooks, policies bool }
}

// clear forgets everything: something was changed.
func (m *memory) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.projects, m.workspaces, m.webhooks, m.policies = nil, nil, nil, nil
	m.have.projects, m.have.workspaces, m.have.webhooks, m.have.policies = false, false, false, false
}

// recall reads a list once.
func recall[T any](m *memory, list *[]T, have *bool, read func() ([]T, error)) ([]T, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if *have {
		return *list, nil
	}
	found, err := read()
	if err != nil {
		return nil, err
	}
	*list, *have = found, true
	return found, nil
}

// projects lists the account's projects that the caller sees, oldest first.
func (c *call) projects(ctx context.Context) ([]estate.Project, error) {
	m := &c.memory
	return recall(m, &m.projects, &m.have.projects, func() ([]estate.Project, error) {
		return c.Projects.List(ctx, c.who, c.account.ID)
	})
}

// workspaces lists the account's workspaces that the caller sees, oldest first.
func (c *call) workspaces(ctx context.Context) ([]estate.Workspace, error) {
	m := &c.memory
	return recall(m, &m.workspaces, &m.have.workspaces, func() ([]estate.Workspace, error) {
		return c.Workspaces.List(ctx, c.who, c.account.ID)
	})
}

// webhooks lists the account's webhooks that the caller may read, oldest first.
func (c *call) webhooks(ctx context.Context) ([]subscription.Subscription, error) {
	m := &c.memory
	return recall(m, &m.webhooks, &m.have.webhooks, func() ([]subscription.Subscription, error) {
		return c.Subscriptions.List(ctx, c.who, dialect.SubscriptionFilter{Organization: c.account.ID, Dialect: Name})
	})
}
