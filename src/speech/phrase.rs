//! What can be said, and the fragments that say it.

pub use crate::domain::language::Language;

use super::fragment::Fragment;
use super::numeral::{Noun, Number};
use super::order::{CannotCancel, OrderStatus, Trip, free_waiting, status, trip};
use super::script::Script;
use super::written::speakable;
use super::{en, ru};

impl std::fmt::Display for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Everything that the engine says to a caller or an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phrase {
    /// The first words after the answer.
    Greeting,
    /// The first word to a caller who is told something at once.
    Hello,
    /// The talk may be recorded; follows the greeting where the office records.
    Recorded,
    /// The caller's place in the queue, 1 for the first (0 is said as the first).
    Position(u32),
    /// How long the caller will wait, in whole minutes; 0 is "less than a minute".
    EstimatedWait {
        /// Whole minutes.
        minutes: u32,
    },
    /// Please hold the line.
    StayOnLine,
    /// All agents are busy, the first one free will answer.
    AllBusy,
    /// To an agent: the status is now "ready".
    AgentReady,
    /// To an agent: the status is now "pause".
    AgentPaused,
    /// To an agent: the status is now "offline".
    AgentOffline,
    /// To an agent: the dialled feature code does not exist.
    CodeUnknown,
    /// To who dialled a feature code from a phone that belongs to no agent.
    NotAnAgent,
    /// The caller is being put through to somebody else.
    Transferring,
    /// The transfer came to nothing.
    TransferFailed,
    /// Technical trouble on our side, please hold.
    Error,
    /// The state of an order, told to who ordered.
    Order(OrderStatus),
    /// The order's state changed while its caller waits: the new state.
    OrderChanged(OrderStatus),
    /// What the keys do after the state: 1 dispatcher, 2 cancel (only where it can be), star again.
    OrderKeys {
        /// Whether 2 cancels.
        cancel: bool,
    },
    /// Before an order is cancelled: 1 confirms, 2 keeps it.
    ConfirmCancel,
    /// The order is cancelled.
    OrderCancelled,
    /// The order stays as it is.
    OrderKept,
    /// The order cannot be cancelled any more, and why.
    CannotCancel(CannotCancel),
    /// A key that means nothing here.
    WrongKey,
    /// To a client who is called: the time of the car's arrival has changed, with an apology; the new state follows.
    EtaMoved,
    /// To a client who is called: the order was cancelled by driver or office.
    CalledOff,
    /// To a client who is called: the trip is over, with thanks, how far it was and what it costs.
    TripOver(Trip),
    /// To a client whose car waits: so many whole minutes cost nothing.
    FreeWaiting {
        /// Whole minutes.
        minutes: u32,
    },
    /// To a client who is called: you hung up before we could answer.
    MissedCall,
    /// What the keys do after what a client was called for: 2 again, 1 dispatcher.
    AnnouncementKeys,
    /// The same where no car was found: 1 goes on looking, 2 cancels, 0 dispatcher.
    NotFoundKeys,
    /// A car is looked for again.
    SearchesAgain,
    /// To who waits: 1 for being called back instead.
    CallbackOffer,
    /// Which number to call back: 1 this one, 2 another, star stays on the line.
    CallbackNumber,
    /// To who chose another number, or has a hidden one: its digits, then hash.
    EnterNumber,
    /// The number that was entered is not among those that the office calls.
    NumberNotAllowed,
    /// The number that was entered, digit by digit; then 1 confirms, 2 enters it again.
    CallBackTo(String),
    /// The client is called back, at the same place in line; goodbye.
    PlaceKept,
    /// To a client who is called back, before an agent answers.
    PutThrough,
    /// Words of the office's own (configuration): free text, in the language of the office.
    Free(String),
}

/// The sounds that, played one after another, say the phrase without its free text. Never empty.
pub fn fragments(phrase: &Phrase, language: Language) -> Vec<Fragment> {
    script(std::slice::from_ref(phrase), language).sounds_or_patience()
}

/// The words of a phrase, for the log and the console; the same words that are heard.
pub fn text(phrase: &Phrase, language: Language) -> String {
    if let Phrase::Free(words) = phrase {
        // The eye reads what was written.
        return words.clone();
    }
    script(std::slice::from_ref(phrase), language).text()
}

/// What is to be said for these phrases, one after another.
pub(super) fn script(phrases: &[Phrase], language: Language) -> Script {
    let mut script = Script::new(language);
    let mut before: Option<&Phrase> = None;
    for phrase in phrases {
        let another = matches!((before, phrase), (Some(Phrase::Order(_)), Phrase::Order(_)));
        add(&mut script, phrase, another);
        before = Some(phrase);
    }
    script
}

