//! What a compiler and its plugin say to each other (`google/protobuf/compiler/plugin.proto`).
//!
//! Descriptors stay bytes here: a type that does not know our options would lose them.

/// `CodeGeneratorRequest`, as far as it matters.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Request {
    /// Names of the files to generate for.
    #[prost(string, repeated, tag = "1")]
    pub(crate) file_to_generate: Vec<String>,
    /// The plugin's options, as its caller wrote them.
    #[prost(string, optional, tag = "2")]
    pub(crate) parameter: Option<String>,
    /// Every file and its imports, with comments.
    #[prost(bytes = "vec", repeated, tag = "15")]
    pub(crate) proto_file: Vec<Vec<u8>>,
    /// The files to generate for again, with the options that only sources keep
    /// (`retention = RETENTION_SOURCE`). Old compilers do not send them.
    #[prost(bytes = "vec", repeated, tag = "17")]
    pub(crate) source_file_descriptors: Vec<Vec<u8>>,
}

/// Of a `FileDescriptorProto`, its name.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct NamedFile {
    /// Path relative to its module.
    #[prost(string, optional, tag = "1")]
    pub(crate) name: Option<String>,
}

/// `FileDescriptorSet`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Image {
    /// Serialised `FileDescriptorProto`s.
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub(crate) file: Vec<Vec<u8>>,
}

/// `CodeGeneratorResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Response {
    /// What is wrong with the contracts; nothing is generated then.
    #[prost(string, optional, tag = "1")]
    pub(crate) error: Option<String>,
    /// Bits of `Feature`.
    #[prost(uint64, optional, tag = "2")]
    pub(crate) supported_features: Option<u64>,
    /// Oldest edition that is understood.
    #[prost(int32, optional, tag = "3")]
    pub(crate) minimum_edition: Option<i32>,
    /// Newest edition that is understood.
    #[prost(int32, optional, tag = "4")]
    pub(crate) maximum_edition: Option<i32>,
    /// The output.
    #[prost(message, repeated, tag = "15")]
    pub(crate) file: Vec<OutputFile>,
}

/// `CodeGeneratorResponse.File`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct OutputFile {
    /// Path below the output directory, with `/`.
    #[prost(string, optional, tag = "1")]
    pub(crate) name: Option<String>,
    /// All of it.
    #[prost(string, optional, tag = "15")]
    pub(crate) content: Option<String>,
}
