//! Faults in the whole system: processes killed, frozen and stopped while work is under way.
//!
//! Each test is short here and long under `cargo xtask test soak`, which sets the variables that
//! [`Plan`] reads. What must be true after any of them is in [`System::prove`].

mod broker;
mod callers;
mod crowd;
mod database;
mod full_disk;
mod jobs;
mod kills;
mod plan;
mod stops;
mod strava;
mod system;
mod together;
mod upstream;
mod zombie;

use callers::{Callers, Manner};
use crowd::Crowd;
use jobs::Pump;
use plan::Plan;
use system::System;
