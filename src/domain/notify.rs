//! Who is told of what by which channel. Telling itself (calling, sending) is not here.

use serde::{Deserialize, Serialize};

use super::order::{CancelledBy, Event, Order};
use super::phone::Phone;
use super::rejected::{Problem, Rejected};

/// Something about an order that its client may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// A car was assigned.
    Assigned,
    /// It comes earlier or later by more than the set minutes.
    EtaChanged,
    /// It is there.
    Arrived,
    /// None was found.
    NotFound,
    /// The trip is over.
    Closed,
    /// The driver or the office cancelled.
    Cancelled,
}

impl Occasion {
    /// All of them.
    pub const ALL: [Occasion; 6] = [
        Occasion::Assigned,
        Occasion::EtaChanged,
        Occasion::Arrived,
        Occasion::NotFound,
        Occasion::Closed,
        Occasion::Cancelled,
    ];

    /// As it stands in JSON and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Occasion::Assigned => "assigned",
            Occasion::EtaChanged => "eta_changed",
            Occasion::Arrived => "arrived",
            Occasion::NotFound => "not_found",
            Occasion::Closed => "closed",
            Occasion::Cancelled => "cancelled",
        }
    }

    /// Reads [`as_str`](Occasion::as_str).
    #[must_use]
    pub fn parse(text: &str) -> Option<Occasion> {
        Occasion::ALL.into_iter().find(|occasion| occasion.as_str() == text)
    }
}

/// How a client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Not at all.
    None,
    /// By a call.
    Voice,
    /// By SMS.
    Sms,
    /// By both.
    Both,
}

/// An office's settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct OfficeNotify {
    /// A car was assigned.
    pub assigned: Channel,
    /// The car comes earlier or later.
    pub eta_changed: Channel,
    /// The car is there.
    pub arrived: Channel,
    /// No car was found.
    pub not_found: Channel,
    /// The trip is over.
    pub closed: Channel,
    /// The driver or the office cancelled.
    pub cancelled: Channel,
    /// A change of the time of arrival by at most so many minutes is not worth telling, 0 to 120.
    #[cfg_attr(feature = "shell", schema(maximum = 120))]
    pub eta_minutes: u16,
}

impl Default for OfficeNotify {
    fn default() -> Self {
        OfficeNotify {
            assigned: Channel::Voice,
            eta_changed: Channel::None,
            arrived: Channel::Sms,
            not_found: Channel::Voice,
            closed: Channel::Sms,
            cancelled: Channel::Voice,
            eta_minutes: 5,
        }
    }
}

/// A client's own wishes; what is not set is as the office has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ClientNotify {
    /// A car was assigned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned: Option<Channel>,
    /// The car comes earlier or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eta_changed: Option<Channel>,
    /// The car is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrived: Option<Channel>,
    /// No car was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_found: Option<Channel>,
    /// The trip is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<Channel>,
    /// The driver or the office cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<Channel>,
}

impl OfficeNotify {
    /// Refuses what cannot be set.
    ///
    /// # Errors
    /// [`Rejected::Field`].
    pub fn check(&self) -> Result<(), Rejected> {
        if self.eta_minutes > 120 {
            return Err(Rejected::Field { field: "eta_minutes", problem: Problem::OutOfRange });
        }
        Ok(())
    }

    fn of(&self, occasion: Occasion) -> Channel {
        match occasion {
            Occasion::Assigned => self.assigned,
            Occasion::EtaChanged => self.eta_changed,
            Occasion::Arrived => self.arrived,
            Occasion::NotFound => self.not_found,
            Occasion::Closed => self.closed,
            Occasion::Cancelled => self.cancelled,
        }
    }
}

impl ClientNotify {
    fn of(&self, occasion: Occasion) -> Option<Channel> {
        match occasion {
            Occasion::Assigned => self.assigned,
            Occasion::EtaChanged => self.eta_changed,
            Occasion::Arrived => self.arrived,
            Occasion::NotFound => self.not_found,
            Occasion::Closed => self.closed,
            Occasion::Cancelled => self.cancelled,
        }
    }
}

/// By which channel this client is told, at this number: the client's wish before the office's. A landline gets no SMS,
/// but a car that waits is worth a call; an internal number gets none either; a hidden one can be told nothing.
#[must_use]
pub fn channel(occasion: Occasion, client: Option<&ClientNotify>, office: &OfficeNotify, phone: &Phone) -> Channel {
    let wished = client.and_then(|client| client.of(occasion)).unwrap_or_else(|| office.of(occasion));
    if *phone == Phone::Hidden {
        return Channel::None;
    }
    match (wished, phone.takes_sms()) {
        (Channel::Both, false) => Channel::Voice,
        (Channel::Sms, false) => match occasion {
            Occasion::Arrived => Channel::Voice,
            Occasion::Assigned | Occasion::EtaChanged | Occasion::NotFound | Occasion::Closed | Occasion::Cancelled => {
                Channel::None
            }
        },
        (Channel::None | Channel::Voice, false) | (_, true) => wished,
    }
}

/// What a client is to be told of this event, if anything. `before` is the order as it was, `after` as the event left it.
#[must_use]
pub fn occasion(before: &Order, event: &Event, after: &Order, office: &OfficeNotify) -> Option<Occasion> {
    match event {
        Event::Assigned { .. } | Event::Reassigned { .. } => Some(Occasion::Assigned),
        Event::EtaChanged { .. } => {
            let (old, new) = (before.eta?.at(), after.eta?.at());
            let moved = old.0.abs_diff(new.0);
            (moved > u64::from(office.eta_minutes) * 60_000).then_some(Occasion::EtaChanged)
        }
        Event::CarArrived => Some(Occasion::Arrived),
        Event::CarNotFound => Some(Occasion::NotFound),
        Event::Finished { .. } => Some(Occasion::Closed),
        Event::Cancelled { by, reason: _ } => match by {
            CancelledBy::Driver | CancelledBy::Office => Some(Occasion::Cancelled),
            CancelledBy::Client | CancelledBy::Dispatcher => None,
        },
        Event::Created { .. }
        | Event::Woken
        | Event::Released { .. }
        | Event::Started
        | Event::SearchedAgain
        | Event::ClientNoShow
        | Event::Edited { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clients_wish_goes_before_the_offices() {
        let office = OfficeNotify::default();
        let mobile = Phone::parse("+79001234567");
        assert_eq!(channel(Occasion::Assigned, None, &office, &mobile), Channel::Voice);
        let wish = ClientNotify { assigned: Some(Channel::None), ..ClientNotify::default() };
        assert_eq!(channel(Occasion::Assigned, Some(&wish), &office, &mobile), Channel::None);
        assert_eq!(channel(Occasion::Arrived, Some(&wish), &office, &mobile), Channel::Sms);
    }

    #[test]
    fn a_landline_gets_no_sms_but_a_call_when_the_car_waits() {
        let office = OfficeNotify { cancelled: Channel::Both, ..OfficeNotify::default() };
        let landline = Phone::parse("+74951234567");
        assert_eq!(channel(Occasion::Arrived, None, &office, &landline), Channel::Voice);
        assert_eq!(channel(Occasion::Closed, None, &office, &landline), Channel::None);
        assert_eq!(channel(Occasion::Cancelled, None, &office, &landline), Channel::Voice);
        assert_eq!(channel(Occasion::Arrived, None, &office, &Phone::parse("101")), Channel::Voice);
        assert_eq!(channel(Occasion::Assigned, None, &office, &Phone::Hidden), Channel::None);
    }
}
