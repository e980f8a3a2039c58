package runner

import (
	"strings"
	"time"

	"carillon/internal/event"
)

// Job is what a CI service tells its jobs through variables.
type Job struct {
	Service    string // "github", "gitlab", "bitbucket", "azure", "circleci", "jenkins", "buildkite"; "" outside of CI
	Actor      event.Actor
	Trigger    string
	Message    string // of the commit
	Author     string // of the commit
	Branch     string
	Hash       string
	At         time.Time
	URL        string
	Repository string
	VCS        string
}

// ReadJob reads the variables of the CI services that it knows.
func ReadJob(env Environment) Job {
	for _, service := range []struct {
		present string
		read    func(Environment) Job
	}{
		{"GITHUB_ACTIONS", github},
		{"GITLAB_CI", gitlab},
		{"BITBUCKET_BUILD_NUMBER", bitbucket},
		{"TF_BUILD", azure},
		{"CIRCLECI", circle},
		{"BUILDKITE", buildkite},
		{"JENKINS_URL", jenkins},
	} {
		if env.Get(service.present) != "" {
			return service.read(env)
		}
	}
	return Job{}
}

func github(env Environment) Job {
	server, repository := first(env.Get("GITHUB_SERVER_URL"), "https://github.com"), env.Get("GITHUB_REPOSITORY")
	url := ""
	if id := env.Get("GITHUB_RUN_ID"); id != "" && repository != "" {
		url = server + "/" + repository + "/actions/runs/" + id
		if attempt := env.Get("GITHUB_RUN_ATTEMPT"); attempt != "" && attempt != "1" {
			url += "/attempts/" + attempt
		}
	}
	actor := event.Actor{Name: env.Get("GITHUB_ACTOR"), ID: env.Get("GITHUB_ACTOR_ID")}
	if again := env.Get("GITHUB_TRIGGERING_ACTOR"); again != "" && again != actor.Name {
		actor = event.Actor{Name: again} // who ran it again; the id is that of the first
	}
	return Job{
		Service:    "github",
		Actor:      actor,
		Trigger:    env.Get("GITHUB_EVENT_NAME"),
		Branch:     env.First("GITHUB_HEAD_REF", "GITHUB_REF_NAME"),
		Hash:       env.Get("GITHUB_SHA"),
		URL:        url,
		Repository: repository,
		VCS:        "github",
	}
}

func gitlab(env Environment) Job {
	at, _ := time.Parse(time.RFC3339, env.Get("CI_COMMIT_TIMESTAMP"))
	author, _, _ := strings.Cut(env.Get("CI_COMMIT_AUTHOR"), " <")
	return Job{
		Service: "gitlab",
		Actor: event.Actor{
			ID: env.Get("GITLAB_USER_ID"), Name: env.Get("GITLAB_USER_LOGIN"),
			FullName: env.Get("GITLAB_USER_NAME"), Email: env.Get("GITLAB_USER_EMAIL"),
		},
		Trigger:    env.Get("CI_PIPELINE_SOURCE"),
		Message:    env.First("CI_COMMIT_MESSAGE", "CI_COMMIT_TITLE"),
		Author:     author,
		Branch:     env.First("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_BRANCH", "CI_COMMIT_REF_NAME"),
		Hash:       env.Get("CI_COMMIT_SHA"),
		At:         at,
		URL:        env.First("CI_JOB_URL", "CI_PIPELINE_URL"),
		Repository: env.Get("CI_PROJECT_PATH"),
		VCS:        "gitlab",
	}
}

func bitbucket(env Environment) Job {
	url := ""
	if origin := env.Get("BITBUCKET_GIT_HTTP_ORIGIN"); origin != "" {
		url = origin + "/pipelines/results/" + env.Get("BITBUCKET_BUILD_NUMBER")
	}
	return Job{
		Service:    "bitbucket",
		Actor:      event.Actor{ID: env.Get("BITBUCKET_STEP_TRIGGERER_UUID")},
		Branch:     env.Get("BITBUCKET_BRANCH"),
		Hash:       env.Get("BITBUCKET_COMMIT"),
		URL:        url,
		Repository: env.Get("BITBUCKET_REPO_FULL_NAME"),
		VCS:        "bitbucket",
	}
}

