//! The main job end to end, and what the api refuses on the way.

use std::time::Duration;

use anyhow::Result;
use stack::journey::{User, wait};
use stack::report::Jobs;
use stack::{Options, verify};

const PATIENCE: Duration = Duration::from_secs(180);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn athletes_are_synced_by_consent_and_again_by_the_schedule() -> Result<()> {
    let options = Options {
        athletes: 6,
        activities_per_athlete: 230,
        dispatch_every: Duration::from_secs(5),
        seed: 42,
        ..Options::default()
    };
    let (stack, directory) = crate::start(&options)?;
    let user = User::new(stack.addresses().http, stack.operator_token())?;
    user.wait_ready(PATIENCE).await?;
    let athletes = user.join_all(options.athletes).await?;
    wait("all activities", PATIENCE, async || Ok(user.activities().await? >= options.activities()))
        .await?;
    let twice = "SELECT count(*) FROM (SELECT athlete_id FROM sync_runs \
                 GROUP BY athlete_id HAVING count(*) >= 2) AS synced";
    wait("a sync of each athlete by the schedule", PATIENCE, async || {
        Ok(stack.sql(twice)?.trim().parse::<u32>()? == options.athletes)
    })
    .await?;
    let verified = verify::verify(&stack, &user, &athletes).await?;
    assert_eq!(verified, options.activities());
    let jobs = Jobs::count(&stack)?;
    assert!(jobs.published >= 2 * u64::from(options.athletes), "{jobs:?}");
    assert_eq!(jobs.dead, 0, "{jobs:?}");
    // The services, each with the permissions of its contract alone, left the broker as
    // the contracts say.
    let (drifted, difference) = stack.drift()?;
    assert!(!drifted, "{difference}");
    stack.stop();
    directory.succeeded()
}
