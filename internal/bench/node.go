package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// organization is the tenant of the measurements.
const organization = "bench"

// token is the administrator's token of the measured server.
const token = "carillon_bench_0123456789abcdefghijklmnopqrstuvwxyz"

// process is a program that the measurements started.
type process struct {
	command *exec.Cmd
	url     string
	log     *tail
	began   time.Time
}

// start runs this very program with other arguments and waits for the address that it prints.
func start(ctx context.Context, program string, args ...string) (*process, error) {
	p := &process{command: exec.CommandContext(ctx, program, args...), log: &tail{}, began: time.Now()}
	p.command.Stderr = p.log
	p.command.Env = append(os.Environ(), "CARILLON_ADMIN_TOKEN="+token)
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", args[0], err)
	}
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", args[0], err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if url, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			p.url = url
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return p, nil
		}
	}
	_ = p.command.Wait()
	return nil, fmt.Errorf("%s ended before it listened:\n%s", strings.Join(args, " "), p.log)
}

// stop ends the process softly and waits for it.
func (p *process) stop() {
	if p.command.ProcessState != nil {
		return // it has ended
	}
	_ = p.command.Process.Signal(os.Interrupt)
	ended := make(chan struct{})
	go func() {
		_ = p.command.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		_ = p.command.Process.Kill()
		<-ended
	}
}

// kill ends the process as a crash would.
func (p *process) kill() {
	_ = p.command.Process.Kill()
	_ = p.command.Wait()
}

// pid returns the process's number.
func (p *process) pid() int { return p.command.Process.Pid }

// ask makes a request of the process's API and decodes the answer.
func (p *process) ask(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	request, err := http.NewRequestWithContext(ctx, method, p.url+path, body)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %d %s", method, path, response.StatusCode, raw)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(raw, out)
}

// tail keeps the end of a log.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// Write appends and forgets the beginning.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	const keep = 8 << 10
	t.text = append(t.text, p...)
	if len(t.text) > keep {
		t.text = t.text[len(t.text)-keep:]
	}
	return len(p), nil
}

// String returns what is kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}

// accounts is the answer of /v1/accounting.
type accounts struct {
	Accepted  int64 `json:"accepted"`
	Delivered int64 `json:"delivered"`
	Pending   int64 `json:"pending"`
	Balanced  bool  `json:"balanced"`
}

// prepare makes the organization, its workspaces and a subscription for each destination. With fewer deliveries per event
// than destinations, each workspace has a share of them.
func prepare(ctx context.Context, node *process, sinkURL string, s Scenario, dialect string, triggers []string) error {
	if err := node.ask(ctx, http.MethodPost, "/v1/organizations", map[string]string{"name": organization}, nil); err != nil {
		return fmt.Errorf("make the organization: %w", err)
	}
	for n := range s.Destinations / s.FanOut {
		workspace := workspaceName(n)
		if err := node.ask(ctx, http.MethodPost, "/v1/organizations/"+organization+"/workspaces", map[string]string{"name": workspace}, nil); err != nil {
			return fmt.Errorf("make workspace %d: %w", n, err)
		}
		for i := range s.FanOut {
			at := n*s.FanOut + i
			draft := map[string]any{
				"organization": organization, "dialect": dialect, "name": fmt.Sprintf("destination %d", at), "triggers": triggers,
				"scopes": []map[string]string{{"level": "workspace", "name": workspace}}, "secret": "s3cret",
				"url": fmt.Sprintf("%s%s%d", sinkURL, s.path(at), at),
			}
			if err := node.ask(ctx, http.MethodPost, "/v1/subscriptions", draft, nil); err != nil {
				return fmt.Errorf("make subscription %d: %w", at, err)
			}
		}
	}
	return nil
}

func workspaceName(n int) string { return fmt.Sprintf("workspace-%d", n) }

// spoken finds the dialect and its triggers.
func spoken(ctx context.Context, node *process, name string) (string, []string, error) {
	var answer struct {
		Items []struct {
			Name     string `json:"name"`
			Triggers map[string][]struct {
				Value string `json:"value"`
			} `json:"triggers"`
		} `json:"items"`
	}
	if err := node.ask(ctx, http.MethodGet, "/v1/dialects", nil, &answer); err != nil {
		return "", nil, err
	}
	for _, d := range answer.Items {
		if name != "" && d.Name != name {
			continue
		}
		var values []string
		for _, t := range d.Triggers["workspace"] {
			values = append(values, t.Value)
		}
		return d.Name, values, nil
	}
	return "", nil, fmt.Errorf("the server does not speak %q", name)
}
