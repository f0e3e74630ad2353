//! Automatic call distribution: who waits, who is free, who is offered what.

pub mod agent;
pub mod announce;
pub mod estimate;
pub mod queue;
pub mod strategy;
