//! Everything that touches the world. The core decides, this does.

pub mod config;
pub mod shutdown;
pub mod telemetry;
