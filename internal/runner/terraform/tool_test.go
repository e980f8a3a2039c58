package terraform_test

import (
	"os"
	"path/filepath"
	"testing"

	"carillon/internal/event"
	"carillon/internal/runner"
	"carillon/internal/runner/terraform"
)

func TestRead(t *testing.T) {
	t.Parallel()
	type want struct {
		known, reported, planOnly, applyOnly, drift bool
		auto                                        *bool
		operation                                   event.Operation
		tool, command, dir                          string
		code                                        int
	}
	yes, no := new(true), new(false)
	apply := want{known: true, reported: true, auto: no, operation: event.OperationApply, tool: "terraform", command: "apply"}
	with := func(w want, change func(*want)) want { change(&w); return w }
	automatic := with(apply, func(w *want) { w.auto = yes })
	plan := want{known: true, reported: true, planOnly: true, operation: event.OperationPlan, tool: "terraform", command: "plan"}
	silent := want{known: true, tool: "terraform"}
	tests := []struct {
		name string
		args []string
		env  runner.Environment
		want want
	}{
		{"apply", []string{"terraform", "apply"}, nil, apply},
		{"by path", []string{"/opt/bin/terraform", "apply"}, nil, apply},
		{"with a version in its name", []string{"terraform-1.5.7", "apply"}, nil, apply},
		{"tofu", []string{"tofu", "apply"}, nil, with(apply, func(w *want) { w.tool = "tofu" })},
		{"behind env", []string{"env", "A=b", "terraform", "apply"}, nil, apply},
		{"behind another program", []string{"aws-vault", "exec", "prod", "--", "terraform", "apply"}, nil, apply},
		{"auto approved", []string{"terraform", "apply", "-auto-approve"}, nil, automatic},
		{"auto approved, two dashes", []string{"terraform", "apply", "--auto-approve"}, nil, automatic},
		{"auto approve off", []string{"terraform", "apply", "-auto-approve=false"}, nil, apply},
		{"auto approved by variable", []string{"terraform", "apply"}, runner.Environment{"TF_CLI_ARGS_apply=-lock-timeout=5s -auto-approve"}, automatic},
		{"auto approved by the general variable", []string{"terraform", "apply"}, runner.Environment{"TF_CLI_ARGS=-auto-approve"}, automatic},
		{"variable turned off again", []string{"terraform", "apply", "-auto-approve=false"}, runner.Environment{"TF_CLI_ARGS=-auto-approve"}, apply},
		{"values in arguments of their own", []string{"terraform", "apply", "-var", "a=b", "-var-file", "x", "-target", "y"}, nil, apply},
		{"saved plan", []string{"terraform", "apply", "-no-color", "tfplan"}, nil, with(automatic, func(w *want) { w.applyOnly = true })},
		{"directory", []string{"terraform", "-chdir=infra/prod", "apply"}, nil, with(apply, func(w *want) { w.dir = "infra/prod" })},
		{"destroy", []string{"terraform", "destroy"}, nil, with(apply, func(w *want) { w.operation, w.command = event.OperationDestroy, "destroy" })},
		{"apply -destroy", []string{"terraform", "apply", "-destroy"}, nil, with(apply, func(w *want) { w.operation, w.command = event.OperationDestroy, "apply -destroy" })},
		{"apply -refresh-only", []string{"terraform", "apply", "-refresh-only"}, nil, with(apply, func(w *want) { w.operation, w.command = event.OperationRefresh, "apply -refresh-only" })},
		{"refresh", []string{"terraform", "refresh"}, nil, with(automatic, func(w *want) {
			w.operation, w.command, w.applyOnly = event.OperationRefresh, "refresh", true
		})},
		{"import", []string{"terraform", "import", "a.b", "id"}, nil, with(automatic, func(w *want) {
			w.operation, w.command, w.applyOnly = event.OperationImport, "import", true
		})},
		{"plan", []string{"terraform", "plan", "-out", "tfplan"}, nil, plan},
		{"plan -destroy", []string{"terraform", "plan", "-destroy"}, nil, with(plan, func(w *want) { w.command = "plan -destroy" })},
		{"plan -refresh-only", []string{"terraform", "plan", "-refresh-only"}, nil, with(plan, func(w *want) { w.command, w.drift = "plan -refresh-only", true })},
		{"plan with its code", []string{"terraform", "plan", "-detailed-exitcode"}, nil, with(plan, func(w *want) { w.code = 2 })},
		{"init", []string{"terraform", "init"}, nil, with(silent, func(w *want) { w.command = "init" })},
		{"help of apply", []string{"terraform", "apply", "-help"}, nil, with(silent, func(w *want) { w.command = "apply" })},
		{"version", []string{"terraform", "-version"}, nil, silent},
		{"nothing", []string{"terraform"}, nil, silent},
		{"something else", []string{"make", "terraform"}, nil, want{}},
		{"a name that only begins alike", []string{"terraform-docs", "apply"}, nil, want{}},
		{"no command", nil, nil, want{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inv, known := terraform.Tool{}.Read(tt.args, tt.env)
			if (inv.AutoApply == nil) != (tt.want.auto == nil) || (inv.AutoApply != nil && *inv.AutoApply != *tt.want.auto) {
				t.Errorf("auto apply is %v", inv.AutoApply)
			}
			got := want{
				known: known, reported: inv.Reported(), planOnly: inv.PlanOnly, applyOnly: inv.ApplyOnly, drift: inv.Drift,
				auto: tt.want.auto, operation: inv.Operation, tool: inv.Tool, command: inv.Command, dir: inv.Dir, code: inv.ChangesCode,
			}
			if got != tt.want {
				t.Errorf("read as %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestLocate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		files map[string]string
		env   runner.Environment
		want  runner.Place
	}{
		{name: "nothing"},
		{name: "default workspace", files: map[string]string{".terraform/environment": "default"}},
		{name: "selected workspace", files: map[string]string{".terraform/environment": "blue\n"}, want: runner.Place{Name: "shop-blue"}},
		{name: "workspace by variable", env: runner.Environment{"TF_WORKSPACE=green"}, want: runner.Place{Name: "shop-green"}},
		{
			name:  "data directory elsewhere",
			files: map[string]string{"data/environment": "blue"}, env: runner.Environment{"TF_DATA_DIR=data"}, want: runner.Place{Name: "shop-blue"},
		},
		{
			name:  "cloud, named",
			files: map[string]string{".terraform/terraform.tfstate": `{"backend":{"type":"cloud","config":{"organization":"acme","workspaces":{"name":"prod","project":"shop","tags":null}}}}`},
			want:  runner.Place{Organization: "acme", Project: "shop", Name: "prod"},
		},
		{
			name: "cloud, by tags",
			files: map[string]string{
				".terraform/terraform.tfstate": `{"backend":{"type":"cloud","config":{"organization":null,"workspaces":{"name":null,"tags":["a"]}}}}`,
				".terraform/environment":       "blue",
			},
			env:  runner.Environment{"TF_CLOUD_ORGANIZATION=acme", "TF_CLOUD_PROJECT=shop"},
			want: runner.Place{Organization: "acme", Project: "shop", Name: "blue"},
		},
		{
			name: "remote with a prefix",
			files: map[string]string{
				".terraform/terraform.tfstate": `{"backend":{"type":"remote","config":{"organization":"acme","workspaces":[{"name":null,"prefix":"shop-"}]}}}`,
				".terraform/environment":       "blue",
			},
			want: runner.Place{Organization: "acme", Name: "shop-blue"},
		},
		{
			name:  "another backend",
			files: map[string]string{".terraform/terraform.tfstate": `{"backend":{"type":"s3","config":{"bucket":"b"}}}`, ".terraform/environment": "blue"},
			want:  runner.Place{Name: "shop-blue"},
		},
		{name: "damaged", files: map[string]string{".terraform/terraform.tfstate": `{`}},
	}
	inv := read(t, "terraform", "apply")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "shop")
			for name, text := range tt.files {
				path := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got := inv.Locate(dir, tt.env); got != tt.want {
				t.Errorf("located at %+v, want %+v", got, tt.want)
			}
		})
	}
}
