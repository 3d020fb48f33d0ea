//! What Strava tells us unasked.
//!
//! [`callback`] is the door: it writes an event down ([`recorder`]) and answers. [`inbox`] acts upon
//! events afterwards, an athlete's together, as [`plan`] says: jobs for what is new or different,
//! deletion of what is gone, and of everything once Strava confirms that a consent has ended
//! ([`erasure`]). [`subscriptions`] manages the subscription by which they come.
//!
//! Nobody signs events, so they are hints: Strava's list, or Strava itself, has the last word.

mod callback;
mod changes;
mod erasure;
mod error;
mod event;
mod figures;
mod inbox;
mod overdue;
mod plan;
mod prune;
mod recorder;
mod rpc;
mod stats;
mod strava;
mod subscriptions;

pub use callback::{CALLBACK_PATH, Callback};
pub use error::WebhooksError;
pub use event::{Event, Unusable};
pub use figures::WebhookFigures;
pub use inbox::{Handled, Inbox, InboxSettings};
pub use recorder::{Recorder, TurnedAway};
pub use rpc::WebhooksRpc;
pub use stats::{Recorded, WebhookCounts, WebhookStats};
pub use subscriptions::{Subscription, Subscriptions};
