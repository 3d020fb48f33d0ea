module treaty.invalid/tools/grpc-gateway-examples

go 1.26.0

// Its contracts alone are wanted: examples/internal/proto.
require github.com/grpc-ecosystem/grpc-gateway/v2 v2.33.0
