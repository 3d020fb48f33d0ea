//! The workshop: every command a developer of Treaty runs.

mod bench;
mod breaking;
mod clients;
mod codegen_command;
mod conformance;
mod demo;
mod doctor;
mod documents;
mod lint;
mod nats;
mod new;
mod rules;
mod sql;
mod system;
mod test_command;
mod up;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

/// Builds, runs and checks Treaty.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Command {
    Demo(demo::Arguments),
    Test(test_command::Arguments),
    Up(up::Up),
    Down(up::Down),
    Status(up::Status),
    Codegen(codegen_command::Arguments),
    Clients(clients::Arguments),
    Lint(lint::Arguments),
    Breaking(breaking::Arguments),
    New(new::Arguments),
    Rules(rules::Arguments),
    /// Keeps or checks what Postgres says of the api's queries.
    #[command(subcommand)]
    Sql(sql::Sql),
    Nats(nats::Arguments),
    /// Runs a public suite against what is generated here.
    #[command(subcommand)]
    Conformance(conformance::Conformance),
    Documents(documents::Arguments),
    /// Measures how fast things are here.
    #[command(subcommand)]
    Bench(bench::Bench),
    Doctor(doctor::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Command::parse() {
        Command::Demo(arguments) => arguments.run(),
        Command::Test(arguments) => arguments.run(),
        Command::Up(arguments) => arguments.run(),
        Command::Down(arguments) => arguments.run(),
        Command::Status(arguments) => arguments.run(),
        Command::Codegen(arguments) => arguments.run(),
        Command::Clients(arguments) => arguments.run(),
        Command::Lint(arguments) => arguments.run(),
        Command::Breaking(arguments) => arguments.run(),
        Command::New(arguments) => arguments.run(),
        Command::Rules(arguments) => arguments.run(),
        Command::Sql(command) => command.run(),
        Command::Nats(arguments) => arguments.run(),
        Command::Conformance(suite) => suite.run(),
        Command::Documents(arguments) => arguments.run(),
        Command::Bench(bench) => bench.run(),
        Command::Doctor(arguments) => arguments.run(),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("\nerror: {error:#}");
        ExitCode::FAILURE
    })
}
