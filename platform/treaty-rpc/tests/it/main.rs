//! A server and a client of this crate talk over a real connection.

mod calls;
mod echo;
mod server;
