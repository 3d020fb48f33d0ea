//! Dead letters of all deployables, for operators who have no access to the broker.
//!
//! The api's own user at the broker may not read or end them, and gains no right by this: they are
//! reached over a connection of their own, as the operator whose credentials the configuration holds.

mod broker;
mod message;
mod rpc;
mod service;
mod token;

pub use broker::OperatorBroker;
pub use rpc::DeadLettersRpc;
pub use service::DeadLetters;
