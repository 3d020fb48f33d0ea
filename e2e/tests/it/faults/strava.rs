//! The simulator's control surface.

use anyhow::{Context as _, Result};
use serde_json::Value;
use stack::Stack;

/// Replaces the fault plan; what is left out is off.
pub async fn faults(stack: &Stack, plan: &Value) -> Result<()> {
    let answer = reqwest::Client::new().post(url(stack, "faults")).json(plan).send().await?;
    answer.error_for_status().context("the simulator takes no such faults")?;
    Ok(())
}

/// How many faults of a limited plan are still to come.
pub async fn faults_left(stack: &Stack) -> Result<u64> {
    let plan: Value = reqwest::Client::new().get(url(stack, "faults")).send().await?.json().await?;
    plan["times"].as_u64().context("the fault plan has no limit")
}

/// Changes an activity of an athlete, by its number at Strava.
pub async fn change(stack: &Stack, athlete: u64, change: &Value) -> Result<()> {
    let url = url(stack, &format!("athletes/{athlete}/activities"));
    let answer = reqwest::Client::new().post(url).json(change).send().await?;
    answer.error_for_status().context("the simulator changes no such activity")?;
    Ok(())
}

/// How many pages of activities Strava was asked for.
pub async fn pages(stack: &Stack) -> Result<u64> {
    let url = url(stack, "requests");
    let counts: Value = reqwest::Client::new().get(url).send().await?.json().await?;
    let routes = counts["routes"].as_array().context("no routes")?;
    let pages = routes.iter().filter(|route| route.to_string().contains("athlete/activities"));
    Ok(pages.filter_map(|route| route["count"].as_u64()).sum())
}

fn url(stack: &Stack, what: &str) -> String {
    format!("http://{}/_sim/{what}", stack.addresses().strava)
}
