//! The generated clients of other languages against the running api: the programs below
//! `e2e/clients` are built and run as a user would.

mod programs;

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use stack::{Options, Stack};

use programs::{Program, Programs};

/// Makes the api slow for one name: longer than its callers wait, shorter than its own deadline.
const SLOW: &str = "
    CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN PERFORM pg_sleep(4); RETURN NEW; END $$;
    CREATE TRIGGER slow BEFORE INSERT ON athletes
        FOR EACH ROW WHEN (NEW.display_name = 'Slow') EXECUTE FUNCTION be_slow();";

/// What each program prints at its end.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Report {
    /// Ids of the athletes that it has registered, in order.
    registered: Vec<String>,
    /// Name of the first one as the api has it.
    found: String,
    /// Ids of all athletes, two a page.
    listed: Vec<String>,
    /// Code of registering an address twice.
    taken: String,
    /// Code of asking for what is no id, and the fields that the details blame.
    invalid: String,
    violations: Vec<String>,
    /// Code of asking without a token.
    anonymous: String,
    /// Code of a call with a deadline of 500 ms that takes longer, and how long it took.
    late: String,
    waited_ms: u64,
}

#[test]
fn go_python_and_typescript_call_the_api() -> Result<()> {
    let options = Options {
        athletes: 1,
        activities_per_athlete: 1,
        consumers: 1,
        // Nobody is connected, and nothing is to be dispatched meanwhile.
        dispatch_every: std::time::Duration::from_secs(3600),
        ..Options::default()
    };
    let programs = Programs::build()?;
    let (stack, directory) = crate::start(&options)?;
    stack.sql(SLOW)?;
    for program in Program::ALL {
        check(&stack, &programs, program).with_context(|| format!("{program:?}"))?;
    }
    stack.stop();
    directory.succeeded()
}

fn check(stack: &Stack, programs: &Programs, program: Program) -> Result<()> {
    let printed = programs.run(program, stack)?;
    let line = printed.lines().last().unwrap_or_default();
    let report: Report =
        serde_json::from_str(line).with_context(|| format!("it printed:\n{printed}"))?;
    ensure!(report.registered.len() == 5, "registered: {report:?}");
    ensure!(report.found == format!("{} 0", program.greeting()), "found: {report:?}");

    // Every athlete once, those of earlier programs and our own, in the order of the database.
    let ids = stack.sql(
        "SELECT string_agg(athlete_id::text, ' ' ORDER BY athlete_id) FROM athletes \
                         WHERE display_name <> 'Slow'",
    )?;
    let known: BTreeSet<_> = ids.split_whitespace().collect();
    let listed: BTreeSet<_> = report.listed.iter().map(String::as_str).collect();
    ensure!(listed.len() == report.listed.len(), "listed twice: {report:?}");
    ensure!(known.is_subset(&listed), "not listed: {known:?} {report:?}");
    ensure!(report.registered.iter().all(|id| listed.contains(id.as_str())), "{report:?}");

    ensure!(report.taken == "ALREADY_EXISTS", "{report:?}");
    ensure!(report.invalid == "INVALID_ARGUMENT", "{report:?}");
    ensure!(report.violations == ["athlete_id"], "{report:?}");
    ensure!(report.anonymous == "UNAUTHENTICATED", "{report:?}");
    ensure!(report.late == "DEADLINE_EXCEEDED", "{report:?}");
    ensure!((400..3000).contains(&report.waited_ms), "{report:?}");
    Ok(())
}
