//! Encrypted files: the store of a laptop, shared by all processes of a machine.

mod disk;
mod key;
mod seal;
mod store;

pub use store::FileStore;
