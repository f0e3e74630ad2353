//! Erasing the person from a contact's history; what is counted stays.

use super::super::history::Entry;
use super::{Change, Detail, Event};

/// An entry of an erased client's contact as it may be kept: no number, name, or free text.
#[must_use]
pub fn redacted(mut entry: Entry<Event>) -> Entry<Event> {
    match &mut entry.event {
        Event::Created {
            way: _,
            state: _,
            purpose: _,
            client: _,
            phone,
            description,
            comment,
            responsible: _,
            since: _,
        } => {
            phone.clear();
            description.clear();
            comment.clear();
        }
        Event::Edited { changes } => {
            for Change { before, after } in changes {
                blur(before);
                blur(after);
            }
        }
        Event::Done { comment, responsible: _ }
        | Event::Ignored { reason: _, comment }
        | Event::Transferred { responsible: _, purpose: _, comment, with_call: _ } => comment.clear(),
        // The number of a document is the office's own.
        Event::Linked { reference } => reference.link.clear(),
        Event::Taken { .. }
        | Event::Waits
        | Event::Unlinked { .. }
        | Event::CallEnded { .. }
        | Event::Reached { .. } => {}
    }
    entry
}

fn blur(detail: &mut Detail) {
    match detail {
        Detail::Phone(text) | Detail::Description(text) | Detail::Comment(text) => text.clear(),
        Detail::Purpose(_) | Detail::Client(_) => {}
    }
}
