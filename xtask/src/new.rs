//! `cargo xtask new`: contracts, crates and tests to start from.

mod event;
mod plan;
mod project;
mod proto;
mod rpc;
mod rust;
mod scan;
mod service;
mod template;
mod workflow;

use std::process::ExitCode;

use anyhow::Result;

use crate::workspace;
use plan::Plan;
use project::Project;

/// Adds to the contracts, and writes what the addition needs: crates, code, tests.
///
/// Everything is put together and checked first (the generator judges the new contracts, rustfmt the
/// new code); then it is written and generated. Nothing that exists is overwritten: names that are
/// taken are refused. What is written compiles, passes all checks and its own tests at once; where
/// your work belongs, it answers UNIMPLEMENTED, and a test says so.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
    /// Say what would be written, and write nothing.
    #[arg(long, global = true)]
    dry_run: bool,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Service(service::Arguments),
    Rpc(rpc::Arguments),
    Event(event::Arguments),
    Workflow(workflow::Arguments),
}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        let root = workspace::root();
        let project = Project::load(&root)?;
        let mut plan = Plan::new(&root);
        let next = match &self.what {
            What::Service(arguments) => arguments.plan(&project, &mut plan)?,
            What::Rpc(arguments) => arguments.plan(&project, &mut plan)?,
            What::Event(arguments) => arguments.plan(&project, &mut plan)?,
            What::Workflow(arguments) => arguments.plan(&project, &mut plan)?,
        };
        plan.apply(self.dry_run)?;
        println!("\nNext:");
        for line in next {
            println!("  - {line}");
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What is left to do, a line each.
type Next = Vec<String>;
