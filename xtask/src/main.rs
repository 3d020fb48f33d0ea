//! The workshop: every command a developer of Treaty runs.

mod bench;
mod breaking;
mod clients;
mod codegen_command;
mod conformance;
mod demo;
mod deploy;
mod doctor;
mod documents;
mod jobs;
mod lint;
mod nats;
mod new;
mod program;
mod rules;
mod soak;
mod sql;
mod system;
mod test_command;
mod up;
mod webhooks;
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
    Jobs(jobs::Arguments),
    /// Manages the subscription to Strava's events.
    #[command(subcommand)]
    Webhooks(webhooks::Webhooks),
    /// Runs a public suite against what is generated here.
    #[command(subcommand)]
    Conformance(conformance::Conformance),
    Documents(documents::Arguments),
    /// Judges what runs the services elsewhere.
    #[command(subcommand)]
    Deploy(deploy::Deploy),
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
        Command::Jobs(arguments) => arguments.run(),
        Command::Webhooks(command) => command.run(),
        Command::Conformance(suite) => suite.run(),
        Command::Documents(arguments) => arguments.run(),
        Command::Deploy(command) => command.run(),
        Command::Bench(bench) => bench.run(),
        Command::Doctor(arguments) => arguments.run(),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("\nerror: {error:#}");
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Command;

    /// The help of every verb, with the words that lead to it.
    fn helps(command: &clap::Command, words: &str, found: &mut Vec<(String, String)>) {
        let mut verbs =
            command.get_subcommands().filter(|verb| verb.get_name() != "help").peekable();
        // A verb that takes arguments is one of its own, whatever verbs are below it.
        if verbs.peek().is_none() || command.get_positionals().next().is_some() {
            found.push((words.to_owned(), command.clone().render_long_help().to_string()));
        }
        for verb in verbs {
            helps(verb, &format!("{words} {}", verb.get_name()), found);
        }
    }

    #[test]
    fn the_help_of_every_verb_has_an_example() {
        let command = Command::command();
        command.clone().debug_assert();
        let mut found = Vec::new();
        helps(&command, "cargo xtask", &mut found);
        assert!(found.len() > 20, "{}", found.len());
        for (words, help) in found {
            let shown =
                help.lines().any(|line| line.starts_with("  ") && line.trim().starts_with(&words));
            assert!(shown, "{words}:\n{help}");
        }
    }
}
