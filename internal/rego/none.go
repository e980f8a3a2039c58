//go:build nopolicy

package rego

import "context"

// Available says that policies can be compiled and evaluated.
const Available = false

// Compile compiles nothing in this build.
func Compile(context.Context, Version, Options, string) (Policy, error) { return nil, ErrUnavailable }
