//! From a call to the contact that it is.

use super::super::ids::{ClientId, PurposeId};
use super::super::time::Wall;
use super::{Create, Kind, Person, State};

/// How a call stands, as far as the journal of contacts is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallStand {
    /// The client talks with somebody of the office.
    Talking,
    /// They talked.
    Talked,
    /// The client needed nobody: the order was told, a key did it.
    Served,
    /// Nobody talked with the client.
    Lost,
    /// It did not reach the office, or is not so far yet.
    Nothing,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSeen {
    /// The office called.
    pub outgoing: bool,
    /// How it stands.
    pub stand: CallStand,
    /// The other side's number, canonical or empty.
    pub number: String,
    /// Whose number it is.
    pub client: Option<ClientId>,
    /// That of the queue in which the caller waited.
    pub purpose: Option<PurposeId>,
    /// Who talked last.
    pub agent: Option<Person>,
    /// When it came.
    pub arrived: Wall,
}

impl CallSeen {
    /// The contact that it is, if it is one: every call that reached the office, and those that the office made to talk.
    /// A lost one is new, so that it is not forgotten.
    #[must_use]
    pub fn contact(self) -> Option<Create> {
        let state = match (self.stand, self.outgoing) {
            (CallStand::Nothing, _) | (CallStand::Lost | CallStand::Served, true) => return None,
            // Of a call of the office only a talk with a person is a contact: what the engine told is a callback.
            (CallStand::Talking | CallStand::Talked, true) if self.agent.is_none() => return None,
            (CallStand::Talking, _) => State::InWork,
            (CallStand::Talked, _) | (CallStand::Served, false) => State::Done,
            (CallStand::Lost, false) => State::New,
        };
        let responsible = match self.stand {
            CallStand::Talking | CallStand::Talked => self.agent,
            CallStand::Served | CallStand::Lost | CallStand::Nothing => None,
        };
        Some(Create {
            kind: if self.outgoing { Kind::CallOut } else { Kind::CallIn },
            state,
            purpose: self.purpose,
            client: self.client,
            phone: self.number,
            description: String::new(),
            comment: String::new(),
            responsible,
            since: self.arrived,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_talk_is_done_a_lost_call_is_new_and_a_refused_one_is_nothing() {
        let call = |outgoing, stand, agent| CallSeen {
            outgoing,
            stand,
            number: String::new(),
            client: None,
            purpose: None,
            agent,
            arrived: Wall(1),
        };
        let anna = Some(Person::Agent(1));
        let state = |call: CallSeen| call.contact().map(|new| (new.kind, new.state, new.responsible));
        assert_eq!(state(call(false, CallStand::Talking, anna)), Some((Kind::CallIn, State::InWork, anna)));
        assert_eq!(state(call(false, CallStand::Talked, anna)), Some((Kind::CallIn, State::Done, anna)));
        assert_eq!(state(call(false, CallStand::Served, None)), Some((Kind::CallIn, State::Done, None)));
        assert_eq!(state(call(false, CallStand::Lost, None)), Some((Kind::CallIn, State::New, None)));
        assert_eq!(state(call(false, CallStand::Nothing, None)), None);
        assert_eq!(state(call(true, CallStand::Talked, anna)), Some((Kind::CallOut, State::Done, anna)));
        assert_eq!(state(call(true, CallStand::Talked, None)), None);
        assert_eq!(state(call(true, CallStand::Lost, None)), None);
    }
}
