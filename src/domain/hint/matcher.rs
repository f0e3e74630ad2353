//! Which entries (streets, or a client's places) fit what was typed, and how well.

use std::collections::BTreeSet;

use crate::domain::search::fold;

use super::street::{Kind, Kinds, Street, tokens};
use super::words::{Found, Vocabulary, forgiven};

/// Typed words that are looked at.
const MOST_TOKENS: usize = 6;

/// A typed word.
#[derive(Clone, Debug)]
pub(super) struct Token {
    text: String,
    letters: Vec<char>,
    /// It is the word for these kinds, in full or short.
    kinds: Kinds,
    /// It is the beginning of the word for these kinds.
    kinds_begun: Kinds,
}

/// The words of folded text.
pub(super) fn typed(folded: &str) -> Vec<Token> {
    let words = tokens(folded);
    let mut typed = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at).filter(|_| typed.len() < MOST_TOKENS) {
        // «пр-т» came apart at its hyphen.
        let joined = words.get(at + 1).map(|next| format!("{word} {next}")).filter(|text| !Kind::read(text).is_empty());
        at += if joined.is_some() { 2 } else { 1 };
        let text = joined.unwrap_or_else(|| word.clone());
        let kinds_begun = if text.chars().count() >= 3 { Kind::beginning_with(&text) } else { Kinds::default() };
        typed.push(Token { letters: text.chars().collect(), kinds: Kind::read(&text), kinds_begun, text });
    }
    typed
}

/// An entry that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Match {
    /// Slips in all words.
    pub(super) typos: u8,
    /// How far from typed in full, in order, from the beginning; 0 is best.
    pub(super) cost: u16,
    /// Which settlement; the first has the most streets.
    pub(super) settlement: u32,
    /// Which entry.
    pub(super) entry: u32,
}

struct Entry {
    kind: Kind,
    settlement: u32,
    /// Where its words begin in `Matcher::words`.
    from: u32,
    to: u32,
}

/// Entries found by any of their words.
#[derive(Default)]
pub(super) struct Matcher {
    vocabulary: Vocabulary,
    entries: Vec<Entry>,
    /// The words of each entry, one entry after the other.
    words: Vec<u32>,
    /// The entries of each word, one word after the other; where each begins.
    postings: Vec<u32>,
    starts: Vec<u32>,
    /// The words of each settlement.
    settlements: Vec<Vec<String>>,
}

/// What one typed word fits.
struct Fit {
    /// For each word of the vocabulary 0, or 1 + slips * 2 + (not complete).
    words: Vec<u8>,
    settlements: Vec<bool>,
}

impl Matcher {
    /// Of these streets, in their order. Settlements are numbered by how many streets they have.
    pub(super) fn of(streets: &[Street]) -> Matcher {
        let names: Vec<Vec<String>> = streets.iter().map(|street| tokens(&fold(&street.name))).collect();
        let sorted: BTreeSet<&str> = names.iter().flatten().map(String::as_str).collect();
        let sorted: Vec<&str> = sorted.into_iter().collect();
        let number = |word: &String| sorted.binary_search(&word.as_str()).ok().and_then(|at| u32::try_from(at).ok());
        let (settlements, numbers) = settlements(streets);
        let mut words: Vec<u32> = Vec::new();
        let mut entries = Vec::with_capacity(streets.len());
        for ((street, name), settlement) in streets.iter().zip(&names).zip(numbers) {
            let from = words.len() as u32;
            words.extend(name.iter().filter_map(number));
            entries.push(Entry { kind: street.kind, settlement, from, to: words.len() as u32 });
        }
        let vocabulary = Vocabulary::of(sorted.iter().copied());
        let (postings, starts) = postings(&entries, &words, vocabulary.len());
        Matcher { vocabulary, entries, words, postings, starts, settlements }
    }

    /// Entries whose name has at least one of the typed words, and that no other typed word contradicts.
    pub(super) fn find(&self, typed: &[Token], with_typos: bool) -> Vec<Match> {
        let fits: Vec<Fit> = typed.iter().map(|token| self.fit(token, with_typos)).collect();
        let mut seen = vec![false; self.entries.len()];
        let mut matches = Vec::new();
        for fit in &fits {
            let fitting = fit.words.iter().enumerate().filter(|(_, fits)| **fits > 0);
            for entry in fitting.flat_map(|(word, _)| self.entries_of(word)) {
                let Some(seen) = seen.get_mut(*entry as usize).filter(|seen| !**seen) else { continue };
                *seen = true;
                matches.extend(self.grade(*entry, typed, &fits));
            }
        }
        matches
    }

