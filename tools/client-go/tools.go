//go:build tools

// Package tools pins what the generated Go client stands on.
package tools

import (
	_ "google.golang.org/grpc"
	_ "google.golang.org/protobuf/proto"
)
