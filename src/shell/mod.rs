//! Everything that touches the world. The core decides, this does.

pub mod asterisk;
pub mod config;
pub mod requests;
pub mod shutdown;
pub mod store;
pub mod telemetry;
pub mod updates;
