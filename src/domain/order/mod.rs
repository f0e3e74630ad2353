//! The order: what it is, what can be done with it, and what follows.
//!
//! ```text
//! Searching  --assign--> Assigned --arrive--> Arrived --start--> InTrip --finish--> Completed
//! Searching  --no_car--> NotFound --search_again--> Searching
//! Assigned   --reassign | change_eta--> Assigned        Assigned --release--> Searching
//! Searching | NotFound | Assigned | Arrived --cancel--> Cancelled
//! Arrived    --no_show--> False
//! ```
//!
//! A pre-order is `Searching` with a time to be woken at ([`Order::wake_at`]); until then nobody looks for a car, though
//! one may be assigned by hand.

mod apply;
mod command;
mod decide;
mod effect;
mod erase;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use apply::restore;
pub use command::{Action, CancelledBy, Command, Create, Finish, Price, Standing};
pub use decide::{create, handle};
pub use effect::{Effect, Regard, effects};
pub use erase::redacted;
pub use event::{Change, Detail, Event};
pub use state::{Cancellation, Driver, Eta, Order, State, Wanted};
