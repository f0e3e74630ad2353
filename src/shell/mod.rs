//! Everything that touches the world. The core decides, this does.

pub mod asterisk;
mod call_thread;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod descriptors;
pub mod driver;
pub mod exchange;
pub mod hints;
mod import;
mod order_desk;
mod outlets;
mod preorders;
pub mod recordings;
pub mod requests;
pub mod serve;
mod shapes;
pub mod shutdown;
pub mod sms;
pub mod sounds;
pub mod store;
pub mod telemetry;
pub mod updates;
pub mod voice;
pub mod web;
pub mod webhooks;
