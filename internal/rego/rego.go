// Package rego evaluates policies that users write in Rego. It is the border to the library that understands the
// language: nothing else in the program knows it, and a build with the tag "nopolicy" is without it.
//
// It never fetches anything and lets no policy do so: what reaches out of the process, or tells of it, is not part of the
// language here. It knows no platform, no event and no store.
package rego

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// Version is a version of the language.
type Version int

// The versions. They differ in what compiles.
const (
	V0 Version = iota
	V1
)

// ErrUnavailable is what every call answers in a build without policies.
var ErrUnavailable = errors.New("this build evaluates no policies")

// Timeout is how long one evaluation may take.
const Timeout = 10 * time.Second

// Options are the same for all policies of one engine.
type Options struct {
	// Package is what is asked of a policy: all its rules.
	Package string

	// Helpers are functions from text to text that policies may call beside those of the language.
	Helpers map[string]func(string) string
}

// Rules are what a policy says: the values of its rules, by name. Sets are lists, numbers are json.Number.
type Rules map[string]any

// Policy is a compiled policy. It is safe for concurrent use.
type Policy interface {
	// Eval evaluates the policy on a JSON document. Rules that say nothing are left out.
	Eval(ctx context.Context, input json.RawMessage) (Rules, error)
}
