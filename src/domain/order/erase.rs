//! Erasing the person from an order's history; what is counted stays.

use super::super::address::Address;
use super::super::history::{ActorKind, Entry};
use super::{Change, Detail, Event};

/// An entry of an erased client's order as it may be kept: the city of an address, no number, name, or free text.
#[must_use]
pub fn redacted(mut entry: Entry<Event>) -> Entry<Event> {
    // The client's own name or number, if the client acted.
    if entry.actor.kind == ActorKind::Client {
        entry.actor.name.clear();
    }
    match &mut entry.event {
        Event::Created {
            client: _,
            phone,
            passenger,
            from,
            to,
            wanted: _,
            tariff: _,
            payment: _,
            comment,
            estimate: _,
        } => {
            phone.clear();
            passenger.clear();
            comment.clear();
            coarsen(from);
            to.iter_mut().for_each(coarsen);
        }
        Event::Released { reason } | Event::Cancelled { by: _, reason } => reason.clear(),
        Event::Edited { changes } => {
            for Change { before, after } in changes {
                blur(before);
                blur(after);
            }
        }
        Event::Woken
        | Event::Assigned { .. }
        | Event::Reassigned { .. }
        | Event::EtaChanged { .. }
        | Event::CarArrived
        | Event::Started
        | Event::Finished { .. }
        | Event::CarNotFound
        | Event::SearchedAgain
        | Event::ClientNoShow => {}
    }
    entry
}

fn coarsen(address: &mut Address) {
    *address = Address { city: std::mem::take(&mut address.city), ..Address::default() };
}

fn blur(detail: &mut Detail) {
    match detail {
        Detail::Phone(text) | Detail::Passenger(text) | Detail::Comment(text) => text.clear(),
        Detail::From(from) => coarsen(from),
        Detail::To(to) => to.iter_mut().for_each(coarsen),
        Detail::Wanted(_) | Detail::Tariff(_) | Detail::Payment(_) | Detail::Estimate(_) => {}
    }
}
