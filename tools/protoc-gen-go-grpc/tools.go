//go:build tools

// Package tools pins protoc-gen-go-grpc, which makes the Go client's services.
package tools

import _ "google.golang.org/grpc/cmd/protoc-gen-go-grpc"
