//! The generator as a plugin of buf and protoc.
//!
//! It reads a `google.protobuf.compiler.CodeGeneratorRequest` from standard input and
//! writes the response to standard output, as `google/protobuf/compiler/plugin.proto`
//! says. What comes out are the bytes of `cargo xtask codegen`: the same generator,
//! entered by its second door.

mod options;
mod respond;
mod wire;

use std::io::{Read as _, Write as _};
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("protoc-gen-treaty: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Mistakes in contracts are part of the answer; what fails here is the conversation.
fn run() -> Result<(), Box<dyn std::error::Error>> {
    if let Some(argument) = std::env::args().nth(1) {
        return answer_person(&argument);
    }
    let mut request = Vec::new();
    std::io::stdin().lock().read_to_end(&mut request)?;
    let mut output = std::io::stdout().lock();
    output.write_all(&respond::respond(&request)?)?;
    output.flush()?;
    Ok(())
}

/// A plugin has no arguments: whoever gives one is a person.
fn answer_person(argument: &str) -> Result<(), Box<dyn std::error::Error>> {
    match argument {
        "--version" => {
            println!("protoc-gen-treaty {}", env!("CARGO_PKG_VERSION"));
            Ok(())
        }
        _ => Err("it takes no arguments: buf and protoc speak to it by standard input".into()),
    }
}
