package manage_test

import (
	"strings"
	"testing"
	"time"

	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/manage"
	"carillon/internal/store"
)

func TestTokenLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme := w.organization("acme")
	grant := estate.Grant{OrganizationID: acme.ID, Role: estate.RoleWriter}
	made, text, err := w.Tokens().Create(w.ctx, admin, estate.Token{
		Common: estate.Common{Name: "ci"}, Grants: []estate.Grant{grant}, ExpiresAt: w.clock.Now().Add(time.Hour),
	}, manage.Shape{})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(text, "carillon_") || len(text) != len("carillon_")+40 || !strings.HasSuffix(text, made.Hint) || made.Hash != "" {
		t.Errorf("text of %d characters, made = %+v", len(text), made)
	}
	p := must[estate.Principal](t)(w.Tokens().Authenticate(w.ctx, text))
	if p.TokenID != made.ID || p.Name != "ci" || p.SiteAdmin || len(p.Grants) != 1 || p.Grants[0] != grant {
		t.Errorf("principal = %+v", p)
	}
	if again := must[estate.Principal](t)(w.Tokens().Resume(w.ctx, made.ID)); again.TokenID != p.TokenID {
		t.Errorf("resumed = %+v", again)
	}
	for _, wrong := range []string{"", "carillon_", text + "x", strings.Repeat("x", 513)} {
		_, err := w.Tokens().Authenticate(w.ctx, wrong)
		wantCode(t, err, fault.Unauthorized)
	}
	w.clock.advance(time.Hour)
	_, err = w.Tokens().Authenticate(w.ctx, text)
	wantCode(t, err, fault.Unauthorized)
	_, err = w.Tokens().Resume(w.ctx, made.ID)
	wantCode(t, err, fault.Unauthorized)
	if err := w.Tokens().Revoke(w.ctx, admin, made.ID); err != nil {
		t.Fatal(err)
	}
	wantCode(t, w.Tokens().Revoke(w.ctx, admin, made.ID), fault.NotFound)
}

func TestRevokedTokensStopOnEveryNode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := joinWorld(t, w.store, w.path, 1, masterKey(1))
	made, text, err := w.Tokens().Create(w.ctx, admin, estate.Token{Common: estate.Common{Name: "root"}, SiteAdmin: true}, manage.Shape{})
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range []*world{w, other} {
		if _, err := node.Tokens().Authenticate(w.ctx, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Tokens().Revoke(w.ctx, admin, made.ID); err != nil {
		t.Fatal(err)
	}
	_, err = w.Tokens().Authenticate(w.ctx, text)
	wantCode(t, err, fault.Unauthorized)
	if err := other.Refresh(w.ctx); err != nil {
		t.Fatal(err)
	}
	_, err = other.Tokens().Authenticate(w.ctx, text)
	wantCode(t, err, fault.Unauthorized)
}

func TestLastUseIsWrittenOnceAMinute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, text, err := w.Tokens().Create(w.ctx, admin, estate.Token{Common: estate.Common{Name: "root"}, SiteAdmin: true}, manage.Shape{})
	if err != nil {
		t.Fatal(err)
	}
	use := func() (estate.Token, int64) {
		t.Helper()
		if _, err := w.Tokens().Authenticate(w.ctx, text); err != nil {
			t.Fatal(err)
		}
		return must[[]estate.Token](t)(w.Tokens().List(w.ctx, admin))[0], must[int64](t)(w.store.Revision(w.ctx))
	}
	first, revision := use()
	if !first.LastUsedAt.Equal(w.clock.Now()) {
		t.Errorf("last used at %v", first.LastUsedAt)
	}
	w.clock.advance(59 * time.Second)
	if second, now := use(); !second.LastUsedAt.Equal(first.LastUsedAt) || now != revision {
		t.Errorf("written again after 59 s: %v", second.LastUsedAt)
	}
	w.clock.advance(time.Second)
	if third, _ := use(); !third.LastUsedAt.Equal(w.clock.Now()) {
		t.Errorf("last used at %v after a minute", third.LastUsedAt)
	}
}

