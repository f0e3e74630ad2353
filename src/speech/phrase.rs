//! What can be said, and the fragments that say it.

pub use crate::domain::language::Language;

use super::numeral::{Noun, Number};
use super::order::{CannotCancel, OrderStatus, status};
use super::{en, ru};

impl std::fmt::Display for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

fn list(language: Language) -> &'static str {
    match language {
        Language::Ru => include_str!("../../sounds/ru/fragments.txt"),
        Language::En => include_str!("../../sounds/en/fragments.txt"),
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
    /// Words of the office's own (configuration): free text, in the language of the office.
    Free(String),
}

/// One recorded sound: the stem of its file name, `sounds/<language>/<stem>.wav`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fragment(&'static str);

impl Fragment {
    pub(super) const fn new(stem: &'static str) -> Self {
        Self(stem)
    }

    /// The sound `<stem>-<number>`, if the language has it.
    pub(super) fn numbered(stem: &str, number: u32, language: Language) -> Option<Self> {
        let wanted = format!("{stem}-{number}");
        all_fragments(language).find(|(stem, _)| *stem == wanted).map(|(stem, _)| Self(stem))
    }

    /// The file's stem: ASCII letters, digits and hyphens only.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl std::fmt::Display for Fragment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

/// The sounds that, played one after another, say the phrase. Never empty.
pub fn fragments(phrase: &Phrase, language: Language) -> Vec<Fragment> {
    let whole = |stem| vec![Fragment::new(stem)];
    match phrase {
        Phrase::Greeting => whole("greeting"),
        Phrase::Hello => whole("hello"),
        Phrase::Recorded => whole("recorded"),
        Phrase::Position(place) => position(*place, language),
        Phrase::EstimatedWait { minutes } => estimated_wait(*minutes, language),
        Phrase::StayOnLine => whole("stay-on-line"),
        Phrase::AllBusy => whole("all-busy"),
        Phrase::AgentReady => whole("agent-ready"),
        Phrase::AgentPaused => whole("agent-paused"),
        Phrase::AgentOffline => whole("agent-offline"),
        Phrase::CodeUnknown => whole("code-unknown"),
        Phrase::NotAnAgent => whole("not-an-agent"),
        Phrase::Transferring => whole("transferring"),
        Phrase::TransferFailed => whole("transfer-failed"),
        Phrase::Error => whole("error"),
        Phrase::Order(order) => status(order, language),
        Phrase::OrderChanged(order) => {
            [Fragment::new("order-changed")].into_iter().chain(status(order, language)).collect()
        }
        Phrase::OrderKeys { cancel: true } => whole("order-keys-cancel"),
        Phrase::OrderKeys { cancel: false } => whole("order-keys"),
        Phrase::ConfirmCancel => whole("confirm-cancel"),
        Phrase::OrderCancelled => whole("order-cancelled"),
        Phrase::OrderKept => whole("order-kept"),
        Phrase::CannotCancel(CannotCancel::InTrip) => whole("cannot-cancel-in-trip"),
        Phrase::CannotCancel(CannotCancel::Ended) => whole("cannot-cancel-ended"),
        Phrase::CannotCancel(CannotCancel::Trouble) => whole("cannot-cancel-trouble"),
        Phrase::WrongKey => whole("wrong-key"),
        // Nothing shipped says the office's own words; silence would be worse.
        Phrase::Free(_) => whole("stay-on-line"),
    }
}

/// «Вы двадцать первый в очереди», "You are number twenty one in the queue".
fn position(place: u32, language: Language) -> Vec<Fragment> {
    let Some(place) = Number::new(place.max(1)) else {
        return vec![Fragment::new("position-beyond")];
    };
    let (start, number) = match language {
        Language::Ru => ("you-are", ru::ordinal(place)),
        Language::En => ("you-are-number", en::cardinal(place)),
    };
    [Fragment::new(start)].into_iter().chain(number).chain([Fragment::new("in-queue")]).collect()
}

/// «Примерное время ожидания: один час две минуты», "The estimated waiting time is one hour two minutes".
fn estimated_wait(minutes: u32, language: Language) -> Vec<Fragment> {
    let mut said = vec![Fragment::new("wait-is")];
    let Some(wait) = Number::new(minutes) else {
        said.push(Fragment::new("wait-beyond"));
        return said;
    };
    let (hours, rest) = (wait.over(60), wait.rest(60));
    let hour = if rest.is_some() { Noun::Hour } else { Noun::HourAtEnd };
    let counted = [hours.map(|hours| (hours, hour)), rest.map(|rest| (rest, Noun::MinuteAtEnd))];
    for (number, noun) in counted.into_iter().flatten() {
        said.extend(match language {
            Language::Ru => ru::counted(number, noun, ru::Case::Nominative),
            Language::En => en::counted(number, noun),
        });
    }
    if hours.is_none() && rest.is_none() {
        said.push(Fragment::new("wait-under-minute"));
    }
    said
}

/// Every fragment of a language with its words, in the order of the list.
pub fn all_fragments(language: Language) -> impl Iterator<Item = (&'static str, &'static str)> {
    list(language).lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(": "))
}

