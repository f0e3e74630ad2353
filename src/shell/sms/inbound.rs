//! What gateways tell: reports of what they took, and what clients wrote. What is clear is answered by the domain; the
//! rest is kept for people.

use std::sync::Arc;

use tracing::{debug, warn};

use crate::domain::history::Source;
use crate::domain::ids::{OrderId, SmsId};
use crate::domain::order::State;
use crate::domain::phone::Phone;
use crate::domain::sms::{SmsReason, Wish};
use crate::engine::event::{CallerCard, CallerOrder, CancelRefused};
use crate::engine::ivr::order_status::Orders;
use crate::engine::time::Wall;
use crate::shell::clock::wall;
use crate::shell::order_desk;
use crate::shell::store::sms::{NewSms, SmsState};
use crate::shell::store::sms_in::IncomingSms;
use crate::shell::store::sms_work::SmsReport;
use crate::shell::store::{Result, Store, sha256_hex};
use crate::speech::Language;
use crate::speech::notice::{Reply, reply};
use crate::speech::order::CannotCancel;

use super::{Settings, Stats};

/// The office's manner of telling time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// How far it is ahead of UTC.
    pub utc_offset_minutes: i32,
}

/// Takes what gateways tell. Clones share everything.
#[derive(Clone)]
pub struct Inbound {
    store: Store,
    settings: Arc<Settings>,
    stats: Stats,
    clock: Clock,
}

/// An SMS as a gateway hands it over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// From whom, in whatever form.
    pub from: String,
    /// What.
    pub text: String,
    /// The gateway's own id: the same SMS handed over again is the same. Empty where there is none.
    pub id: String,
}

impl Inbound {
    /// Takes what the gateways of these settings tell.
    #[must_use]
    pub fn new(store: Store, settings: Arc<Settings>, stats: Stats, clock: Clock) -> Inbound {
        Inbound { store, settings, stats, clock }
    }

    /// Whether whoever knows this secret may speak for this gateway. Takes the same time whatever is wrong with it.
    #[must_use]
    pub fn knows(&self, provider: &str, secret: &str) -> bool {
        let given = sha256_hex(secret);
        let right = self.settings.secret.as_ref().is_some_and(|known| sha256_hex(known.reveal()) == given);
        right && self.settings.providers.iter().any(|known| known.name == provider)
    }

    /// Whether an SMS may go to this number.
    #[must_use]
    pub fn allows(&self, phone: &Phone) -> bool {
        self.settings.allows(phone.as_str())
    }

    /// A gateway tells what became of what it took. Words that say nothing yet («on its way») change nothing.
    ///
    /// # Errors
    /// When the database does not answer: the gateway should tell it again.
    pub async fn report(&self, provider: &str, reference: &str, word: &str) -> Result<()> {
        let Some(state) = reported(word) else {
            debug!(provider, word, "a report that says nothing of the end");
            return Ok(());
        };
        let error = match state {
            SmsState::Delivered => String::new(),
            SmsState::Expired => format!("{provider}: the telephone was not reached in time ({word})"),
            _ => format!("{provider}: the network did not deliver it ({word})"),
        };
        let report =
            SmsReport { provider: provider.to_owned(), reference: reference.to_owned(), state, error, at: wall() };
        if let Some(end) = self.store.report_sms(&report).await? {
            self.stats.ended(&end);
        }
        Ok(())
    }

    /// A client wrote. Answers the number under which it is kept; `None` if it is known already, or one too many.
    ///
    /// # Errors
    /// When the database does not answer: the gateway should hand it over again.
    pub async fn receive(&self, provider: &str, sms: Incoming) -> Result<Option<SmsId>> {
        let now = wall();
        let phone = Phone::parse(&sms.from);
        let number = match &phone {
            // «MegaFon» and other names that are no numbers.
            Phone::Hidden => sms.from.chars().filter(|c| !c.is_control()).take(30).collect(),
            Phone::Internal(number) | Phone::Full(number) => number.clone(),
        };
        let wish = Wish::of(&sms.text);
        let new = IncomingSms {
            key: Some(sms.id).filter(|id| !id.is_empty()).map(|id| format!("in-{provider}-{id}")),
            provider: provider.to_owned(),
            number,
            text: sms.text,
            wish: wish.as_str(),
        };
        let Some(id) = self.store.receive_sms(&new, now).await? else { return Ok(None) };
        let answered =
            wish != Wish::Other && phone.takes_sms() && self.answer(id, &phone, wish, &new.text, now).await?;
        self.stats.came(provider, answered);
        Ok(Some(id))
    }