func azure(env Environment) Job {
	url := ""
	collection, project := env.First("SYSTEM_COLLECTIONURI", "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"), env.Get("SYSTEM_TEAMPROJECT")
	if id := env.Get("BUILD_BUILDID"); id != "" && collection != "" {
		url = strings.TrimSuffix(collection, "/") + "/" + strings.ReplaceAll(project, " ", "%20") + "/_build/results?buildId=" + id
	}
	vcs := strings.ToLower(env.Get("BUILD_REPOSITORY_PROVIDER"))
	return Job{
		Service: "azure",
		Actor: event.Actor{
			ID: env.Get("BUILD_REQUESTEDFORID"), FullName: env.Get("BUILD_REQUESTEDFOR"),
			Name: env.First("BUILD_REQUESTEDFOREMAIL", "BUILD_REQUESTEDFOR"), Email: env.Get("BUILD_REQUESTEDFOREMAIL"),
		},
		Trigger: env.Get("BUILD_REASON"),
		Message: env.Get("BUILD_SOURCEVERSIONMESSAGE"),
		Author:  env.Get("BUILD_SOURCEVERSIONAUTHOR"),
		Branch: strings.TrimPrefix(
			env.First("SYSTEM_PULLREQUEST_SOURCEBRANCH", "BUILD_SOURCEBRANCH", "BUILD_SOURCEBRANCHNAME"), "refs/heads/"),
		Hash:       env.Get("BUILD_SOURCEVERSION"),
		URL:        url,
		Repository: env.Get("BUILD_REPOSITORY_NAME"),
		VCS:        vcs,
	}
}

func circle(env Environment) Job {
	repository := env.Get("CIRCLE_PROJECT_REPONAME")
	if owner := env.Get("CIRCLE_PROJECT_USERNAME"); owner != "" && repository != "" {
		repository = owner + "/" + repository
	}
	return Job{
		Service:    "circleci",
		Actor:      event.Actor{Name: env.Get("CIRCLE_USERNAME")},
		Branch:     env.Get("CIRCLE_BRANCH"),
		Hash:       env.Get("CIRCLE_SHA1"),
		URL:        env.Get("CIRCLE_BUILD_URL"),
		Repository: repository,
	}
}

func buildkite(env Environment) Job {
	url := env.Get("BUILDKITE_BUILD_URL")
	if job := env.Get("BUILDKITE_JOB_ID"); url != "" && job != "" {
		url += "#" + job
	}
	creator := env.Get("BUILDKITE_BUILD_CREATOR")
	return Job{
		Service: "buildkite",
		Actor: event.Actor{
			ID:   env.Get("BUILDKITE_BUILD_CREATOR_ID"),
			Name: first(env.Get("BUILDKITE_BUILD_CREATOR_EMAIL"), creator), FullName: creator,
			Email: env.Get("BUILDKITE_BUILD_CREATOR_EMAIL"),
		},
		Trigger: env.Get("BUILDKITE_SOURCE"),
		Message: env.Get("BUILDKITE_MESSAGE"),
		Author:  env.Get("BUILDKITE_BUILD_AUTHOR"),
		Branch:  env.Get("BUILDKITE_BRANCH"),
		Hash:    env.Get("BUILDKITE_COMMIT"),
		URL:     url,
		VCS:     strings.ToLower(env.Get("BUILDKITE_PIPELINE_PROVIDER")),
	}
}

// jenkins has no variable for who started the build; the ones read here come from its build-user-vars plug-in.
func jenkins(env Environment) Job {
	return Job{
		Service: "jenkins",
		Actor: event.Actor{
			Name: env.Get("BUILD_USER_ID"), FullName: env.Get("BUILD_USER"), Email: env.Get("BUILD_USER_EMAIL"),
		},
		Branch: strings.TrimPrefix(env.First("CHANGE_BRANCH", "BRANCH_NAME", "GIT_LOCAL_BRANCH", "GIT_BRANCH"), "origin/"),
		Hash:   env.Get("GIT_COMMIT"),
		URL:    env.Get("BUILD_URL"),
	}
}

// commit joins what the job says with what the checkout says. The checkout's words count only for the very same commit:
// a job of a merge request often has a made-up merge commit checked out.
func (j Job) commit(checkout *event.Commit) *event.Commit {
	if j.Hash == "" {
		return checkout
	}
	c := event.Commit{Hash: j.Hash, Message: j.Message, AuthorName: j.Author, At: j.At}
	if checkout != nil && checkout.Hash == j.Hash {
		c.Message = first(c.Message, checkout.Message)
		c.AuthorName = first(c.AuthorName, checkout.AuthorName)
		c.URL = checkout.URL
		if c.At.IsZero() {
			c.At = checkout.At
		}
	}
	return &c
}
