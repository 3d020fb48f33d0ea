//go:build tools

// Package tools pins protoc-gen-go, which makes the Go client's messages.
package tools

import _ "google.golang.org/protobuf/cmd/protoc-gen-go"
