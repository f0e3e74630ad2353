//! How often what happened with a client.

use serde::{Deserialize, Serialize};

use super::super::time::Wall;

/// Something to be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Tally {
    /// A trip was made.
    Completed,
    /// The client did not come out.
    False,
    /// A trip for nothing, as a prize.
    Prize,
    /// The client cancelled.
    Cancelled,
    /// Somebody complained.
    Complaint,
    /// The client called.
    Called {
        /// When.
        at: Wall,
    },
}

/// How often what happened with a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Counters {
    /// Trips made.
    pub completed: u32,
    /// False orders.
    #[serde(rename = "false")]
    pub false_orders: u32,
    /// Trips for nothing.
    pub prize: u32,
    /// Orders that the client cancelled.
    pub cancelled: u32,
    /// Complaints.
    pub complaints: u32,
    /// Calls.
    pub calls: u32,
    /// The last call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_call: Option<Wall>,
}

impl Counters {
    /// After this as well.
    #[must_use]
    pub fn with(mut self, tally: Tally) -> Counters {
        let counter = match tally {
            Tally::Completed => &mut self.completed,
            Tally::False => &mut self.false_orders,
            Tally::Prize => &mut self.prize,
            Tally::Cancelled => &mut self.cancelled,
            Tally::Complaint => &mut self.complaints,
            Tally::Called { at } => {
                self.last_call = self.last_call.max(Some(at));
                &mut self.calls
            }
        };
        *counter = counter.saturating_add(1);
        self
    }

    /// Those of two cards together.
    #[must_use]
    pub fn plus(self, other: Counters) -> Counters {
        Counters {
            completed: self.completed.saturating_add(other.completed),
            false_orders: self.false_orders.saturating_add(other.false_orders),
            prize: self.prize.saturating_add(other.prize),
            cancelled: self.cancelled.saturating_add(other.cancelled),
            complaints: self.complaints.saturating_add(other.complaints),
            calls: self.calls.saturating_add(other.calls),
            last_call: self.last_call.max(other.last_call),
        }
    }
}
