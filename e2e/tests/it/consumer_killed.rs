//! A consumer that dies in the middle of its jobs loses nothing.

use std::time::Duration;

use anyhow::Result;
use stack::journey::{User, wait};
use stack::{Options, Part, verify};

const PATIENCE: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_a_consumer_in_the_middle_ends_in_exact_counts() -> Result<()> {
    let options = Options {
        athletes: 24,
        activities_per_athlete: 450,
        // Far apart, so that only redelivery can finish what the dead consumer had begun.
        dispatch_every: Duration::from_secs(3600),
        seed: 7,
        ..Options::default()
    };
    let (mut stack, directory) = crate::start(&options)?;
    let user = User::new(stack.addresses().http, stack.operator_token())?;
    user.wait_ready(PATIENCE).await?;
    let joining = tokio::spawn({
        let user = user.clone();
        async move { user.join_all(options.athletes).await }
    });
    let all = options.activities();
    wait("the first activities to be in", PATIENCE, async || Ok(user.activities().await? > 0))
        .await?;
    stack.kill(Part::Consumer(0))?;
    let at_death = user.activities().await?;
    assert!(at_death < all, "the consumer was killed after the work was done: {at_death} of {all}");
    let athletes = joining.await??;
    wait("all activities", PATIENCE, async || Ok(user.activities().await? >= all)).await?;
    let verified = verify::verify(&stack, &user, &athletes).await?;
    assert_eq!(verified, all);
    stack.stop();
    directory.succeeded()
}
