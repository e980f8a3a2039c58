package pulumi

import (
	"crypto/sha1" //nolint:gosec // the command names its files so
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"carillon/internal/event"
	"carillon/internal/runner"
)

// locate reads which stack the command works on: the flag's, the variable's, or the one that was selected in the project;
// and what is missing from its name from the project and from the settings of the place where states are kept.
func (c command) locate(dir string, env runner.Environment) runner.Place {
	project := findProject(dir)
	stack := c.stack
	if stack == "" {
		stack = env.Get("PULUMI_STACK")
	}
	if stack == "" {
		stack = selected(project, env)
	}
	place := runner.Place{Project: project.name}
	parts := strings.Split(stack, "/")
	switch len(parts) {
	case 1:
		place.Name = parts[0]
	case 2:
		place.Organization, place.Name = parts[0], parts[1]
	case 3:
		place = runner.Place{Organization: parts[0], Project: parts[1], Name: parts[2]}
	}
	if place.Organization == nowhere {
		place.Organization = ""
	}
	if place.Organization == "" {
		place.Organization = defaultOrganization(project, env)
	}
	return place
}

// nowhere is the organization of stacks whose state lies in a file or a bucket: there is none.
const nowhere = "organization"

// project is a project's file.
type project struct {
	path    string // absolute
	name    string
	backend string
}

// projectFiles are the names of a project's file.
var projectFiles = []string{"Pulumi.yaml", "Pulumi.yml", "Pulumi.json"}

// findProject looks for the project from a directory upwards.
func findProject(dir string) project {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return project{}
	}
	for {
		for _, name := range projectFiles {
			path := filepath.Join(dir, name)
			if text, err := os.ReadFile(path); err == nil {
				return readProject(path, text)
			}
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return project{}
		}
		dir = parent
	}
}

// readProject reads name and backend of a project. Of YAML it understands what these two are written in.
func readProject(path string, text []byte) project {
	p := project{path: path}
	var document struct {
		Name    string `json:"name"`
		Backend struct {
			URL string `json:"url"`
		} `json:"backend"`
	}
	if json.Unmarshal(text, &document) == nil {
		p.name, p.backend = document.Name, document.Backend.URL
		return p
	}
	section := ""
	for line := range strings.Lines(string(text)) {
		key, value, ok := strings.Cut(line, ":")
		value, _, _ = strings.Cut(value, " #")
		value = strings.Trim(strings.TrimSpace(value), `"'`)
		switch {
		case !ok || strings.HasPrefix(line, "#"):
		case key == "name":
			p.name = value
		case !strings.HasPrefix(line, " "):
			section = key
		case section == "backend" && strings.TrimSpace(key) == "url":
			p.backend = value
		}
	}
	return p
}

// home is the directory in which the command keeps its own files.
func home(env runner.Environment) string {
	if dir := env.Get("PULUMI_HOME"); dir != "" {
		return dir
	}
	if dir := env.Get("HOME"); dir != "" {
		return filepath.Join(dir, ".pulumi")
	}
	return ""
}

// selected is the stack that was selected in a project.
func selected(p project, env runner.Environment) string {
	if p.path == "" || home(env) == "" {
		return ""
	}
	sum := sha1.Sum([]byte(p.path)) //nolint:gosec // see above
	var settings struct {
		Stack string `json:"stack"`
	}
	read(filepath.Join(home(env), "workspaces", p.name+"-"+hex.EncodeToString(sum[:])+"-workspace.json"), &settings)
	return settings.Stack
}

// credentials is the file in which the command keeps who is signed in where.
type credentials struct {
	Current  string `json:"current"`
	Accounts map[string]struct {
		Username string `json:"username"`
	} `json:"accounts"`
}

func readCredentials(env runner.Environment) credentials {
	dir := env.Get("PULUMI_CREDENTIALS_PATH")
	if dir == "" {
		dir = home(env)
	}
	var c credentials
	if dir != "" {
		read(filepath.Join(dir, "credentials.json"), &c)
	}
	return c
}

// defaultOrganization is the one that was set for the place where states are kept.
func defaultOrganization(p project, env runner.Environment) string {
	backend := env.Get("PULUMI_BACKEND_URL")
	if backend == "" {
		backend = p.backend
	}
	if backend == "" {
		backend = readCredentials(env).Current
	}
	var config struct {
		Backends map[string]struct {
			DefaultOrg string `json:"defaultOrg"`
		} `json:"backends"`
	}
	if home(env) != "" {
		read(filepath.Join(home(env), "config.json"), &config)
	}
	return config.Backends[backend].DefaultOrg
}

// actor is who is signed in.
func actor(env runner.Environment) *event.Actor {
	c := readCredentials(env)
	backend := env.Get("PULUMI_BACKEND_URL")
	if backend == "" {
		backend = c.Current
	}
	if name := c.Accounts[backend].Username; name != "" {
		return &event.Actor{Name: name}
	}
	return nil
}

// read reads a JSON file as far as it is there and understood.
func read(path string, into any) {
	if text, err := os.ReadFile(path); err == nil {
		_ = json.Unmarshal(text, into)
	}
}