    fn entries_of(&self, word: usize) -> &[u32] {
        let (Some(from), Some(to)) = (self.starts.get(word), self.starts.get(word + 1)) else { return &[] };
        self.postings.get(*from as usize..*to as usize).unwrap_or_default()
    }

    fn fit(&self, token: &Token, with_typos: bool) -> Fit {
        let mut words = vec![0; self.vocabulary.len()];
        let note = |found: Found| {
            if let Some(fits) = words.get_mut(found.word) {
                *fits = 1 + found.typos * 2 + u8::from(!found.complete);
            }
        };
        match forgiven(&token.letters) {
            typos @ 1.. if with_typos => self.vocabulary.resembling(&token.letters, typos, note),
            _ => self.vocabulary.beginning(&token.letters, note),
        }
        let begins = |name: &Vec<String>| name.iter().any(|word| word.starts_with(&token.text));
        Fit { words, settlements: self.settlements.iter().map(begins).collect() }
    }

    fn grade(&self, number: u32, typed: &[Token], fits: &[Fit]) -> Option<Match> {
        let entry = self.entries.get(number as usize)?;
        let name = self.words.get(entry.from as usize..entry.to as usize)?;
        let (mut typos, mut cost, mut last, mut named) = (0_u8, 0_u16, None, 0_u16);
        for (token, fit) in typed.iter().zip(fits) {
            let fit_of = |word: &u32| fit.words.get(*word as usize).copied().unwrap_or(0);
            let places = name.iter().map(fit_of).enumerate().filter(|(_, fits)| *fits > 0);
            let best = places.min_by_key(|(at, fits)| (*fits, Some(*at) <= last, *at));
            if let Some((at, fits)) = best {
                // Typed in another order, or in the middle of the name, is less likely meant.
                cost += if last.is_some_and(|last| at < last) { 16 } else { 0 };
                cost += if last.is_none() && at > 0 { 8 } else { 0 };
                cost += u16::from((fits - 1) % 2) * 4;
                typos += (fits - 1) / 2;
                last = Some(at);
                named += 1;
            } else if token.kinds.has(entry.kind) {
            } else if token.kinds_begun.has(entry.kind) {
                cost += 2;
            } else if fit.settlements.get(entry.settlement as usize).copied().unwrap_or(false) {
                cost += 1;
            } else if !token.kinds.is_empty() {
                // «улица Мира» may be an avenue: people do not always know.
                cost += 64;
            } else {
                return None;
            }
        }
        cost += (name.len() as u16).saturating_sub(named).min(3) * 2;
        (named > 0).then_some(Match { typos, cost, settlement: entry.settlement, entry: number })
    }
}

/// The words of each settlement, the one with the most streets first; and which one each street has.
fn settlements(streets: &[Street]) -> (Vec<Vec<String>>, Vec<u32>) {
    let mut names: Vec<(usize, &str)> = Vec::new();
    let mut sorted: Vec<&str> = streets.iter().map(|street| street.settlement.as_str()).collect();
    sorted.sort_unstable();
    for name in sorted {
        match names.last_mut() {
            Some((count, last)) if *last == name => *count += 1,
            Some(_) | None => names.push((1, name)),
        }
    }
    names.sort_unstable_by_key(|(count, name)| (std::cmp::Reverse(*count), *name));
    let mut numbers: Vec<(&str, u32)> = names.iter().map(|(_, name)| *name).zip(0..).collect();
    numbers.sort_unstable();
    let number = |street: &Street| {
        let at = numbers.binary_search_by_key(&street.settlement.as_str(), |(name, _)| *name).unwrap_or(0);
        numbers.get(at).map_or(0, |(_, number)| *number)
    };
    let words = names.iter().map(|(_, name)| tokens(&fold(name))).collect();
    (words, streets.iter().map(number).collect())
}

/// Which entries have each word.
fn postings(entries: &[Entry], words: &[u32], vocabulary: usize) -> (Vec<u32>, Vec<u32>) {
    let mut pairs = Vec::with_capacity(words.len());
    for (number, entry) in (0_u32..).zip(entries) {
        let own = words.get(entry.from as usize..entry.to as usize).unwrap_or_default();
        pairs.extend(own.iter().map(|word| (*word, number)));
    }
    pairs.sort_unstable();
    pairs.dedup();
    let mut starts = vec![0_u32; vocabulary + 1];
    for (word, _) in &pairs {
        if let Some(next) = starts.get_mut(*word as usize + 1) {
            *next += 1;
        }
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    (pairs.into_iter().map(|(_, entry)| entry).collect(), starts)
}