func TestTokenShapes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cases := map[string]struct {
		shape manage.Shape
		want  fault.Code
	}{
		"hex":         {manage.Shape{Prefix: "pul-", Alphabet: "0123456789abcdef", Length: 40}, ""},
		"no prefix":   {manage.Shape{Alphabet: "0123456789abcdef", Length: 64}, ""},
		"too short":   {manage.Shape{Prefix: "x-", Length: 10}, fault.Invalid},
		"one letter":  {manage.Shape{Alphabet: "a", Length: 500}, fault.Invalid},
		"just enough": {manage.Shape{Prefix: "x-", Alphabet: "0123456789abcdef", Length: 32}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, text, err := w.Tokens().Create(w.ctx, admin, estate.Token{Common: estate.Common{Name: "t"}, SiteAdmin: true}, c.shape)
			wantCode(t, err, c.want)
			if err != nil {
				return
			}
			rest, ok := strings.CutPrefix(text, c.shape.Prefix)
			if !ok || len(rest) != c.shape.Length || strings.Trim(rest, c.shape.Alphabet) != "" {
				t.Errorf("text = %q", text)
			}
		})
	}
}

func TestTokenChecks(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	other := s.workspace(s.project(s.beta.ID, "p"), "w")
	grant := func(g estate.Grant) estate.Token {
		g.Role = estate.RoleReader
		return estate.Token{Common: estate.Common{Name: "t"}, Grants: []estate.Grant{g}}
	}
	cases := map[string]struct {
		draft estate.Token
		field string
	}{
		"no name":              {estate.Token{SiteAdmin: true}, "/name"},
		"nothing granted":      {estate.Token{Common: estate.Common{Name: "t"}}, "/grants"},
		"expired":              {estate.Token{Common: estate.Common{Name: "t"}, SiteAdmin: true, ExpiresAt: s.clock.Now()}, "/expires_at"},
		"unknown user":         {estate.Token{Common: estate.Common{Name: "t"}, UserID: 42}, "/user_id"},
		"unknown organization": {grant(estate.Grant{OrganizationID: 42}), "/grants/0/organization_id"},
		"foreign project":      {grant(estate.Grant{OrganizationID: s.beta.ID, ProjectID: s.one.ID}), "/grants/0/project_id"},
		"foreign workspace":    {grant(estate.Grant{OrganizationID: s.acme.ID, WorkspaceID: other.ID}), "/grants/0/workspace_id"},
		"workspace elsewhere":  {grant(estate.Grant{OrganizationID: s.acme.ID, ProjectID: s.two.ID, WorkspaceID: s.net.ID}), "/grants/0/workspace_id"},
		"no role":              {estate.Token{Common: estate.Common{Name: "t"}, Grants: []estate.Grant{{OrganizationID: s.acme.ID, Role: "god"}}}, "/grants/0/role"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, _, err := s.Tokens().Create(s.ctx, admin, c.draft, manage.Shape{})
			wantField(t, err, c.field)
		})
	}
}

