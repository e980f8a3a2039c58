package terraform

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"carillon/internal/runner"
)

// defaultWorkspace is the workspace that every directory has.
const defaultWorkspace = "default"

// locate reads what the data directory (.terraform) of an initialised configuration says: the organization, project and
// workspace of a cloud or remote backend; otherwise the directory's name and the selected workspace.
func locate(dir string, env runner.Environment) runner.Place {
	data := env.Get("TF_DATA_DIR")
	if data == "" {
		data = ".terraform"
	}
	if !filepath.IsAbs(data) {
		data = filepath.Join(dir, data)
	}
	selected := env.Get("TF_WORKSPACE")
	if selected == "" {
		if text, err := os.ReadFile(filepath.Join(data, "environment")); err == nil {
			selected = strings.TrimSpace(string(text))
		}
	}
	if place, ok := readBackend(filepath.Join(data, "terraform.tfstate"), selected); ok {
		return place.Or(runner.Place{Organization: env.Get("TF_CLOUD_ORGANIZATION"), Project: env.Get("TF_CLOUD_PROJECT")})
	}
	if selected == "" || selected == defaultWorkspace {
		return runner.Place{}
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return runner.Place{}
	}
	return runner.Place{Name: filepath.Base(absolute) + "-" + selected}
}

// backendRecord is the part of .terraform/terraform.tfstate that names a cloud or remote backend.
type backendRecord struct {
	Backend struct {
		Type   string `json:"type"`
		Config struct {
			Organization string          `json:"organization"`
			Workspaces   json.RawMessage `json:"workspaces"` // an object for cloud, a list of one for remote
		} `json:"config"`
	} `json:"backend"`
}

type backendWorkspaces struct {
	Name    string `json:"name"`
	Prefix  string `json:"prefix"`
	Project string `json:"project"`
}

// readBackend reads the backend record. ok is false when the state lies anywhere else.
func readBackend(path, selected string) (runner.Place, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return runner.Place{}, false
	}
	var record backendRecord
	if json.Unmarshal(text, &record) != nil {
		return runner.Place{}, false
	}
	if kind := record.Backend.Type; kind != "cloud" && kind != "remote" {
		return runner.Place{}, false
	}
	var w backendWorkspaces
	if json.Unmarshal(record.Backend.Config.Workspaces, &w) != nil {
		var list []backendWorkspaces
		if json.Unmarshal(record.Backend.Config.Workspaces, &list) == nil && len(list) > 0 {
			w = list[0]
		}
	}
	place := runner.Place{Organization: record.Backend.Config.Organization, Project: w.Project, Name: w.Name}
	if place.Name == "" && selected != "" {
		place.Name = w.Prefix + selected
	}
	return place, true
}
