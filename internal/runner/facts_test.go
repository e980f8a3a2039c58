package runner_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"carillon/internal/fault"
	"carillon/internal/runner"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestJobVariables(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/jobs/*.env")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".env"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.MarshalIndent(runner.ReadJob(strings.Split(string(text), "\n")), "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(path, ".env") + ".json"
			if *update {
				if err := os.WriteFile(golden, append(got, '\n'), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(append(got, '\n'), want) {
				t.Errorf("read as\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// repository makes a git repository with one commit and returns its directory and the commit's hash.
func repository(t *testing.T, remote string) (dir, hash string) {
	t.Helper()
	dir = t.TempDir()
	git := func(args ...string) string {
		cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull,
			"GIT_AUTHOR_NAME=Bob Roe", "GIT_AUTHOR_EMAIL=bob@acme.example", "GIT_COMMITTER_NAME=Bob Roe",
			"GIT_COMMITTER_EMAIL=bob@acme.example", "GIT_COMMITTER_DATE=2026-01-02T03:04:05+01:00")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("git %v: %v (this test needs git)", args, err)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q", "-b", "trunk")
	git("commit", "-q", "--allow-empty", "-m", "Add the queue\n\nBecause it was missing.")
	git("remote", "add", "origin", remote)
	return dir, git("rev-parse", "HEAD")
}

func TestGatherFromACheckout(t *testing.T) {
	t.Parallel()
	dir, hash := repository(t, "https://alice:secret@github.com/acme/shop.git")
	f := runner.Gather(t.Context(), runner.Given{Actor: "alice"}, runner.Invocation{Tool: "terraform"}, dir, nil)
	if f.Branch != "trunk" || f.Commit == nil || f.Commit.Hash != hash || f.Commit.AuthorName != "Bob Roe" ||
		f.Commit.Message != "Add the queue\n\nBecause it was missing." ||
		f.Commit.At.Format("2006-01-02T15:04:05Z07:00") != "2026-01-02T02:04:05Z" ||
		f.Commit.URL != "https://github.com/acme/shop/commit/"+hash {
		t.Errorf("branch %q, commit %+v", f.Branch, f.Commit)
	}
	if f.Repository != "acme/shop" || f.VCS != "github" || f.Place.Name != filepath.Base(dir) {
		t.Errorf("facts are %+v", f)
	}
	if f.Message != "Triggered via CLI" || f.Actor.Name != "alice" || f.Trigger != "alice" || !strings.HasPrefix(f.RunID, "run-") {
		t.Errorf("facts are %+v", f)
	}
}

func TestGatherInAJob(t *testing.T) {
	t.Parallel()
	dir, hash := repository(t, "git@github.com:acme/shop.git")
	tests := []struct {
		name                 string
		given                runner.Given
		env                  runner.Environment
		message, author, url string
		place                string
	}{
		{
			name: "commit checked out", env: runner.Environment{"GITHUB_ACTIONS=true", "GITHUB_SHA=" + hash},
			message: "Add the queue", author: "Bob Roe",
		},
		{
			name: "another commit checked out", env: runner.Environment{"GITHUB_ACTIONS=true", "GITHUB_SHA=feed"},
			message: "Triggered via CLI",
		},
		{
			name: "job knows the message", env: runner.Environment{"GITLAB_CI=true", "CI_COMMIT_SHA=" + hash, "CI_COMMIT_MESSAGE=Other\nmore"},
			message: "Other", author: "Bob Roe",
		},
		{
			name:    "variables",
			env:     runner.Environment{"CARILLON_MESSAGE=Said", "CARILLON_RUN_URL=https://x.example", "CARILLON_WORKSPACE=acme/prod"},
			message: "Said", author: "Bob Roe", url: "https://x.example", place: "acme/prod",
		},
		{
			name:    "given goes first",
			given:   runner.Given{Message: "Given", URL: "https://y.example", Place: runner.Place{Organization: "acme", Project: "shop", Name: "blue"}},
			env:     runner.Environment{"CARILLON_MESSAGE=Said", "CARILLON_WORKSPACE=other/prod"},
			message: "Given", author: "Bob Roe", url: "https://y.example", place: "acme/shop/blue",
		},
		{
			name: "part given", given: runner.Given{Place: runner.Place{Name: "blue"}}, env: runner.Environment{"CARILLON_WORKSPACE=acme/shop/prod"},
			message: "Triggered via CLI", author: "Bob Roe", place: "acme/shop/blue",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := runner.Gather(t.Context(), tt.given, runner.Invocation{}, dir, tt.env)
			author := ""
			if f.Commit != nil {
				author = f.Commit.AuthorName
			}
			if f.Message != tt.message || author != tt.author || f.URL != tt.url {
				t.Errorf("message %q, author %q, url %q", f.Message, author, f.URL)
			}
			if tt.place != "" && f.Place.String() != tt.place {
				t.Errorf("place %q, want %q", f.Place, tt.place)
			}
		})
	}
}

func TestGatherOutsideOfEverything(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := runner.Gather(t.Context(), runner.Given{}, runner.Invocation{}, dir, runner.Environment{"PATH=" + dir, "GIT_CEILING_DIRECTORIES=/"})
	if f.Commit != nil || f.Branch != "" || f.Place.Name != filepath.Base(dir) || f.Message != "Triggered via CLI" {
		t.Errorf("facts are %+v", f)
	}
}

func TestParsePlace(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want runner.Place
		ok   bool
	}{
		{"prod", runner.Place{Name: "prod"}, true},
		{"acme/prod", runner.Place{Organization: "acme", Name: "prod"}, true},
		{"acme/shop/prod", runner.Place{Organization: "acme", Project: "shop", Name: "prod"}, true},
		{"", runner.Place{}, false},
		{"acme//prod", runner.Place{}, false},
		{"a/b/c/d", runner.Place{}, false},
	}
	for _, tt := range tests {
		got, err := runner.ParsePlace(tt.text)
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("%q is read as %+v, %v", tt.text, got, err)
		}
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%q fails with %v", tt.text, err)
		}
		if err == nil && got.String() != tt.text {
			t.Errorf("%q is spelled %q", tt.text, got)
		}
	}
}