// Nobody may make a token that can do more than its maker.
func TestTokensDoNotEscalate(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	ada, bob := s.member(s.acme.ID, "ada@x.org", estate.RoleOwner), s.member(s.acme.ID, "bob@x.org", estate.RoleReader)
	s.member(s.beta.ID, "ada@x.org", estate.RoleOwner)
	eve := s.member(s.beta.ID, "eve@x.org", estate.RoleOwner)
	grant := func(role estate.Role, organization, workspace ident.ID) []estate.Grant {
		return []estate.Grant{{OrganizationID: organization, WorkspaceID: workspace, Role: role}}
	}
	owner := as(estate.RoleOwner, s.acme.ID, 0, 0)
	reader := as(estate.RoleReader, s.acme.ID, 0, 0)
	self := func(p estate.Principal, user ident.ID) estate.Principal { p.UserID = user; return p }
	cases := map[string]struct {
		p    estate.Principal
		t    estate.Token
		want fault.Code
	}{
		"an owner, at their place":                   {owner, estate.Token{Grants: grant(estate.RoleOwner, s.acme.ID, 0)}, ""},
		"an owner, below":                            {owner, estate.Token{Grants: grant(estate.RoleAdmin, s.acme.ID, s.net.ID)}, ""},
		"an owner, elsewhere":                        {owner, estate.Token{Grants: grant(estate.RoleReader, s.beta.ID, 0)}, fault.NotFound},
		"an owner, for the installation":             {owner, estate.Token{SiteAdmin: true}, fault.Forbidden},
		"an owner, for a member":                     {owner, estate.Token{UserID: bob.UserID, Grants: grant(estate.RoleWriter, s.acme.ID, 0)}, ""},
		"an owner, for a member, all rights":         {owner, estate.Token{UserID: ada.UserID}, fault.Forbidden},
		"an owner, for a stranger":                   {owner, estate.Token{UserID: eve.UserID, Grants: grant(estate.RoleReader, s.acme.ID, 0)}, fault.NotFound},
		"a reader":                                   {reader, estate.Token{Grants: grant(estate.RoleReader, s.acme.ID, 0)}, fault.Forbidden},
		"a reader, for themselves":                   {self(reader, bob.UserID), estate.Token{UserID: bob.UserID, Grants: grant(estate.RoleReader, s.acme.ID, s.net.ID)}, ""},
		"a reader, for themselves, more":             {self(reader, bob.UserID), estate.Token{UserID: bob.UserID, Grants: grant(estate.RoleWriter, s.acme.ID, 0)}, fault.Forbidden},
		"a reader, for themselves, all":              {self(reader, bob.UserID), estate.Token{UserID: bob.UserID}, ""},
		"a narrow token, for its user's every right": {self(as(estate.RoleReader, s.acme.ID, 0, s.net.ID), ada.UserID), estate.Token{UserID: ada.UserID}, fault.Forbidden},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.t.Name = name
			_, _, err := s.Tokens().Create(s.ctx, c.p, c.t, manage.Shape{})
			wantCode(t, err, c.want)
		})
	}
}

func TestATokenOfAUserHasTheRightsOfItsMemberships(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme, beta := w.organization("acme"), w.organization("beta")
	ada := w.member(acme.ID, "ada@x.org", estate.RoleAdmin)
	_, text, err := w.Tokens().Create(w.ctx, admin, estate.Token{Common: estate.Common{Name: "hers"}, UserID: ada.UserID}, manage.Shape{})
	if err != nil {
		t.Fatal(err)
	}
	rights := func(want ...estate.Grant) {
		t.Helper()
		p := must[estate.Principal](t)(w.Tokens().Authenticate(w.ctx, text))
		if p.Name != "ada" || p.UserID != ada.UserID || len(p.Grants) != len(want) {
			t.Fatalf("principal = %+v, want %v", p, want)
		}
		for i := range want {
			if p.Grants[i] != want[i] {
				t.Errorf("grants = %v, want %v", p.Grants, want)
			}
		}
	}
	inAcme := estate.Grant{OrganizationID: acme.ID, Role: estate.RoleAdmin}
	rights(inAcme)
	invited := must[estate.Membership](t)(w.Memberships().Create(w.ctx, admin, estate.Membership{
		Common: estate.Common{Name: "ada@x.org"}, OrganizationID: beta.ID, Role: estate.RoleOwner, Status: manage.StatusInvited,
	}))
	rights(inAcme)
	must[estate.Membership](t)(w.Memberships().Update(w.ctx, admin, invited.ID, func(o *estate.Membership) error { o.Status = manage.StatusActive; return nil }))
	rights(inAcme, estate.Grant{OrganizationID: beta.ID, Role: estate.RoleOwner})
	if err := w.Memberships().Delete(w.ctx, admin, ada.ID); err != nil {
		t.Fatal(err)
	}
	rights(estate.Grant{OrganizationID: beta.ID, Role: estate.RoleOwner})

	p := must[estate.Principal](t)(w.Tokens().SignIn(w.ctx, "ADA@x.org"))
	if p.UserID != ada.UserID || len(p.Grants) != 1 || p.TokenID != 0 {
		t.Errorf("signed in as %+v", p)
	}
	if again := must[estate.Principal](t)(w.Tokens().ResumeUser(w.ctx, p.UserID)); len(again.Grants) != 1 || again.Name != "ada" {
		t.Errorf("resumed as %+v", again)
	}
	_, err = w.Tokens().ResumeUser(w.ctx, 42)
	wantCode(t, err, fault.Unauthorized)
	_, err = w.Tokens().SignIn(w.ctx, "nobody@x.org")
	wantCode(t, err, fault.Unauthorized)
}

