"""The Python generators of grpcio-tools as a plugin of buf.

They are part of the protoc inside of that package and have no executables of their
own. This program takes a CodeGeneratorRequest from standard input, runs them on its
descriptors, and answers with what they have written: messages (`_pb2.py`), their types
(`_pb2.pyi`) and gRPC stubs (`_pb2_grpc.py`).
"""

import sys
import tempfile
from importlib import metadata
from pathlib import Path

from google.protobuf import descriptor_pb2
from google.protobuf.compiler import plugin_pb2
from grpc_tools import protoc

GENERATORS = ("python", "pyi", "grpc_python")


def respond(request: plugin_pb2.CodeGeneratorRequest) -> plugin_pb2.CodeGeneratorResponse:
    response = plugin_pb2.CodeGeneratorResponse(
        supported_features=plugin_pb2.CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
        | plugin_pb2.CodeGeneratorResponse.FEATURE_SUPPORTS_EDITIONS,
        minimum_edition=descriptor_pb2.EDITION_PROTO2,
        maximum_edition=descriptor_pb2.EDITION_2023,
    )
    with tempfile.TemporaryDirectory() as directory:
        descriptors, output = Path(directory, "descriptors.binpb"), Path(directory, "output")
        output.mkdir()
        files = descriptor_pb2.FileDescriptorSet(file=request.proto_file)
        descriptors.write_bytes(files.SerializeToString())
        status = protoc.main(
            [
                "protoc",
                f"--descriptor_set_in={descriptors}",
                *(f"--{generator}_out={output}" for generator in GENERATORS),
                *request.file_to_generate,
            ]
        )
        if status != 0:
            response.error = "protoc has failed; its message stands above"
            return response
        for path in sorted(output.rglob("*")):
            if path.is_file():
                name = path.relative_to(output).as_posix()
                response.file.add(name=name, content=path.read_text(encoding="utf-8"))
    return response


def main() -> None:
    if sys.argv[1:] == ["--version"]:
        print("protoc-gen-grpcio", metadata.version("grpcio-tools"))
        return
    request = plugin_pb2.CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    sys.stdout.buffer.write(respond(request).SerializeToString())


if __name__ == "__main__":
    main()
