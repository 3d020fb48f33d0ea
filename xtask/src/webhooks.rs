//! `cargo xtask webhooks`: the subscription by which Strava tells the api what changes.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use stack::operator::Operator;

use crate::up;

/// Subscribes to Strava's events, lists what the application is subscribed to, or ends it.
///
/// Strava has one subscription for each application. Acts through the api of --api, as
/// its operator, else on the system that `cargo xtask up` runs.
#[derive(Debug, clap::Subcommand)]
pub enum Webhooks {
    /// Subscribes with the api's callback; does nothing when that is so already.
    #[command(after_help = "Examples:
  cargo xtask webhooks subscribe
  TREATY_OPERATOR_TOKEN=… cargo xtask webhooks subscribe --api https://api.example.org")]
    Subscribe(Api),
    /// Lists what the application is subscribed to at Strava.
    #[command(after_help = "Examples:
  cargo xtask webhooks list
  TREATY_OPERATOR_TOKEN=… cargo xtask webhooks list --api https://api.example.org")]
    List(Api),
    /// Ends a subscription; one that is not there has ended.
    #[command(after_help = "Examples:
  cargo xtask webhooks delete 123456   # a number of `cargo xtask webhooks list`")]
    Delete {
        /// Strava's number of the subscription.
        id: u64,
        #[command(flatten)]
        api: Api,
    },
}

/// Which api, and what proves an operator there.
#[derive(Debug, clap::Args)]
pub struct Api {
    /// Address of the api, such as https://api.example.org.
    #[arg(long, requires = "token")]
    api: Option<String>,
    /// The operators' token of that api.
    #[arg(long = "token", env = "TREATY_OPERATOR_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

impl Webhooks {
    pub fn run(&self) -> Result<ExitCode> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.act())?;
        Ok(ExitCode::SUCCESS)
    }

    async fn act(&self) -> Result<()> {
        match self {
            Self::Subscribe(api) => {
                let answer = api.operator()?.subscribe().await?;
                let made = answer["created"] == true;
                let verb = if made { "subscribed" } else { "is subscribed already" };
                println!("{verb}: {}", line(&answer["subscription"]));
            }
            Self::List(api) => {
                let subscriptions = api.operator()?.subscriptions().await?;
                if subscriptions.is_empty() {
                    println!("none: `cargo xtask webhooks subscribe` makes one");
                }
                for subscription in subscriptions {
                    println!("{}", line(&subscription));
                }
            }
            Self::Delete { id, api } => {
                api.operator()?.unsubscribe(*id).await?;
                println!("subscription {id} has ended");
            }
        }
        Ok(())
    }
}

impl Api {
    fn operator(&self) -> Result<Operator> {
        if let (Some(api), Some(token)) = (&self.api, &self.token) {
            return Operator::new(api, token);
        }
        let state = up::running()?.with_context(|| {
            "no system is up: start one by `cargo xtask up`, or name an api by --api and its \
             operators' token by TREATY_OPERATOR_TOKEN"
        })?;
        let (Some(http), Some(token)) = (state["http"].as_str(), state["operator_token"].as_str())
        else {
            bail!(".treaty/up.json is not of this version: start the system again");
        };
        eprintln!("On the system that is up, http://{http}:");
        Operator::new(&format!("http://{http}"), token)
    }
}

/// A subscription in a line. The path of its callback is a secret, which the api does not tell.
fn line(subscription: &Value) -> String {
    let text = |key: &str| subscription[key].as_str().unwrap_or("?").to_owned();
    let whose = match subscription["ours"].as_bool() {
        Some(true) => "this api",
        _ => "another callback than this api's",
    };
    format!("{}  {} ({whose})", text("subscriptionId"), text("callbackOrigin"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_says_whose_the_callback_is() {
        let mut told = json!({"subscriptionId": "7", "callbackOrigin": "https://a.example"});
        assert_eq!(line(&told), "7  https://a.example (another callback than this api's)");
        told["ours"] = true.into();
        assert_eq!(line(&told), "7  https://a.example (this api)");
    }
}