fn add(script: &mut Script, phrase: &Phrase, another: bool) {
    let whole = match phrase {
        Phrase::Position(place) => return position(script, *place),
        Phrase::EstimatedWait { minutes } => return estimated_wait(script, *minutes),
        Phrase::Order(order) => return status(script, order, another),
        Phrase::OrderChanged(order) => {
            script.say("order-changed");
            return status(script, order, false);
        }
        Phrase::Free(words) => {
            let said = speakable(words, script.language());
            return script.words(sentence(&said));
        }
        Phrase::CallBackTo(number) => return call_back_to(script, number),
        Phrase::TripOver(told) => {
            script.say("trip-over");
            return trip(script, *told);
        }
        Phrase::FreeWaiting { minutes } => return free_waiting(script, *minutes),
        Phrase::Greeting => "greeting",
        Phrase::Hello => "hello",
        Phrase::Recorded => "recorded",
        Phrase::StayOnLine => "stay-on-line",
        Phrase::AllBusy => "all-busy",
        Phrase::AgentReady => "agent-ready",
        Phrase::AgentPaused => "agent-paused",
        Phrase::AgentOffline => "agent-offline",
        Phrase::CodeUnknown => "code-unknown",
        Phrase::NotAnAgent => "not-an-agent",
        Phrase::Transferring => "transferring",
        Phrase::TransferFailed => "transfer-failed",
        Phrase::Error => "error",
        Phrase::OrderKeys { cancel: true } => "order-keys-cancel",
        Phrase::OrderKeys { cancel: false } => "order-keys",
        Phrase::ConfirmCancel => "confirm-cancel",
        Phrase::OrderCancelled => "order-cancelled",
        Phrase::OrderKept => "order-kept",
        Phrase::CannotCancel(CannotCancel::InTrip) => "cannot-cancel-in-trip",
        Phrase::CannotCancel(CannotCancel::Ended) => "cannot-cancel-ended",
        Phrase::CannotCancel(CannotCancel::Trouble) => "cannot-cancel-trouble",
        Phrase::WrongKey => "wrong-key",
        Phrase::EtaMoved => "eta-moved",
        Phrase::CalledOff => "called-off",
        Phrase::MissedCall => "missed-call",
        Phrase::AnnouncementKeys => "announcement-keys",
        Phrase::NotFoundKeys => "not-found-keys",
        Phrase::SearchesAgain => "searches-again",
        Phrase::CallbackOffer => "callback-offer",
        Phrase::CallbackNumber => "callback-number",
        Phrase::EnterNumber => "enter-number",
        Phrase::NumberNotAllowed => "number-not-allowed",
        Phrase::PlaceKept => "place-kept",
        Phrase::PutThrough => "put-through",
    };
    script.say(whole);
}

/// Free words end as a sentence, so that what follows is not run together with them.
fn sentence(words: &str) -> String {
    let words = words.trim_end_matches([' ', ',', ':', ';', '-']);
    let ends = words.is_empty() || words.ends_with(['.', '!', '?']);
    if ends { words.to_owned() } else { format!("{words}.") }
}

/// The greatest number that phrases say; above it they say "more than …".
const MOST: u32 = 999;

/// «Вы двадцать первый в очереди», "You are number twenty one in the queue".
fn position(script: &mut Script, place: u32) {
    let Some(place) = Number::new(place.max(1)).filter(|place| place.value() <= MOST) else {
        return script.say("position-beyond");
    };
    match script.language() {
        Language::Ru => {
            script.say("you-are");
            ru::ordinal(script, place, ru::Ordinal::Masculine);
        }
        Language::En => {
            script.say("you-are-number");
            en::cardinal(script, place);
        }
    }
    script.say("in-queue");
}

/// «Мы перезвоним на номер семь, девять ноль ноль, …», with a pause between groups as people read them.
fn call_back_to(script: &mut Script, number: &str) {
    script.say("call-back-to");
    let digits: Vec<u8> = number.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect();
    for (at, digit) in digits.iter().enumerate() {
        // From the end: pairs, pairs, threes.
        if at > 0 && [2, 4, 7, 10].contains(&(digits.len() - at)) {
            script.comma();
        }
        match script.language() {
            Language::Ru => {
                ru::cardinal(script, Number::small(*digit), ru::Gender::Masculine, ru::Case::Nominative);
            }
            Language::En => en::cardinal(script, Number::small(*digit)),
        }
    }
    script.stop();
    script.say("call-back-to-keys");
}

/// «Примерное время ожидания: один час две минуты», "The estimated waiting time is one hour two minutes".
fn estimated_wait(script: &mut Script, minutes: u32) {
    script.say("wait-is");
    let Some(wait) = Number::new(minutes).filter(|wait| wait.value() <= MOST) else {
        return script.say("wait-beyond");
    };
    let (hours, rest) = (wait.over(60), wait.rest(60));
    if hours.is_none() && rest.is_none() {
        return script.say("wait-under-minute");
    }
    let counted = [hours.map(|hours| (hours, Noun::Hour)), rest.map(|rest| (rest, Noun::Minute))];
    for (number, noun) in counted.into_iter().flatten() {
        match script.language() {
            Language::Ru => ru::counted(script, number, noun, ru::Case::Nominative),
            Language::En => en::counted(script, number, noun),
        }
    }
    script.stop();
}

#[cfg(test)]
mod tests;
