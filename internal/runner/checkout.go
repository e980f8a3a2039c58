package runner

import (
	"context"
	"net/url"
	"os/exec"
	"strings"
	"time"

	"carillon/internal/event"
)

// gitPatience bounds how long the facts wait for git, all its calls together.
const gitPatience = 2 * time.Second

// checkout is what git says about a working directory.
type checkout struct {
	branch     string
	commit     *event.Commit
	repository string
	vcs        string
}

// readCheckout asks git about a directory. Without git, outside of a repository or when git is slow, it returns what it
// has so far.
func readCheckout(ctx context.Context, dir string, env Environment) checkout {
	ctx, cancel := context.WithTimeout(ctx, gitPatience)
	defer cancel()
	ask := func(args ...string) string {
		cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...)
		cmd.Env = append(append([]string{}, env...), "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
		cmd.WaitDelay = time.Second
		out, err := cmd.Output()
		if err != nil {
			return ""
		}
		return strings.TrimRight(string(out), "\n")
	}
	var c checkout
	head := ask("log", "-1", "--no-show-signature", "--format=%H%x00%an%x00%cI%x00%B")
	if head == "" {
		return c
	}
	c.commit = parseHead(head)
	if branch := ask("rev-parse", "--abbrev-ref", "HEAD"); branch != "HEAD" { // "HEAD" is a detached one
		c.branch = branch
	}
	var host string
	host, c.repository = parseRemote(ask("config", "--get", "remote.origin.url"))
	c.vcs = vcsOf(host)
	if c.commit != nil {
		c.commit.URL = commitURL(host, c.vcs, c.repository, c.commit.Hash)
	}
	return c
}

// parseHead reads hash, author, time and message, separated by NUL.
func parseHead(text string) *event.Commit {
	parts := strings.SplitN(text, "\x00", 4)
	if len(parts) != 4 {
		return nil
	}
	at, _ := time.Parse(time.RFC3339, parts[2])
	if !at.IsZero() {
		at = at.UTC()
	}
	return &event.Commit{Hash: parts[0], AuthorName: parts[1], At: at, Message: cut(strings.TrimSpace(parts[3]), messageLimit)}
}

// parseRemote finds host and owner/name in a remote's address. User names and passwords in it are dropped.
func parseRemote(remote string) (host, repository string) {
	if remote == "" || strings.HasPrefix(remote, "/") || strings.HasPrefix(remote, ".") {
		return "", ""
	}
	if before, path, ok := strings.Cut(remote, ":"); ok && !strings.Contains(remote, "://") { // git@host:owner/name.git
		_, host, ok = strings.Cut(before, "@")
		if !ok {
			host = before
		}
		return host, repositoryName(path)
	}
	u, err := url.Parse(remote)
	if err != nil || u.Hostname() == "" {
		return "", ""
	}
	return u.Hostname(), repositoryName(u.Path)
}

func repositoryName(path string) string {
	return strings.TrimSuffix(strings.Trim(path, "/"), ".git")
}

// vcsOf names the service behind a host, "" when the host does not say.
func vcsOf(host string) string {
	switch {
	case strings.Contains(host, "github"):
		return "github"
	case strings.Contains(host, "gitlab"):
		return "gitlab"
	case strings.Contains(host, "bitbucket"):
		return "bitbucket"
	case host == "dev.azure.com" || strings.HasSuffix(host, ".visualstudio.com"):
		return "azure"
	}
	return ""
}

// commitURL is the page of a commit, for the services whose pages follow from the repository's name.
func commitURL(host, vcs, repository, hash string) string {
	if repository == "" {
		return ""
	}
	switch vcs {
	case "github":
		return "https://" + host + "/" + repository + "/commit/" + hash
	case "gitlab":
		return "https://" + host + "/" + repository + "/-/commit/" + hash
	case "bitbucket":
		return "https://" + host + "/" + repository + "/commits/" + hash
	}
	return ""
}