    async fn answer(&self, id: SmsId, phone: &Phone, wish: Wish, text: &str, now: Wall) -> Result<bool> {
        let hour_ago = now.plus_ms(-3_600_000);
        let before = self.store.answers_since(phone.as_str(), hour_ago).await?;
        if before >= u64::from(self.settings.answers_per_hour) {
            warn!(sms = id.0, "too many SMS from one number are answered: is it a robot? This one is kept for people");
            return Ok(false);
        }
        let card = self.store.load_caller(phone.as_str()).await?;
        if card.blocked {
            return Ok(false);
        }
        let Some((words, order)) = self.reply(&card, wish, now).await else { return Ok(false) };
        let answer = NewSms {
            key: format!("answer-{id}"),
            to: phone.clone(),
            text: reply(&words, language(text)),
            client: card.client,
            order,
            reason: SmsReason::Answer,
        };
        self.store.answer_sms(id, &answer, now).await
    }

    /// What is answered, and about which order; none where a person must look.
    async fn reply(&self, card: &CallerCard, wish: Wish, now: Wall) -> Option<(Reply, Option<OrderId>)> {
        let orders = Orders { all: &card.orders, now, utc_offset_minutes: self.clock.utc_offset_minutes };
        let mut open: Vec<&CallerOrder> = card.orders.iter().filter(|order| !order.state.is_ended()).collect();
        open.sort_by_key(|order| std::cmp::Reverse((order.created_at, order.order)));
        match wish {
            Wish::Where => {
                let states: Vec<_> = open.iter().filter_map(|order| orders.status(order, false)).collect();
                let one = open.first().filter(|_| open.len() == 1).map(|order| order.order);
                Some(if states.is_empty() { (Reply::NoOrder, None) } else { (Reply::States(states), one) })
            }
            Wish::Cancel => {
                open.retain(|order| order.state != State::NotFound);
                let (order, client) = match (open.as_slice(), card.client) {
                    ([order], Some(client)) => (order.order, client),
                    ([], _) | (_, None) => return Some((Reply::NoOrder, None)),
                    (several, _) => return Some((Reply::Several(several.len()), None)),
                };
                let done = match order_desk::cancelled(&self.store, client, order, Source::Sms).await {
                    Ok(()) => Reply::Cancelled,
                    Err(CancelRefused::InTrip) => Reply::CannotCancel(CannotCancel::InTrip),
                    Err(CancelRefused::Ended) => Reply::CannotCancel(CannotCancel::Ended),
                    Err(CancelRefused::Trouble) => return None,
                };
                Some((done, Some(order)))
            }
            Wish::Other => None,
        }
    }
}

/// The language of who wrote: English only if nothing in it is Russian.
fn language(text: &str) -> Language {
    let latin = ["cancel", "where", "when", "status", "eta"];
    let folded = crate::domain::search::fold(text);
    if folded.split(' ').any(|word| latin.contains(&word)) { Language::En } else { Language::Ru }
}

/// What a gateway's word means: Kannel's numbers (see [`kannel::state`](super::kannel::state)), the words of SMPP 3.4
/// (appendix B), and what other gateways use for the same. None for what is no end.
fn reported(word: &str) -> Option<SmsState> {
    if let Some(state) = super::kannel::state(word) {
        return Some(state);
    }
    match word.to_ascii_lowercase().as_str() {
        "delivrd" | "delivered" => Some(SmsState::Delivered),
        "expired" => Some(SmsState::Expired),
        "undeliv" | "undelivered" | "undeliverable" | "rejectd" | "rejected" | "deleted" | "failed" | "error" => {
            Some(SmsState::Failed)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_gateways_words_are_understood() {
        for (word, state) in [
            ("1", Some(SmsState::Delivered)),
            ("DELIVRD", Some(SmsState::Delivered)),
            ("delivered", Some(SmsState::Delivered)),
            ("2", Some(SmsState::Failed)),
            ("16", Some(SmsState::Failed)),
            ("UNDELIV", Some(SmsState::Failed)),
            ("EXPIRED", Some(SmsState::Expired)),
            ("8", None),
            ("ENROUTE", None),
            ("", None),
        ] {
            assert_eq!(reported(word), state, "{word}");
        }
    }

    #[test]
    fn the_answer_is_in_the_language_of_the_question() {
        for (text, expected) in [
            ("Where is my car?", Language::En),
            ("CANCEL", Language::En),
            ("где машина", Language::Ru),
            ("otmena", Language::Ru),
        ] {
            assert_eq!(language(text), expected, "{text}");
        }
    }
}
