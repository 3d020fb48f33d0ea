//go:build tools

// Package tools pins protovalidate's conformance runner, and with the second import the
// contracts of its cases: both in the very version that go.mod and go.sum name.
package tools

import _ "github.com/bufbuild/protovalidate/tools/protovalidate-conformance"
