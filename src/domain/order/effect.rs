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

/// What must be known of an order's client to tell what follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Regard<'a> {
    /// The client's group.
    pub group: Option<&'a Group>,
    /// Who brought the client, as long as the client has made no trip.
    pub brought_by: Option<ClientId>,
}

/// What follows from an event. `order` is the order after it, `regard` tells of its client before it.
#[must_use]
pub fn effects(id: OrderId, order: &Order, event: &Event, regard: Regard<'_>) -> Vec<Effect> {
    let Some(client) = order.client else { return Vec::new() };
    let count = |tally| Effect::Count { client, tally };
    match event {
        Event::Finished { fare: _, settlement, calculation: _ } => {
            let mut effects = vec![count(Tally::Completed)];
            if settlement.price > Kopecks::ZERO && settlement.discount == settlement.price {
                effects.push(count(Tally::Prize));
            }
            let posts = posts(id, order, settlement, regard.group);
            effects.extend(posts.into_iter().map(|post| Effect::Post { client, post }));
            effects.extend(referral(id, regard));
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

/// The reward for bringing a client who has now made a first trip. The friend's number is nobody else's business.
fn referral(id: OrderId, regard: Regard<'_>) -> Option<Effect> {
    let amount = regard.group.map(|group| group.referral_bonus).filter(|amount| *amount > Kopecks::ZERO)?;
    let post = Post {
        book: Book::Bonus,
        kind: EntryKind::Referral,
        method: Method::Automatic,
        amount,
        order: Some(id),
        phone: String::new(),
        comment: String::new(),
    };
    Some(Effect::Post { client: regard.brought_by?, post })
}
