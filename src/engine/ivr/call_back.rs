//! A caller who does not want to wait on the line: 1 this number, 2 another (its digits, then hash), star stays. What was
//! entered is read back and confirmed with 1. Nothing here waits: keys, ends of prompts and answers come in, steps go out.

use std::time::Duration;

use super::{Choice, MOST_WRONG};
use crate::domain::phone::Phone;
use crate::speech::Phrase;

/// The longest number that is entered: an international prefix and the 15 digits of ITU-T E.164.
const MOST_DIGITS: usize = 20;

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Say this in place of what is being said, then wait for a key.
    Say(Vec<Phrase>),
    /// Keep the place for this number, canonical; the answer is for who asked.
    Keep(String),
    /// Back to music, after this.
    Back(Vec<Phrase>),
    /// Wait for the next key, in silence.
    Listen,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// This number or another?
    Choosing,
    /// Digits of another number.
    Entering(String),
    /// Is this the number?
    Confirming(String),
    /// The office is asked to keep the place.
    Keeping,
}

/// One caller's way through it.
#[derive(Clone, Debug)]
pub struct CallBack {
    stage: Stage,
    /// The caller's own number, where it may be called.
    own: Option<String>,
    wrong: u8,
}

impl CallBack {
    /// Begins: with the choice of the number, or with entering one where the caller's own is hidden or may not be called.
    #[must_use]
    pub fn begin(own: Option<String>) -> (CallBack, Ask) {
        let (stage, said) = match own {
            Some(_) => (Stage::Choosing, Phrase::CallbackNumber),
            None => (Stage::Entering(String::new()), Phrase::EnterNumber),
        };
        (CallBack { stage, own, wrong: 0 }, Ask::Say(vec![said]))
    }

    /// How long a key, or an answer of the office, is waited for.
    #[must_use]
    pub fn patience(&self) -> Duration {
        match self.stage {
            Stage::Choosing | Stage::Confirming(_) => Duration::from_secs(6),
            Stage::Entering(_) => Duration::from_secs(8),
            Stage::Keeping => Duration::from_secs(4),
        }
    }

    /// The office is being asked.
    #[must_use]
    pub fn is_keeping(&self) -> bool {
        self.stage == Stage::Keeping
    }

    /// A key was pressed. `allowed`: whether the office calls this number.
    pub fn key(&mut self, key: char, allowed: impl Fn(&str) -> bool) -> (Option<Choice>, Ask) {
        match (&mut self.stage, key) {
            // The answer comes in a moment.
            (Stage::Keeping, _) => (None, Ask::Listen),
            (Stage::Choosing | Stage::Confirming(_), '*') => (None, Ask::Back(vec![Phrase::StayOnLine])),
            (Stage::Entering(digits), '*') => {
                digits.clear();
                (None, Ask::Say(vec![Phrase::EnterNumber]))
            }
            (Stage::Choosing, '1') => match self.own.clone() {
                Some(own) => self.keep(own),
                None => self.enter(Vec::new()),
            },
            (Stage::Choosing, '2') | (Stage::Confirming(_), '2') => self.enter(Vec::new()),
            (Stage::Confirming(number), '1') => {
                let number = std::mem::take(number);
                self.keep(number)
            }
            (Stage::Entering(digits), '#') => {
                let phone = Phone::parse(digits);
                let number = phone.as_str().to_owned();
                if !number.is_empty() && allowed(&number) {
                    self.stage = Stage::Confirming(number.clone());
                    (None, Ask::Say(vec![Phrase::CallBackTo(number)]))
                } else {
                    self.mistaken(key, vec![Phrase::NumberNotAllowed, Phrase::EnterNumber])
                }
            }
            (Stage::Entering(digits), digit) if digit.is_ascii_digit() && digits.len() < MOST_DIGITS => {
                digits.push(digit);
                (None, Ask::Listen)
            }
            (Stage::Choosing, other) => self.mistaken(other, vec![Phrase::WrongKey, Phrase::CallbackNumber]),
            (Stage::Confirming(number), other) => {
                let again = Phrase::CallBackTo(number.clone());
                self.mistaken(other, vec![Phrase::WrongKey, again])
            }
            (Stage::Entering(_), other) => self.mistaken(other, vec![Phrase::WrongKey, Phrase::EnterNumber]),
        }
    }

    fn keep(&mut self, number: String) -> (Option<Choice>, Ask) {
        self.stage = Stage::Keeping;
        (Some(Choice::WantsCallback), Ask::Keep(number))
    }

