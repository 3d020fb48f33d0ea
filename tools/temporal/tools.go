//go:build tools

// Package tools pins the Temporal CLI, whose `server start-dev` is a whole
// Temporal service in one process: `go build` of the import below gives the
// very version that go.mod and go.sum name.
package tools

import _ "github.com/temporalio/cli/cmd/temporal"
