//! `treaty-jobs`: dead letters listed, shown, driven again and discarded by an
//! operator. It ships beside the services and needs no Cargo.

mod arguments;
mod decide;
mod list;
mod show;
mod text;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;

use crate::arguments::{Arguments, Command};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // Two providers may be compiled in; the first one that is installed counts.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run(Arguments::parse().command).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::List(arguments) => arguments.run().await,
        Command::Show(arguments) => arguments.run().await,
        Command::Redrive(arguments) => arguments.run().await,
        Command::Discard(arguments) => arguments.run().await,
    }
}
