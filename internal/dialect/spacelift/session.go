package spacelift

import (
	"context"
	"net/http"
	"strings"

	graphql "github.com/graph-gophers/graphql-go"

	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
)

// user is the schema's User: an API key (§7).
type user struct {
	ID         graphql.ID
	Name       string
	Login      string
	JWT        *string
	ValidUntil *int32
	Admin      bool
}

// bearer returns the token of a request, "" without one.
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// resume signs the call in by a token that was issued before. A token that is not valid leaves it signed out; an error is
// ours.
func (a *api) resume(ctx context.Context, c *call, token string) error {
	says, ok := a.proven(token)
	if !ok {
		return nil
	}
	id, ok := fromULID(strings.TrimPrefix(says.Subject, subjectPrefix))
	if !ok {
		return nil
	}
	who, err := a.Sessions.Resume(ctx, id)
	if err != nil {
		return unlessDenied(err)
	}
	account, err := a.Organizations.Get(ctx, who, estate.ByID(says.Account))
	if err != nil {
		return unlessDenied(err)
	}
	c.who, c.signedIn, c.account, c.key = who, true, account, ulid(id)
	return nil
}

// unlessDenied drops errors that say no more than that the caller may not.
func unlessDenied(err error) error {
	if fault.Is(err, fault.Unauthorized) || fault.Is(err, fault.NotFound) || fault.Is(err, fault.Forbidden) {
		return nil
	}
	return err
}

// APIKeyUser exchanges an API key for a token (§7). The key's identifier is our token's, in the platform's spelling or in
// ours; "@account" behind it chooses the account for a key that reaches several. A wrong key gives null.
func (*root) APIKeyUser(ctx context.Context, args struct {
	ID     graphql.ID
	Secret string
}) (*user, error) {
	c := callOf(ctx)
	found, err := c.exchange(ctx, string(args.ID), args.Secret)
	return found, c.public(ctx, err)
}

func (c *call) exchange(ctx context.Context, id, secret string) (*user, error) {
	who, err := c.Access.Authenticate(ctx, secret)
	if err != nil {
		if fault.Is(err, fault.Unauthorized) {
			c.failures.add(c.address)
			return nil, nil
		}
		return nil, err
	}
	id, name, _ := strings.Cut(id, "@")
	if !namesToken(id, who.TokenID) {
		c.failures.add(c.address)
		return nil, nil
	}
	account, err := c.chooseAccount(ctx, who, name)
	if err != nil {
		return nil, err
	}
	now := c.Now()
	expires := now.Add(tokenLife).Unix()
	key := ulid(who.TokenID)
	token, err := c.issue(claims{
		Audience: c.Site.BaseURL, Issuer: issuerAPIKey, Subject: subjectPrefix + key, Expires: expires, Issued: now.Unix(), Account: account.ID,
	})
	if err != nil {
		return nil, err
	}
	u := newUser(who, key, account.ID)
	until := clamp(expires)
	u.JWT, u.ValidUntil = &token, &until
	return u, nil
}

// namesToken reports whether an API key's identifier is the token's.
func namesToken(id string, token ident.ID) bool {
	return strings.EqualFold(id, ulid(token)) || strings.EqualFold(id, token.String())
}

// chooseAccount finds the organization that a key is used for: the one it names, or the only one that it reaches.
func (c *call) chooseAccount(ctx context.Context, who estate.Principal, name string) (estate.Organization, error) {
	if name != "" {
		account, err := c.Organizations.Get(ctx, who, estate.ByName(0, name))
		if fault.Is(err, fault.NotFound) {
			return account, problem("the API key does not reach an account named \"" + name + "\"")
		}
		return account, err
	}
	all, err := c.Organizations.List(ctx, who, 0)
	switch {
	case err != nil:
		return estate.Organization{}, err
	case len(all) == 0:
		return estate.Organization{}, problem("the API key reaches no account")
	case len(all) > 1:
		return estate.Organization{}, problem("the API key reaches several accounts: write its ID as <key ID>@<account>")
	}
	return all[0], nil
}

func newUser(who estate.Principal, key string, account ident.ID) *user {
	return &user{
		ID: graphql.ID(subjectPrefix + key), Name: who.Name, Login: subjectPrefix + key,
		Admin: who.May(estate.RoleAdmin, estate.Place{OrganizationID: account}),
	}
}

// OAuthUser exists for clients that ask; nobody signs in so (§7).
func (*root) OAuthUser(struct{ Token string }) *user { return nil }

// Viewer says who asks, null without a valid token.
func (*root) Viewer(ctx context.Context) *user {
	c := callOf(ctx)
	if !c.signedIn {
		return nil
	}
	return newUser(c.who, c.key, c.account.ID)
}

// debugInfo is asked for before every command of the platform's command line.
type debugInfo struct {
	SelfHostedVersion *string
}

// DebugInfo says that this is no self-hosted installation of the platform.
func (*root) DebugInfo(ctx context.Context) (*debugInfo, error) {
	return ask(ctx, func(*call) (*debugInfo, error) { return &debugInfo{}, nil })
}

// What the query root says of an account (§5.3).
const (
	accountTier  = "ENTERPRISE"
	awsAccountID = "000000000000"
)

// ID is the account's identifier.
func (*root) ID(ctx context.Context) (graphql.ID, error) {
	return ask(ctx, func(c *call) (graphql.ID, error) { return graphql.ID(c.account.Name), nil })
}

// Name is the account's name.
func (*root) Name(ctx context.Context) (string, error) {
	return ask(ctx, func(c *call) (string, error) { return c.account.Name, nil })
}

// Tier is the same for every account.
func (*root) Tier(ctx context.Context) (string, error) {
	return ask(ctx, func(*call) (string, error) { return accountTier, nil })
}

// SpaceliftAwsAccountID is none of ours.
func (*root) SpaceliftAwsAccountID(ctx context.Context) (string, error) {
	return ask(ctx, func(*call) (string, error) { return awsAccountID, nil })
}
