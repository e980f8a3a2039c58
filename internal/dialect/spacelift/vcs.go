package spacelift

import (
	"slices"
	"strings"
)

// vcsGit is the provider of a stack that nothing is known of (§3.5).
const vcsGit = "GIT"

// vcsProviders are the platform's words (§3.1).
var vcsProviders = []string{
	"GITHUB", "GITHUB_ENTERPRISE", "GITLAB", "BITBUCKET_CLOUD", "BITBUCKET_DATACENTER", "AZURE_DEVOPS", vcsGit, "SHOWCASE",
	"SPACELIFT",
}

// vcsAliases are what other sources call them.
var vcsAliases = map[string]string{"BITBUCKET": "BITBUCKET_CLOUD", "BITBUCKET_SERVER": "BITBUCKET_DATACENTER", "AZURE": "AZURE_DEVOPS", "ADO": "AZURE_DEVOPS"}

// vcsWord turns the estate's word into the platform's.
func vcsWord(vcs string) string {
	word := strings.NewReplacer("-", "_", " ", "_").Replace(strings.ToUpper(vcs))
	if alias := vcsAliases[word]; alias != "" {
		return alias
	}
	if slices.Contains(vcsProviders, word) {
		return word
	}
	return vcsGit
}
