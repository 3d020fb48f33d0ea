//! The program killed in the midst of a redrive, anywhere: nothing is lost, nothing comes twice.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use treaty_error::Error;
use treaty_nats::{Delivery, Event as _, Handle};

use crate::World;
use crate::jobs::{Job, OldJob};

/// Counts what it is given, by the job's own id.
#[derive(Default)]
struct Counting(Mutex<BTreeMap<String, u32>>);

#[async_trait]
impl Handle<Job> for Counting {
    async fn handle(&self, _: &Delivery, job: Job) -> Result<(), Error> {
        *self.0.lock().unwrap().entry(job.id).or_default() += 1;
        Ok(())
    }
}

/// What one run of the program came to.
struct Ran {
    /// Letters that it said it has driven again, whose message the stream had from a run before.
    before: u64,
    /// Whether it came to its end.
    ended: bool,
}

fn random() -> StdRng {
    let given = std::env::var("TREATY_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = given.unwrap_or_else(rand::random);
    println!("killed redrives: TREATY_SEED={seed}");
    StdRng::seed_from_u64(seed)
}

impl World {
    /// Drives everything again, and is killed some moments after it has told of some letters.
    fn redrive_and_die(&self, letters: usize, moments: Duration) -> Ran {
        let mut child = self
            .command(&["redrive", "--all"])
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut said: Vec<String> = lines.by_ref().take(letters).collect();
        // Not a wait for anything: it says where within the next letter the kill falls.
        std::thread::sleep(moments);
        child.kill().unwrap();
        said.extend(lines);
        let ended = child.wait().unwrap().success();
        let before = said.iter().filter(|line| line.ends_with(", published before")).count();
        Ran { before: u64::try_from(before).unwrap(), ended }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redrive_killed_again_and_again_loses_nothing_and_publishes_nothing_twice() {
    let soak = std::env::var_os("TREATY_SOAK").is_some();
    let letters: u64 = if soak { 5_000 } else { 250 };
    let mut random = random();
    let world = World::new().await;
    for number in 0..letters {
        world.publish(&format!("job-{number}")).await;
    }
    world.handle::<OldJob>(0, letters).await;

    let (mut kills, mut before) = (0, 0);
    loop {
        let moments = Duration::from_micros(random.random_range(0..4_000));
        let ran = world.redrive_and_die(random.random_range(0..16), moments);
        before += ran.before;
        if ran.ended {
            break;
        }
        kills += 1;
    }
    println!("{kills} kills in {letters} letters, {before} between confirmation and removal");
    assert!(kills >= letters / 20, "only {kills} kills");
    // About one in ten falls there: with few kills it may be none.
    assert!(before > 0 || !soak, "no kill fell between confirmation and removal");

    // Each message is in the stream as it was first, and once more.
    assert_eq!(world.json(&["list"])["total"], 0);
    let held = world.connection.stream_info(Job::STREAM).await.unwrap().messages;
    assert_eq!(held, 2 * letters);
    let counting = Arc::new(Counting::default());
    world.handle_with::<Job, _>(Arc::clone(&counting), letters, 0).await;
    let handled = counting.0.lock().unwrap();
    assert_eq!(u64::try_from(handled.len()).unwrap(), letters);
    assert!(handled.values().all(|&times| times == 1), "{handled:?}");
}
