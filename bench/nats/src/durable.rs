//! Publishing where the server has every message on disk before it confirms it.

use anyhow::Result;

use crate::table::{Row, Table};
use crate::{Bench, publishing, timed};

/// Messages of a measurement; those of the slow ways are fewer.
const MESSAGES: usize = 50_000;
const FEW: usize = 2_500;

/// What `publish_all` in atomic batches must reach, times publishing one by one: by ten
/// tasks at a time, which is the faster way.
const BATCHES_GOAL: f64 = 20.0;

pub async fn publishing(bench: &Bench, rounds: usize) -> Result<bool> {
    let mut table = Table::new(&[
        Row::against("one task, awaits every confirmation", 3, BATCHES_GOAL),
        Row::against("ten tasks, each awaits every confirmation", 3, BATCHES_GOAL),
        Row::alone("`publish_all`, message by message"),
        Row::alone("`publish_all` in atomic batches"),
    ]);
    let (jetstream, connection) = (&bench.jetstream, &bench.connection);
    for round in 0..rounds {
        let run = format!("{round}");
        bench.empty().await?;
        let one = publishing::one_by_one(jetstream, &run, FEW, 1);
        table.add(0, timed(FEW, one).await?);
        bench.empty().await?;
        let ten = publishing::one_by_one(jetstream, &run, FEW, 10);
        table.add(1, timed(FEW, ten).await?);
        bench.empty().await?;
        let singles = publishing::ours(connection, &run, FEW, false);
        table.add(2, timed(FEW, singles).await?);
        bench.empty().await?;
        let batches = publishing::ours(connection, &run, MESSAGES, true);
        table.add(3, timed(MESSAGES, batches).await?);
    }
    println!("\nthe same, each message on disk before it is confirmed (sync_interval: always)\n");
    Ok(table.print())
}
