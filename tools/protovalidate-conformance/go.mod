module treaty.invalid/tools/protovalidate-conformance

go 1.26.0

// The first holds the contracts of the cases, the second the runner.
require (
	github.com/bufbuild/protovalidate v1.2.2
	github.com/bufbuild/protovalidate/tools v1.2.2
)

require (
	github.com/spf13/pflag v1.0.10 // indirect
	google.golang.org/protobuf v1.36.11 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)
