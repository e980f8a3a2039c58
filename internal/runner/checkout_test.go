package runner

import "testing"

func TestParseRemote(t *testing.T) {
	t.Parallel()
	tests := []struct{ remote, host, repository, vcs string }{
		{"https://github.com/acme/shop.git", "github.com", "acme/shop", "github"},
		{"https://user:secret@gitlab.example:8443/group/sub/shop.git", "gitlab.example", "group/sub/shop", "gitlab"},
		{"git@bitbucket.org:acme/shop.git", "bitbucket.org", "acme/shop", "bitbucket"},
		{"ssh://git@git.example:2222/acme/shop", "git.example", "acme/shop", ""},
		{"https://dev.azure.com/acme/shop/_git/shop", "dev.azure.com", "acme/shop/_git/shop", "azure"},
		{"/srv/git/shop.git", "", "", ""},
		{"../shop", "", "", ""},
		{"", "", "", ""},
	}
	for _, tt := range tests {
		host, repository := parseRemote(tt.remote)
		if host != tt.host || repository != tt.repository || vcsOf(host) != tt.vcs {
			t.Errorf("%q is read as %q, %q, %q", tt.remote, host, repository, vcsOf(host))
		}
	}
}

func TestCommitURL(t *testing.T) {
	t.Parallel()
	for vcs, want := range map[string]string{
		"github":    "https://h/acme/shop/commit/abc",
		"gitlab":    "https://h/acme/shop/-/commit/abc",
		"bitbucket": "https://h/acme/shop/commits/abc",
		"":          "",
	} {
		if got := commitURL("h", vcs, "acme/shop", "abc"); got != want {
			t.Errorf("%q has the page %q, want %q", vcs, got, want)
		}
	}
}

func TestSubjectAndCut(t *testing.T) {
	t.Parallel()
	if got := subject("\n  First line \nsecond"); got != "First line" {
		t.Errorf("got %q", got)
	}
	if got := cut("aä", 2); got != "a" {
		t.Errorf("a character was split: %q", got)
	}
}
