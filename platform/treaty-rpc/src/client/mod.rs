//! What generated gRPC clients stand on.

mod attempts;
mod budget;
mod call;
mod channel;
mod streams;
mod transport;

pub use budget::RetryBudgetConfig;
pub use call::call;
pub use channel::{Channel, ClientConfig, connect_lazy};
pub use streams::{Requests, call_bidi_streaming, call_client_streaming, call_server_streaming};
pub use transport::Transport;
