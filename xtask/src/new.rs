//! `cargo xtask new`: contracts, crates and tests to start from.

mod event;
mod name;
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
use testbed::Tools;

use crate::{clients, workspace};
use plan::Plan;
use project::Project;

/// Adds to the contracts, and writes what the addition needs: crates, code, tests.
///
/// Everything is put together and checked first (the generator judges the new contracts, rustfmt the
/// new code); then it is written and generated. Nothing that exists is overwritten: names that are
/// taken are refused. What is written compiles, passes all checks and its own tests at once; where
/// your work belongs, it answers UNIMPLEMENTED, and a test says so.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask new service billing --rpc GetInvoice --http \"get /v1/invoices/{invoice_id}\"
  cargo xtask new rpc BillingService CancelInvoice --access callers
  cargo xtask new event InvoicePaid --stream athlete --publisher billing --handler consumer
  cargo xtask new workflow SendReminders --activity SendPage --dry-run")]
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
        let mut next = match &self.what {
            What::Service(arguments) => arguments.plan(&project, &mut plan)?,
            What::Rpc(arguments) => arguments.plan(&project, &mut plan)?,
            What::Event(arguments) => arguments.plan(&project, &mut plan)?,
            What::Workflow(arguments) => arguments.plan(&project, &mut plan)?,
        };
        plan.apply(self.dry_run)?;
        if self.what.is_for_clients() && !self.dry_run {
            follow_in_other_languages(&mut next);
        }
        println!("\nNext:");
        for line in next {
            println!("  - {line}");
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl What {
    /// Whether clients of other languages can call what is added.
    fn is_for_clients(&self) -> bool {
        match self {
            Self::Service(arguments) => arguments.is_called(),
            Self::Rpc(_) => true,
            Self::Event(_) | Self::Workflow(_) => false,
        }
    }
}

/// Makes the clients under `gen/clients/` anew. What it takes (Go, Python, npm) is not on every
/// machine, so its failure is left to the reader and undoes nothing.
fn follow_in_other_languages(next: &mut Next) {
    if let Err(error) = Tools::new().and_then(|tools| clients::write(&tools)) {
        eprintln!("\nclients of other languages do not follow yet: {error:#}");
        next.push("run `cargo xtask clients`, for which this machine lacks something".to_owned());
    }
}

/// What is left to do, a line each.
type Next = Vec<String>;
