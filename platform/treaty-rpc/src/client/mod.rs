//! What generated gRPC clients stand on.

mod address;
mod attempts;
mod budget;
mod call;
mod channel;
mod connection;
mod pool;
mod resolve;
mod streams;
mod transport;

pub use budget::{RetryBudget, RetryBudgetConfig};
pub use call::call;
pub use channel::{Channel, ClientConfig, connect_lazy, connect_lazy_with};
pub use resolve::Resolve;
pub use streams::{Requests, call_bidi_streaming, call_client_streaming, call_server_streaming};
pub use transport::Transport;