    fn enter(&mut self, mut before: Vec<Phrase>) -> (Option<Choice>, Ask) {
        self.stage = Stage::Entering(String::new());
        before.push(Phrase::EnterNumber);
        (None, Ask::Say(before))
    }

    fn mistaken(&mut self, key: char, said: Vec<Phrase>) -> (Option<Choice>, Ask) {
        self.wrong += 1;
        if let Stage::Entering(digits) = &mut self.stage {
            digits.clear();
        }
        let ask = if self.wrong >= MOST_WRONG { Ask::Back(vec![Phrase::StayOnLine]) } else { Ask::Say(said) };
        (Some(Choice::WrongKey(key)), ask)
    }

    /// Nothing was pressed, or the office did not answer, in [`patience`](Self::patience): the caller waits on.
    pub fn silence(&mut self) -> (Option<Choice>, Ask) {
        match self.stage {
            Stage::Choosing | Stage::Entering(_) | Stage::Confirming(_) => {
                (Some(Choice::NoKey), Ask::Back(vec![Phrase::StayOnLine]))
            }
            Stage::Keeping => (None, Ask::Back(vec![Phrase::Error])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "+79001234567";

    fn mobile(number: &str) -> bool {
        number.starts_with("+79")
    }

    fn presses(dialog: &mut CallBack, keys: &str) -> Ask {
        keys.chars().map(|key| dialog.key(key, mobile).1).last().unwrap()
    }

    #[test]
    fn one_key_keeps_the_place_for_the_number_that_calls() {
        let (mut dialog, first) = CallBack::begin(Some(OWN.to_owned()));
        assert_eq!(first, Ask::Say(vec![Phrase::CallbackNumber]));
        assert_eq!(dialog.key('1', mobile), (Some(Choice::WantsCallback), Ask::Keep(OWN.to_owned())));
        assert!(dialog.is_keeping());
        assert_eq!(presses(&mut dialog, "1"), Ask::Listen);
        assert_eq!(dialog.silence(), (None, Ask::Back(vec![Phrase::Error])));
    }

    #[test]
    fn another_number_is_entered_read_back_and_confirmed() {
        let (mut dialog, _) = CallBack::begin(Some(OWN.to_owned()));
        assert_eq!(presses(&mut dialog, "2"), Ask::Say(vec![Phrase::EnterNumber]));
        assert_eq!(presses(&mut dialog, "89007654321"), Ask::Listen);
        assert_eq!(presses(&mut dialog, "#"), Ask::Say(vec![Phrase::CallBackTo("+79007654321".to_owned())]));
        assert_eq!(presses(&mut dialog, "2"), Ask::Say(vec![Phrase::EnterNumber]));
        assert_eq!(presses(&mut dialog, "89007654322#1"), Ask::Keep("+79007654322".to_owned()));
    }

    #[test]
    fn who_has_a_hidden_number_must_give_one_and_only_allowed_ones_are_taken() {
        let (mut dialog, first) = CallBack::begin(None);
        assert_eq!(first, Ask::Say(vec![Phrase::EnterNumber]));
        let refused = Ask::Say(vec![Phrase::NumberNotAllowed, Phrase::EnterNumber]);
        assert_eq!(presses(&mut dialog, "810442079460000#"), refused);
        // A mistake is taken back with star.
        assert_eq!(presses(&mut dialog, "555*"), Ask::Say(vec![Phrase::EnterNumber]));
        assert_eq!(presses(&mut dialog, "#"), refused);
        assert_eq!(presses(&mut dialog, "02#"), Ask::Back(vec![Phrase::StayOnLine]));
    }

    #[test]
    fn wrong_keys_and_silence_lead_back_to_the_queue() {
        let (mut dialog, _) = CallBack::begin(Some(OWN.to_owned()));
        assert_eq!(presses(&mut dialog, "7"), Ask::Say(vec![Phrase::WrongKey, Phrase::CallbackNumber]));
        assert_eq!(dialog.silence(), (Some(Choice::NoKey), Ask::Back(vec![Phrase::StayOnLine])));
        assert_eq!(presses(&mut dialog, "88"), Ask::Back(vec![Phrase::StayOnLine]));
        let (mut dialog, _) = CallBack::begin(Some(OWN.to_owned()));
        assert_eq!(presses(&mut dialog, "*"), Ask::Back(vec![Phrase::StayOnLine]));
        let (mut dialog, _) = CallBack::begin(None);
        let endless = "1".repeat(MOST_DIGITS + 1);
        assert_eq!(presses(&mut dialog, &endless), Ask::Say(vec![Phrase::WrongKey, Phrase::EnterNumber]));
    }
}
