//! What an order's event means for its client's card and ledger; to be written in the same transaction.

use super::super::client::Tally;
use super::super::fare::Settlement;
use super::super::group::Group;
use super::super::ids::{ClientId, OrderId};
use super::super::ledger::{Book, EntryKind, Method, Post};
use super::super::money::Kopecks;
use super::{CancelledBy, Event, Order};

/// Something that follows for a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Count it: [`Counters::with`](super::super::client::Counters::with).
    Count {
        /// Whose counters.
        client: ClientId,
        /// What.
        tally: Tally,
    },
    /// Enter it: [`ledger::post`](super::super::ledger::post).
    Post {
        /// Into whose ledger.
        client: ClientId,
        /// What.
        post: Post,
    },
}

/// What follows from an event. `order` is the order after it, `group` the group of its client.
#[must_use]
pub fn effects(id: OrderId, order: &Order, event: &Event, group: Option<&Group>) -> Vec<Effect> {
    let Some(client) = order.client else { return Vec::new() };
    let count = |tally| Effect::Count { client, tally };
    match event {
        Event::Finished { fare: _, settlement, calculation: _ } => {
            let mut effects = vec![count(Tally::Completed)];
            if settlement.price > Kopecks::ZERO && settlement.discount == settlement.price {
                effects.push(count(Tally::Prize));
            }
            let posts = posts(id, order, settlement, group);
            effects.extend(posts.into_iter().map(|post| Effect::Post { client, post }));
            effects
        }
        Event::ClientNoShow => vec![count(Tally::False)],
        Event::Cancelled { by, reason: _ } => match by {
            CancelledBy::Client => vec![count(Tally::Cancelled)],
            CancelledBy::Dispatcher | CancelledBy::Driver | CancelledBy::Office => Vec::new(),
        },
        Event::Created { .. }
        | Event::Woken
        | Event::Assigned { .. }
        | Event::Reassigned { .. }
        | Event::EtaChanged { .. }
        | Event::Released { .. }
        | Event::CarArrived
        | Event::Started
        | Event::CarNotFound
        | Event::SearchedAgain
        | Event::Edited { .. } => Vec::new(),
    }
}

fn posts(id: OrderId, order: &Order, settlement: &Settlement, group: Option<&Group>) -> Vec<Post> {
    let post = |book, kind, amount| Post {
        book,
        kind,
        method: Method::Automatic,
        amount,
        order: Some(id),
        phone: order.phone.clone(),
        comment: String::new(),
    };
    let earned = group.map_or(Kopecks::ZERO, |group| group.bonus_for(settlement.paid()));
    let mut posts = vec![
        post(Book::Bonus, EntryKind::Payment, settlement.bonus),
        post(Book::Account, EntryKind::Payment, settlement.account),
        post(Book::Bonus, EntryKind::Accrual, earned),
    ];
    posts.retain(|post| post.amount > Kopecks::ZERO);
    posts
}
