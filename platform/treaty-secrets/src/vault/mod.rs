//! Vault's API: the store of a cluster.

mod fault;
mod login;
mod session;
mod store;

pub use store::VaultStore;
