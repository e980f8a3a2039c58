package pulumi_test

import (
	"crypto/sha1" //nolint:gosec // the command names its files so
	"encoding/hex"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"carillon/internal/event"
	"carillon/internal/runner"
	"carillon/internal/runner/pulumi"
)

func TestCommandLines(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	for line, want := range map[string]*runner.Invocation{
		"pulumi up":                                     {Command: "up", Operation: event.OperationApply, AutoApply: &no},
		"/opt/pulumi/bin/pulumi update --yes":           {Command: "update", Operation: event.OperationApply, AutoApply: &yes},
		"pulumi -C infra up -s prod -yf":                {Command: "up", Dir: "infra", Operation: event.OperationApply, AutoApply: &no},
		"pulumi --cwd=infra --color never destroy -y":   {Command: "destroy", Dir: "infra", Operation: event.OperationDestroy, AutoApply: &yes},
		"pulumi up --yes=false --skip-preview":          {Command: "up", Operation: event.OperationApply, AutoApply: &no, ApplyOnly: true},
		"env A=b pulumi refresh --yes":                  {Command: "refresh", Operation: event.OperationRefresh, AutoApply: &yes},
		"aws-vault exec prod -- pulumi import -f x":     {Command: "import", Operation: event.OperationImport, AutoApply: &no, ApplyOnly: true},
		"pulumi preview --diff":                         {Command: "preview", Operation: event.OperationPlan, PlanOnly: true},
		"pulumi refresh --preview-only":                 {Command: "refresh --preview-only", Operation: event.OperationPlan, PlanOnly: true, Drift: true},
		"pulumi destroy --preview-only":                 {Command: "destroy --preview-only", Operation: event.OperationPlan, PlanOnly: true},
		"pulumi env run acme/dev -- pulumi up --yes":    nil, // the outer command is no run
		"pulumi-3.259.0 down --yes":                     {Command: "down", Operation: event.OperationDestroy, AutoApply: &yes},
		"pulumi --config-file up.yaml preview":          {Command: "preview", Operation: event.OperationPlan, PlanOnly: true},
		"pulumi stack up":                               nil,
		"pulumi":                                        nil,
		"pulumi up --help":                              nil,
		"pulumi help up":                                nil,
		"pulumi org webhook list":                       nil,
		"pulumi stack init up":                          nil,
		"pulumi about":                                  nil,
		"pulumi config set up x":                        nil,
		"pulumi logs --since up":                        nil,
		"pulumi up --event-log mine.log --yes -s a/b/c": {Command: "up", Operation: event.OperationApply, AutoApply: &yes},
	} {
		got, ok := pulumi.Tool{}.Read(strings.Fields(line), nil)
		if !ok || got.Reported() != (want != nil) {
			t.Errorf("%s: %+v", line, got)
			continue
		}
		if want == nil {
			continue
		}
		hasAside := got.Aside != nil
		got.Recognizer, got.Locate, got.Actor, got.Aside, want.Tool = nil, nil, nil, nil, "pulumi"
		if !reflect.DeepEqual(got, *want) || hasAside == strings.Contains(line, "event-log") {
			t.Errorf("%s:\ngot  %+v\nwant %+v", line, got, *want)
		}
	}
	for _, line := range []string{"terraform apply", "pulumify up", "echo pulumi-up", "", "make -- all"} {
		if _, ok := (pulumi.Tool{}).Read(strings.Fields(line), nil); ok {
			t.Errorf("%q is taken for the tool", line)
		}
	}
	env := runner.Environment{"PULUMI_SKIP_CONFIRMATIONS=true", "PULUMI_SKIP_PREVIEW=1"}
	if got, _ := (pulumi.Tool{}).Read([]string{"pulumi", "up"}, env); !*got.AutoApply || !got.ApplyOnly {
		t.Errorf("the variables are not seen: %+v", got)
	}
}

// TestLogFlag checks where the flag goes: behind the subcommand, before what belongs to a program.
func TestLogFlag(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"pulumi up": "pulumi up --event-log=/x/log",
		"aws-vault exec p -- pulumi -C d up -y -- a": "aws-vault exec p -- pulumi -C d up --event-log=/x/log -y -- a",
		"env A=b pulumi refresh":                     "env A=b pulumi refresh --event-log=/x/log",
	} {
		args, env := read(t, line).Aside("/x/log")
		if got := strings.Join(args, " "); got != want || strings.Join(env, " ") != "PULUMI_DEBUG_COMMANDS=true" {
			t.Errorf("%s: %s, %v", line, got, env)
		}
	}
}

// place is a directory with a project and the command's own files.
func place(t *testing.T, project, stack string) (dir string, env runner.Environment) {
	t.Helper()
	dir, home := t.TempDir(), t.TempDir()
	write := func(path, text string) {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "Pulumi.yaml")
	write(path, project)
	sum := sha1.Sum([]byte(path)) //nolint:gosec // see above
	write(filepath.Join(home, "workspaces", "website-"+hex.EncodeToString(sum[:])+"-workspace.json"), `{"stack":"`+stack+`"}`)
	write(filepath.Join(home, "credentials.json"), `{"current":"https://api.example.com","accounts":{"https://api.example.com":{"username":"morty"}}}`)
	write(filepath.Join(home, "config.json"), `{"backends":{"https://api.example.com":{"defaultOrg":"acme"}}}`)
	return dir, runner.Environment{"PULUMI_HOME=" + home}
}

func TestLocate(t *testing.T) {
	t.Parallel()
	const project = "# the site\nname: \"website\" # its name\nruntime:\n  name: yaml\n"
	for name, tc := range map[string]struct{ line, project, stack, variable, want string }{
		"selected, whole":       {"pulumi up", project, "corp/website/prod", "", "corp/website/prod"},
		"selected, name only":   {"pulumi up", project, "prod", "", "acme/website/prod"},
		"flag, name only":       {"pulumi up -s dev", project, "corp/website/prod", "", "acme/website/dev"},
		"flag, two parts":       {"pulumi up --stack corp/dev", project, "prod", "", "corp/website/dev"},
		"flag, whole":           {"pulumi up --stack=corp/other/dev", project, "prod", "", "corp/other/dev"},
		"variable":              {"pulumi up", project, "prod", "corp/website/test", "corp/website/test"},
		"state in a file":       {"pulumi up", project + "backend:\n  url: file://~\n", "organization/website/prod", "", "prod"},
		"JSON":                  {"pulumi up -s dev", `{"name":"website","runtime":"yaml"}`, "", "", "acme/website/dev"},
		"nothing was selected":  {"pulumi up", project, "", "", "acme"},
		"another's default org": {"pulumi up", project + "backend: {url: x}\n", "prod", "", "acme/website/prod"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, env := place(t, tc.project, tc.stack)
			if tc.variable != "" {
				env = append(env, "PULUMI_STACK="+tc.variable)
			}
			sub := filepath.Join(dir, "sub")
			if err := os.Mkdir(sub, 0o700); err != nil {
				t.Fatal(err)
			}
			inv := read(t, tc.line)
			got := inv.Locate(sub, env)
			if spelled := strings.Trim(got.String(), "/"); spelled != tc.want && !(got.Name == "" && got.Organization == tc.want) {
				t.Errorf("got %+v, want %s", got, tc.want)
			}
			if who := inv.Actor(env); who == nil || who.Name != "morty" {
				t.Errorf("the actor is %+v", who)
			}
		})
	}
	inv := read(t, "pulumi up")
	if who := inv.Actor(runner.Environment{"PULUMI_HOME=/nowhere"}); who != nil {
		t.Errorf("nobody is %+v", who)
	}
}
