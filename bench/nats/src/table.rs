//! Rates of several ways, and what they are to each other.

use bench_timed::median;

/// One way.
#[derive(Clone, Copy)]
pub struct Row {
    name: &'static str,
    /// The row of our own way, and how many times this one it must reach.
    against: Option<(usize, f64)>,
}

impl Row {
    /// A way of others that ours, in row `ours`, must reach so many times.
    pub const fn against(name: &'static str, ours: usize, limit: f64) -> Self {
        Self { name, against: Some((ours, limit)) }
    }

    /// A way that is told and not compared.
    pub const fn alone(name: &'static str) -> Self {
        Self { name, against: None }
    }
}

/// Rates in messages a second, one for each round and way.
pub struct Table {
    rows: Vec<(Row, Vec<f64>)>,
}

impl Table {
    pub fn new(rows: &[Row]) -> Self {
        Self { rows: rows.iter().map(|row| (*row, Vec::new())).collect() }
    }

    pub fn add(&mut self, row: usize, rate: f64) {
        self.rows[row].1.push(rate);
    }

    /// Prints the table; tells whether all limits are kept.
    pub fn print(&self) -> bool {
        println!("| | a second | ours to it | limit |");
        println!("| --- | --- | --- | --- |");
        let mut kept = true;
        for (row, rates) in &self.rows {
            let rate = median(rates.clone());
            let Some((ours, limit)) = row.against else {
                println!("| {} | {rate:.0} | | |", row.name);
                continue;
            };
            let ratio = ratio(&self.rows[ours].1, rates);
            println!("| {} | {rate:.0} | {ratio:.2} | {limit} |", row.name);
            kept &= ratio >= limit;
        }
        kept
    }
}

/// How many times as fast the first are: the median over rounds.
fn ratio(first: &[f64], second: &[f64]) -> f64 {
    median(first.iter().zip(second).map(|(first, second)| first / second).collect())
}