/// The words of a phrase, for the log and the console; the same words that are heard.
pub fn text(phrase: &Phrase, language: Language) -> String {
    let words = |fragment: &Fragment| {
        let on_list = all_fragments(language).find(|(stem, _)| *stem == fragment.as_str());
        // A stress mark is for the voice, not for the eye.
        on_list.map_or_else(String::new, |(_, words)| words.replace('\u{301}', ""))
    };
    if let Phrase::Free(words) = phrase {
        return words.clone();
    }
    fragments(phrase, language).iter().map(words).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::speech::order::{Day, LocalTime, Progress};

    /// Every phrase, with every number that is said and some beyond.
    fn phrases() -> impl Iterator<Item = Phrase> {
        let plain = [
            Phrase::Greeting,
            Phrase::Hello,
            Phrase::Recorded,
            Phrase::StayOnLine,
            Phrase::AllBusy,
            Phrase::AgentReady,
            Phrase::AgentPaused,
            Phrase::AgentOffline,
            Phrase::CodeUnknown,
            Phrase::NotAnAgent,
            Phrase::Transferring,
            Phrase::TransferFailed,
            Phrase::Error,
            Phrase::OrderKeys { cancel: true },
            Phrase::OrderKeys { cancel: false },
            Phrase::ConfirmCancel,
            Phrase::OrderCancelled,
            Phrase::OrderKept,
            Phrase::CannotCancel(CannotCancel::InTrip),
            Phrase::CannotCancel(CannotCancel::Ended),
            Phrase::CannotCancel(CannotCancel::Trouble),
            Phrase::WrongKey,
            Phrase::Free("Такси «Перезвон»".into()),
        ];
        let numbers = || (0..=1_001).chain([u32::MAX]);
        let counted = numbers().map(Phrase::Position);
        let waits = numbers().map(|minutes| Phrase::EstimatedWait { minutes });
        let orders = progresses().flat_map(|progress| {
            let order = OrderStatus { progress, car: None, from: None };
            [Phrase::Order(order.clone()), Phrase::OrderChanged(order)]
        });
        plain.into_iter().chain(counted).chain(waits).chain(orders)
    }

    /// Every state with every number that is said in it and some beyond.
    fn progresses() -> impl Iterator<Item = Progress> {
        let plain = [Progress::InTrip, Progress::NotFound, Progress::Assigned { minutes: None }];
        let counted = (0..=1_001).chain([u32::MAX]).flat_map(|minutes| {
            let left = Progress::Assigned { minutes: Some(minutes) };
            [Progress::Searching { minutes }, left, Progress::Arrived { minutes }]
        });
        let dates = (0..=32).flat_map(|day| (0..=13).map(move |month| Day::Date { day, month }));
        let days = dates.chain([Day::Today, Day::Tomorrow]).map(|day| LocalTime { day, hour: 12, minute: 0 });
        let times = (0..=25).flat_map(|hour| (0..=61).map(move |minute| LocalTime { day: Day::Today, hour, minute }));
        plain.into_iter().chain(counted).chain(days.chain(times).map(|at| Progress::Booked { at }))
    }

    fn stems(language: Language) -> BTreeSet<&'static str> {
        all_fragments(language).map(|(stem, _)| stem).collect()
    }

    #[test]
    fn every_phrase_is_said_with_fragments_of_the_list_and_never_with_none() {
        for language in Language::ALL {
            let on_list = stems(language);
            for phrase in phrases() {
                let said = fragments(&phrase, language);
                assert!(!said.is_empty(), "{language}: {phrase:?} is silent");
                for fragment in said {
                    assert!(
                        on_list.contains(fragment.as_str()),
                        "{language}: {phrase:?} needs {fragment}, not on the list"
                    );
                }
            }
        }
    }

    #[test]
    fn every_fragment_of_the_list_is_said_by_a_phrase_or_is_a_known_building_block() {
        // Forms of numerals that the grammar has and no phrase asks for yet.
        let building_blocks = |language| match language {
            Language::Ru => vec!["number-1-n"],
            Language::En => vec!["number-0"],
        };
        for language in Language::ALL {
            let said: BTreeSet<_> =
                phrases().flat_map(|phrase| fragments(&phrase, language)).map(Fragment::as_str).collect();
            let unsaid: BTreeSet<_> = stems(language).difference(&said).copied().collect();
            let expected: BTreeSet<_> = building_blocks(language).into_iter().collect();
            assert_eq!(unsaid, expected, "{language}");
        }
    }

    #[test]
    fn each_list_has_every_stem_once_with_words_and_a_name_fit_for_a_file() {
        for language in Language::ALL {
            let all: Vec<_> = all_fragments(language).collect();
            assert_eq!(stems(language).len(), all.len(), "{language}: a stem is on the list twice");
            for (stem, words) in all {
                let fit =
                    !stem.is_empty() && stem.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
                assert!(fit, "{language}: {stem:?}");
                assert_eq!(words, words.trim(), "{language}: {stem}");
                assert!(!words.is_empty(), "{language}: {stem}");
            }
        }
    }

    #[test]
    fn no_line_of_a_list_is_lost() {
        for language in Language::ALL {
            let lines = list(language).lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
            assert_eq!(all_fragments(language).count(), lines, "{language}: a line is not `stem: words`");
        }
    }

    #[test]
    fn a_language_is_known_by_its_code_alone() {
        assert_eq!(Language::parse("ru"), Some(Language::Ru));
        assert_eq!(Language::parse(" EN "), Some(Language::En));
        for unknown in ["", "de", "russian", "r", "ру"] {
            assert_eq!(Language::parse(unknown), None, "{unknown:?}");
        }
    }

    #[test]
    fn the_words_of_a_phrase_are_those_that_are_heard() {
        assert_eq!(
            text(&Phrase::AllBusy, Language::En),
            "All our dispatchers are busy. The first one free will answer you."
        );
        assert_eq!(text(&Phrase::Recorded, Language::Ru), "Разговор может быть записан.");
    }
}
