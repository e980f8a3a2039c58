package spacelift

import (
	"strings"
	"testing"

	"carillon/internal/event"
	"carillon/internal/ident"
)

func TestSlug(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"abc12": "abc12", "Alerts (prod)": "alerts-prod", "  My first space  ": "my-first-space", "a__b--c": "a-b-c", "Ünï": "n",
		"世": "", "": "", "-": "",
	}
	for name, want := range cases {
		if got := slug(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
	if got := stackID(&event.Workspace{ID: sampleWorkspace, Name: "世"}); got != strings.ToLower(ulid(sampleWorkspace)) {
		t.Errorf("got %s", got)
	}
}

func TestULID(t *testing.T) {
	t.Parallel()
	last := ""
	for _, id := range []ident.ID{1, 99_000 << 13, ident.At(atSecond(1745600000)), ident.At(atSecond(1945600000)) + 7} {
		text := ulid(id)
		if len(text) != 26 || strings.Contains(text, "/") || text <= last {
			t.Errorf("got %s after %s", text, last)
		}
		last = text
		if got, ok := fromULID(strings.ToLower(text)); !ok || got != id {
			t.Errorf("%s: got %v, %v", text, got, ok)
		}
	}
	for _, wrong := range []string{"", "01JSMHTFM9TXWW1XK4AZN1SA8K", last[:25], last + "0", "!" + last[1:], "0" + last[:25]} {
		if id, ok := fromULID(wrong); ok {
			t.Errorf("%q is read as %v", wrong, id)
		}
	}
}

func TestVCS(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"": "GIT", "github": "GITHUB", "GitLab": "GITLAB", "bitbucket": "BITBUCKET_CLOUD", "azure-devops": "AZURE_DEVOPS",
		"github enterprise": "GITHUB_ENTERPRISE", "cvs": "GIT", "SPACELIFT": "SPACELIFT",
	}
	for given, want := range cases {
		if got := vcsWord(given); got != want {
			t.Errorf("%q: got %s, want %s", given, got, want)
		}
	}
}
