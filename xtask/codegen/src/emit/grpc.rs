//! The gRPC stubs of a package's services, by tonic.

use proc_macro2::TokenStream;
use quote::quote;
use tonic_build::CodeGenBuilder;

use super::rust;
use crate::File;
use crate::model::{Method, Package, Service};

/// Writes `grpc.rs`, when the package has services.
pub(super) fn emit(package: &Package) -> Option<File> {
    if package.services.is_empty() {
        return None;
    }
    let mut builder = CodeGenBuilder::new();
    // Connections are the business of `treaty-rpc`.
    builder.emit_package(!package.name.is_empty()).build_transport(false);
    let services = package.services.iter().map(|service| {
        let service = Stub::new(package, service);
        let client = builder.generate_client(&service, "");
        let server = builder.generate_server(&service, "");
        quote!(#client #server)
    });
    let path = format!("{}/grpc.rs", package.directory());
    Some(File::new(path, rust::items(services)))
}

/// A service as tonic wants to see it.
struct Stub<'a> {
    proto_package: &'a str,
    service: &'a Service,
    proto_name: &'a str,
    methods: Vec<StubMethod<'a>>,
}

struct StubMethod<'a> {
    package: &'a Package,
    declared: &'a Method,
}

impl<'a> Stub<'a> {
    fn new(package: &'a Package, service: &'a Service) -> Self {
        let proto_name = service.full_name.rsplit('.').next().unwrap_or(&service.full_name);
        let methods = service.methods.iter().map(|method| StubMethod { package, declared: method });
        Self { proto_package: &package.name, service, proto_name, methods: methods.collect() }
    }
}

impl<'a> tonic_build::Service for Stub<'a> {
    // Comments are on the trait that services implement; nobody sees these stubs.
    type Comment = &'static str;
    type Method = StubMethod<'a>;

    fn name(&self) -> &str {
        &self.service.name
    }

    fn package(&self) -> &str {
        self.proto_package
    }

    fn identifier(&self) -> &str {
        self.proto_name
    }

    fn methods(&self) -> &[Self::Method] {
        &self.methods
    }

    fn comment(&self) -> &[Self::Comment] {
        &[]
    }
}

impl tonic_build::Method for StubMethod<'_> {
    type Comment = &'static str;

    fn name(&self) -> &str {
        self.declared.rust_name.as_str()
    }

    fn identifier(&self) -> &str {
        &self.declared.name
    }

    fn codec_path(&self) -> &'static str {
        "::tonic_prost::ProstCodec"
    }

    fn client_streaming(&self) -> bool {
        self.declared.client_streaming
    }

    fn server_streaming(&self) -> bool {
        self.declared.server_streaming
    }

    fn comment(&self) -> &[Self::Comment] {
        &[]
    }

    fn request_response_name(&self, _: &str, _: bool) -> (TokenStream, TokenStream) {
        let input = rust::type_path(&self.declared.input, self.package);
        (input, rust::type_path(&self.declared.output, self.package))
    }
}
