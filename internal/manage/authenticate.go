package manage

import (
	"context"
	"sync"
	"time"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// usedEvery is how often at most a token's last use is written.
const usedEvery = time.Minute

var (
	_ dialect.Access   = Tokens{}
	_ dialect.Sessions = Tokens{}
)

func unauthorized() error {
	return fault.New(fault.Unauthorized, "The token is missing, unknown or expired.")
}

// Authenticate returns the principal of a token's text. What it looks up for every request comes from memory.
func (x Tokens) Authenticate(ctx context.Context, token string) (estate.Principal, error) {
	if token == "" || len(token) > maxTokenText {
		return estate.Principal{}, unauthorized()
	}
	t, err := byName[estate.Token](ctx, x.m, store.KindToken, 0, hashToken(token))
	return x.admit(ctx, t, err)
}

// Resume returns the principal of a token whose text was proven before.
func (x Tokens) Resume(ctx context.Context, token ident.ID) (estate.Principal, error) {
	t, err := byID[estate.Token](ctx, x.m, store.KindToken, token)
	return x.admit(ctx, t, err)
}

// Fingerprint returns a keyed hash of a text for a purpose.
func (x Tokens) Fingerprint(purpose, text string) string {
	return x.m.keyring.Fingerprint(purpose + "\x00" + text)
}

// SignIn returns the principal of a user that proved a mail address elsewhere. It has the rights of the user's
// memberships.
func (x Tokens) SignIn(ctx context.Context, address string) (estate.Principal, error) {
	if err := x.m.current(ctx); err != nil {
		return estate.Principal{}, err
	}
	user, err := byAlias[estate.User](ctx, x.m, store.KindUser, byEmail(address))
	return x.admitUser(user, err)
}

// ResumeUser returns the principal of a user that signed in before, with the rights that its memberships give now.
func (x Tokens) ResumeUser(ctx context.Context, id ident.ID) (estate.Principal, error) {
	user, err := byID[estate.User](ctx, x.m, store.KindUser, id)
	return x.admitUser(user, err)
}

func (x Tokens) admitUser(user *estate.User, err error) (estate.Principal, error) {
	if missing(err) {
		return estate.Principal{}, unauthorized()
	}
	if err != nil {
		return estate.Principal{}, err
	}
	return estate.Principal{UserID: user.ID, Name: user.Name, Grants: x.m.directory.grants(user.ID)}, nil
}

// admit turns a token that was found into a principal.
func (x Tokens) admit(ctx context.Context, t *estate.Token, err error) (estate.Principal, error) {
	if missing(err) {
		return estate.Principal{}, unauthorized()
	}
	if err != nil {
		return estate.Principal{}, err
	}
	now := x.m.utcNow()
	if !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt) {
		return estate.Principal{}, unauthorized()
	}
	p := estate.Principal{TokenID: t.ID, UserID: t.UserID, Name: t.Name, SiteAdmin: t.SiteAdmin, Grants: t.Grants}
	if t.UserID != 0 {
		user, err := byID[estate.User](ctx, x.m, store.KindUser, t.UserID)
		if missing(err) {
			return estate.Principal{}, unauthorized()
		}
		if err != nil {
			return estate.Principal{}, err
		}
		p.Name = user.Name
		if len(t.Grants) == 0 {
			p.Grants = x.m.directory.grants(t.UserID)
		}
	}
	if now.Sub(t.LastUsedAt) >= usedEvery && x.m.used.claim(t.ID, now) {
		x.noteUse(ctx, t.ID, now)
	}
	return p, nil
}

// noteUse writes when a token was last used. That it fails matters to nobody: the next use tries again.
func (x Tokens) noteUse(ctx context.Context, id ident.ID, now time.Time) {
	err := x.m.commit(ctx, func() ([]store.Change, error) {
		r, err := x.m.store.Get(ctx, store.KindToken, id)
		if err != nil {
			return nil, err
		}
		t, err := decode[estate.Token](&r)
		if err != nil || now.Sub(t.LastUsedAt) < usedEvery {
			return nil, err
		}
		t.LastUsedAt = now
		if r.Body, err = encode(t); err != nil {
			return nil, err
		}
		return []store.Change{store.Update(&r)}, nil
	})
	if err != nil {
		x.m.log.Debug("note a token's use", "err", err)
	}
}

// usage keeps many requests of one token from writing its last use at the same time.
type usage struct {
	mu sync.Mutex
	at map[ident.ID]time.Time
}

// maxUsage bounds the memory of recent uses; forgetting them costs a read each.
const maxUsage = 10_000

// claim reports whether the caller is the one to write.
func (u *usage) claim(id ident.ID, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if last, ok := u.at[id]; ok && now.Sub(last) < usedEvery {
		return false
	}
	if u.at == nil || len(u.at) >= maxUsage {
		u.at = make(map[ident.ID]time.Time)
	}
	u.at[id] = now
	return true
}
