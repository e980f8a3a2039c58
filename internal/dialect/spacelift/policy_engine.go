package spacelift

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"

	"carillon/internal/rego"
)

// regoPackage is the package that a notification policy's rules stand in (§4.4).
const regoPackage = "spacelift"

// engine compiles notification policies and remembers what it compiled. It is the dialect's only way to the language.
type engine struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]rego.Policy
}

// policiesKnown bounds the memory of compiled policies; forgetting one costs a millisecond.
const policiesKnown = 256

func newEngine() *engine { return &engine{known: make(map[[sha256.Size]byte]rego.Policy)} }

// errNoPolicies is what a build without policies answers to who wants one (§4.4).
const errNoPolicies problem = "notification policies can not be evaluated by this build of the service, so they can not be created"

// compile compiles a policy's body for an engine. The helper sanitized hashes a text with a key of the installation.
func (e *engine) compile(ctx context.Context, name, body string, sanitized func(string) string) (rego.Policy, error) {
	version := rego.V0
	if name == engineV1 {
		version = rego.V1
	}
	key := sha256.Sum256([]byte(name + "\x00" + body))
	e.mu.Lock()
	known := e.known[key]
	e.mu.Unlock()
	if known != nil {
		return known, nil
	}
	made, err := rego.Compile(ctx, version, rego.Options{Package: regoPackage, Helpers: map[string]func(string) string{"sanitized": sanitized}}, body)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.known) >= policiesKnown {
		clear(e.known)
	}
	e.known[key] = made
	return made, nil
}

// checkRego refuses a notification policy that does not compile (§5.5).
func (c *call) checkRego(ctx context.Context, p *policyRecord) error {
	_, err := c.dialect.policies().compile(ctx, p.Engine, p.Body, c.sanitized)
	switch {
	case errors.Is(err, rego.ErrUnavailable):
		return errNoPolicies
	case err != nil:
		return problem("policy body is not valid Rego: " + err.Error())
	}
	return nil
}

// sanitized is the policies' helper: 12 hex digits that stand for a text (§4.4).
func (a *api) sanitized(text string) string {
	return a.Sessions.Fingerprint(Name+"/sanitized", text)[:12]
}

// policies returns the dialect's engine; a dialect that New did not make has one for each question.
func (d *Dialect) policies() *engine {
	if d.engine == nil {
		return newEngine()
	}
	return d.engine
}
