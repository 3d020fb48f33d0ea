//go:build tools

// Package tools pins the NATS server: `go build` of the import below gives the
// very version that go.mod and go.sum name.
package tools

import _ "github.com/nats-io/nats-server/v2"