func TestWhoSeesAndRevokesTokens(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	ada := s.member(s.acme.ID, "ada@x.org", estate.RoleReader)
	make := func(token estate.Token) estate.Token {
		token.Name = "t"
		made, _, err := s.Tokens().Create(s.ctx, admin, token, manage.Shape{})
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	inAcme := estate.Grant{OrganizationID: s.acme.ID, Role: estate.RoleReader}
	inBeta := estate.Grant{OrganizationID: s.beta.ID, Role: estate.RoleReader}
	make(estate.Token{SiteAdmin: true})
	machine := make(estate.Token{Grants: []estate.Grant{inAcme}})
	make(estate.Token{Grants: []estate.Grant{inAcme, inBeta}})
	make(estate.Token{UserID: ada.UserID})
	for name, c := range map[string]struct {
		p    estate.Principal
		want int
	}{
		"administrator": {admin, 4}, "owner": {as(estate.RoleOwner, s.acme.ID, 0, 0), 1}, "admin": {as(estate.RoleAdmin, s.acme.ID, 0, 0), 0},
		"the user": {estate.Principal{UserID: ada.UserID}, 1}, "the token": {estate.Principal{TokenID: machine.ID}, 1}, "nobody": {estate.Principal{}, 0},
	} {
		if got := must[[]estate.Token](t)(s.Tokens().List(s.ctx, c.p)); len(got) != c.want {
			t.Errorf("%s sees %d tokens, want %d", name, len(got), c.want)
		}
	}
	wantCode(t, s.Tokens().Revoke(s.ctx, as(estate.RoleOwner, s.beta.ID, 0, 0), machine.ID), fault.NotFound)
	wantCode(t, s.Tokens().Revoke(s.ctx, estate.Principal{TokenID: machine.ID}, machine.ID), "")
}

func TestBootstrap(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text := must[string](t)(w.Bootstrap(w.ctx, ""))
	if p, err := w.Tokens().Authenticate(w.ctx, text); err != nil || !p.SiteAdmin {
		t.Fatalf("principal = %+v, %v", p, err)
	}
	if again := must[string](t)(w.Bootstrap(w.ctx, "")); again != "" {
		t.Error("a second start made another token")
	}
	const first, second = "configured-by-the-operator", "configured-another-time"
	for range 2 {
		if made := must[string](t)(w.Bootstrap(w.ctx, first)); made != "" {
			t.Error("a configured token was returned")
		}
	}
	if _, err := w.Tokens().Authenticate(w.ctx, first); err != nil {
		t.Error(err)
	}
	must[string](t)(w.Bootstrap(w.ctx, second))
	_, err := w.Tokens().Authenticate(w.ctx, first)
	wantCode(t, err, fault.Unauthorized)
	if _, err := w.Bootstrap(w.ctx, "short"); err == nil {
		t.Error("a short token was taken")
	}
	if n := w.count(store.KindToken, 0); n != 1 {
		t.Errorf("%d tokens", n)
	}
}

func TestFingerprints(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	x := w.Tokens()
	if again := x.Fingerprint("a", "b"); x.Fingerprint("a", "b") != again || x.Fingerprint("a", "b") == x.Fingerprint("b", "b") || len(x.Fingerprint("a", "b")) != 64 {
		t.Error("fingerprints do not tell texts and purposes apart")
	}
}
