//! What a client is to be called for.

use crate::domain::ids::{ClientId, OrderId};
use crate::domain::notify::Occasion;
use crate::domain::order::State;
use crate::engine::event::CallerOrder;
use crate::engine::ids::{CallId, CallbackId, NodeId};
use crate::engine::time::Wall;
use crate::speech::Language;

/// A callback as the office wants it. It stays wanted until one of [`CallbackEnd`], over any restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackRequest {
    /// Which.
    pub id: CallbackId,
    /// Canonical number.
    pub number: String,
    /// Whose, if known.
    pub client: Option<ClientId>,
    /// The client's language, where it is not the office's.
    pub language: Option<Language>,
    /// What for.
    pub about: About,
    /// Attempts that were made and count.
    pub attempts: u8,
    /// Since when it is wanted.
    pub created: Wall,
    /// When the next attempt is due.
    pub due: Wall,
    /// Not before this moment, by the clock on the wall: somebody chose it.
    pub not_before: Option<Wall>,
}

/// What for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// Something happened to an order.
    Order {
        /// What happened.
        occasion: Occasion,
        /// The order as it was when this was wanted. Its card, read with each attempt, tells what is true then.
        order: Box<CallerOrder>,
    },
    /// The client hung up while waiting for an agent: is asked whether to be put through now.
    Lost,
    /// The office wants to tell this: a wish for a birthday, a change of its hours.
    Words(String),
    /// The client does not wait on the line: is called when an agent is reserved, and put through.
    Place(KeptPlace),
}

/// A place in a queue that is kept for a client who hung up and is to be called back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptPlace {
    /// The call in which the client asked for it; stands in line in its place.
    pub call: CallId,
    /// On which Asterisk.
    pub node: NodeId,
    /// The queue, by name: ids change with the settings.
    pub queue: String,
    /// What the client's card added to the queue's priority.
    pub priority: i16,
    /// When the client entered the queue.
    pub entered: Wall,
}

impl About {
    /// A word for the journal and for statistics.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            About::Order { occasion, .. } => occasion.as_str(),
            About::Lost => "lost",
            About::Words(_) => "words",
            About::Place(_) => "place",
        }
    }
}

/// How a callback ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallbackEnd {
    /// Heard by a person.
    Delivered,
    /// Something newer took its place, or the client heard it otherwise.
    Superseded,
    /// Somebody, or the end of its order, cancelled it.
    Cancelled,
    /// All attempts were made, or the number cannot be called: it is a task for the agents now.
    Exhausted,
}

impl CallbackEnd {
    /// The word of the database and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            CallbackEnd::Delivered => "delivered",
            CallbackEnd::Superseded => "superseded",
            CallbackEnd::Cancelled => "cancelled",
            CallbackEnd::Exhausted => "exhausted",
        }
    }
}

/// Who is called first: a car that waits outside, then one on its way, then that there is none, then the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// The car is there.
    Arrived,
    /// It is on its way, or comes at another time.
    Assigned,
    /// There is none.
    NotFound,
    /// All else.
    Rest,
    /// A kept place: when it is called the queue decides, not this order. Last, so that it keeps nobody else from
    /// calling the same number meanwhile.
    Place,
}

impl CallbackRequest {
    /// How urgent it is.
    #[must_use]
    pub fn urgency(&self) -> Urgency {
        match &self.about {
            About::Order { occasion, .. } => match occasion {
                Occasion::Arrived => Urgency::Arrived,
                Occasion::Assigned | Occasion::EtaChanged => Urgency::Assigned,
                Occasion::NotFound => Urgency::NotFound,
                Occasion::Closed | Occasion::Cancelled => Urgency::Rest,
            },
            About::Lost | About::Words(_) => Urgency::Rest,
            About::Place(_) => Urgency::Place,
        }
    }

    /// What it is for, as a word for statistics.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.about.word()
    }

    /// The order that it is about.
    #[must_use]
    pub fn order(&self) -> Option<OrderId> {
        match &self.about {
            About::Order { order, .. } => Some(order.order),
            About::Lost | About::Words(_) | About::Place(_) => None,
        }
    }

    /// The place in a queue that it keeps.
    #[must_use]
    pub fn place(&self) -> Option<&KeptPlace> {
        match &self.about {
            About::Place(place) => Some(place),
            About::Order { .. } | About::Lost | About::Words(_) => None,
        }
    }

    /// It is about an order of this moment, or the client has just asked for it: then the hours in which clients may be
    /// called do not matter.
    #[must_use]
    pub fn is_pressing(&self) -> bool {
        match &self.about {
            About::Order { .. } | About::Place(_) => true,
            About::Lost | About::Words(_) => false,
        }
    }

    /// There is still something to tell, as its order stands now.
    #[must_use]
    pub fn still_tells(&self, state: State) -> bool {
        match state {
            State::Searching
            | State::Assigned
            | State::Arrived
            | State::NotFound
            | State::Completed
            | State::Cancelled => true,
            // Who sits in the car knows; and nobody is told of an order that counts as false.
            State::InTrip | State::False => false,
        }
    }
}
