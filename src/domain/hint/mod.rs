//! Address hints: what a dispatcher means by a few letters, in the order of likelihood.
//!
//! - [`Index`]: the streets; [`Index::hints`] answers what was typed.
//! - [`Place`]: where a client was before; offered before any street.
//! - [`Street`], [`Kind`]: streets as people write them; [`House`]: what stands after the street.
//!
//! Any words of a name in any order find it, by their beginnings. Slips of the fingers are forgiven (one in words of
//! four letters and more, two from eight on), the wrong keyboard layout too. An index of its own rather than the
//! database's: it answers in a fraction of a millisecond, and no database knows of layouts or of short forms of «улица».

mod house;
mod matcher;
mod street;
mod words;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::domain::search::{fold, other_layout};

pub use house::House;
use matcher::{Match, Matcher, Token};
pub use street::{Kind, Kinds, LONGEST, Street, StreetError};

/// Streets that an index takes: a region has fewer; it bounds the memory (about 300 bytes each).
pub const MOST_STREETS: usize = 300_000;
/// Letters of a query that are read.
pub const LONGEST_QUERY: usize = 150;
/// With fewer hints than this, words that only resemble what was typed are looked for too.
const ENOUGH: usize = 3;
/// Streets that are ranked by what is known of the client; the best of them by name.
const SHORT_LIST: usize = 100;
/// Numbers in a query that may begin the house: «8 Марта 12».
const MOST_SPLITS: usize = 4;
const DAY: i64 = 24 * 60 * 60 * 1000;
/// After so many days an old place counts half.
const HALF_LIFE: i64 = 90;

/// An address that a client was driven to or from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// City, town or village; empty for the office's own.
    pub city: String,
    /// Street with its kind, as it was shown: «улица Ленина».
    pub street: String,
    /// House, canonical as in [`House`].
    pub house: String,
    /// Entrance.
    pub entrance: String,
    /// For the driver.
    pub comment: String,
    /// How often.
    pub uses: u32,
    /// The last time, in milliseconds since 1970.
    pub last_used: i64,
}

impl Place {
    /// What two ways to write one address have in common.
    #[must_use]
    pub fn key(&self) -> String {
        let street = Street::read(&self.street, &self.city)
            .map_or_else(|_| format!("{}|{}", fold(&self.city), fold(&self.street)), |street| street.key());
        format!("{street}|{}|{}", fold_house(&self.house), fold_house(&self.entrance))
    }

    /// Count and freshness in one number: half as much for every 90 days that passed.
    fn weight(&self, now: i64) -> u64 {
        let age = now.saturating_sub(self.last_used).max(0) / DAY;
        let halved = u32::try_from(age / HALF_LIFE).unwrap_or(u32::MAX).min(40);
        // Within the 90 days, evenly.
        let part = u64::try_from(2 * HALF_LIFE - age % HALF_LIFE).unwrap_or(0);
        (u64::from(self.uses.min(1_000_000)) * part * (1 << 20)) >> halved
    }
}

/// «12 К2» and «12к2» are one house; «12/3» and «123» are two.
fn fold_house(house: &str) -> String {
    house.to_lowercase().chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, '/' | '-')).collect()
}

/// One address to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// City, town or village; empty for the office's own.
    pub city: String,
    /// Street with its kind.
    pub street: String,
    /// House; empty when neither typed nor known.
    pub house: String,
    /// Entrance; empty when neither typed nor known.
    pub entrance: String,
    /// For the driver.
    pub comment: String,
    /// How often the client was there; 0 for a street from the list.
    pub uses: u32,
    /// The last time, in milliseconds since 1970.
    pub last_used: Option<i64>,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// As typed.
    pub text: &'a str,
    /// Where the client was before.
    pub places: &'a [Place],
    /// Milliseconds since 1970.
    pub now: i64,
    /// Hints at most.
    pub limit: usize,
}

/// The streets that hints are taken from.
#[derive(Default)]
pub struct Index {
    /// By name.
    streets: Vec<Street>,
    matcher: Matcher,
}

/// Sorts hints: the least comes first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    typos: u8,
    /// Read as typed, or with the other layout.
    reading: usize,
    /// The client's own place, a street where the client was, any street.
    tier: u8,
    weight: Reverse<u64>,
    place: Match,
}

/// One way to understand a query.
struct Reading {
    number: usize,
    street: Vec<Token>,
    house: House,
}

impl Index {
    /// Of these streets, at most [`MOST_STREETS`]; the same street twice is one.
    #[must_use]
    pub fn new(mut streets: Vec<Street>) -> Index {
        streets.sort_by_cached_key(|street| (fold(&street.name), street.kind, fold(&street.settlement)));
        streets.dedup_by(|one, two| one.key() == two.key());
        streets.truncate(MOST_STREETS);
        Index { matcher: Matcher::of(&streets), streets }
    }

    /// How many streets.
    #[must_use]
    pub fn len(&self) -> usize {
        self.streets.len()
    }

    /// Has it none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.streets.is_empty()
    }

    /// What may be meant, the likeliest first: places of the client before streets, both after what has fewer slips.
    /// With nothing typed, the client's places by count and freshness.
    #[must_use]
    pub fn hints(&self, query: &Query<'_>) -> Vec<Hint> {
        let text: String = query.text.chars().take(LONGEST_QUERY).collect();
        if fold(&text).is_empty() {
            return usual_places(query);
        }
        let own = OwnPlaces::of(query);
        let readings = readings(&text);
        let mut found = Vec::new();
        for with_typos in [false, true] {
            for reading in &readings {
                own.find(reading, with_typos, &mut found);
                self.find(reading, with_typos, &own, &mut found);
            }
            if found.len() >= ENOUGH {
                break;
            }
        }
        found.sort_by(|(one, _), (two, _)| one.cmp(two));
        let mut told = BTreeSet::new();
        let fresh =
            |hint: &Hint| told.insert([&hint.city, &hint.street, &hint.house, &hint.entrance].map(Clone::clone));
        found.into_iter().map(|(_, hint)| hint).filter(fresh).take(query.limit).collect()
    }

    fn find(&self, reading: &Reading, with_typos: bool, own: &OwnPlaces<'_>, found: &mut Vec<(Rank, Hint)>) {
        let mut matches = self.matcher.find(&reading.street, with_typos);
        if matches.len() > SHORT_LIST {
            matches.select_nth_unstable(SHORT_LIST);
            matches.truncate(SHORT_LIST);
        }
        for place in matches {
            let Some(street) = self.streets.get(place.entry as usize) else { continue };
            let tier = if own.streets.contains(&street.key()) { 1 } else { 2 };
            let House { house, entrance, comment } = reading.house.clone();
            let hint = Hint {
                city: street.settlement.clone(),
                street: street.title(),
                house,
                entrance,
                comment,
                uses: 0,
                last_used: None,
            };
            let rank = Rank { typos: place.typos, reading: reading.number, tier, weight: Reverse(0), place };
            found.push((rank, hint));
        }
    }
}

/// The client's places, found as streets are.
struct OwnPlaces<'a> {
    places: &'a [Place],
    now: i64,
    matcher: Matcher,
    /// Keys of the streets.
    streets: BTreeSet<String>,
}

impl<'a> OwnPlaces<'a> {
    fn of(query: &Query<'a>) -> OwnPlaces<'a> {
        let as_written =
            |place: &Place| Street { settlement: place.city.clone(), kind: Kind::Other, name: place.street.clone() };
        let read = |place: &Place| Street::read(&place.street, &place.city).unwrap_or_else(|_| as_written(place));
        let streets: Vec<Street> = query.places.iter().map(read).collect();
        OwnPlaces {
            places: query.places,
            now: query.now,
            matcher: Matcher::of(&streets),
            streets: streets.iter().map(Street::key).collect(),
        }
    }

    fn find(&self, reading: &Reading, with_typos: bool, found: &mut Vec<(Rank, Hint)>) {
        for place in self.matcher.find(&reading.street, with_typos) {
            let Some(own) = self.places.get(place.entry as usize).filter(|own| agrees(own, &reading.house)) else {
                continue;
            };
            let mut hint = own.hint();
            if !reading.house.comment.is_empty() {
                hint.comment.clone_from(&reading.house.comment);
            }
            if hint.entrance.is_empty() {
                hint.entrance.clone_from(&reading.house.entrance);
            }
            let weight = Reverse(own.weight(self.now));
            found.push((Rank { typos: place.typos, reading: reading.number, tier: 0, weight, place }, hint));
        }
    }
}

/// The place is at the typed house (or what is typed of it so far) and entrance.
fn agrees(place: &Place, typed: &House) -> bool {
    let entrance = typed.entrance.is_empty() || place.entrance.is_empty() || place.entrance == typed.entrance;
    let (own, typed_house) = (fold_house(&place.house), fold_house(&typed.house));
    let house = if typed.entrance.is_empty() { own.starts_with(&typed_house) } else { own == typed_house };
    house && entrance
}

impl Place {
    fn hint(&self) -> Hint {
        Hint {
            city: self.city.clone(),
            street: self.street.clone(),
            house: self.house.clone(),
            entrance: self.entrance.clone(),
            comment: self.comment.clone(),
            uses: self.uses,
            last_used: Some(self.last_used),
        }
    }
}

fn usual_places(query: &Query<'_>) -> Vec<Hint> {
    let mut places: Vec<&Place> = query.places.iter().collect();
    places.sort_by_key(|place| (Reverse(place.weight(query.now)), Reverse(place.last_used)));
    places.into_iter().take(query.limit).map(Place::hint).collect()
}

/// The ways to understand a query: as typed and with the other layout; all of it a street, or a street and a house
/// from any number on.
fn readings(text: &str) -> Vec<Reading> {
    let other = other_layout(text);
    let texts = [Some(text), (other != text.to_lowercase()).then_some(other.as_str())];
    let mut readings = Vec::new();
    for (number, text) in texts.into_iter().flatten().enumerate() {
        let mut add = |street: &str, house: House| {
            let street = matcher::typed(&fold(without_house_word(street, &house)));
            if !street.is_empty() {
                readings.push(Reading { number, street, house });
            }
        };
        add(text, House::default());
        for at in house_begins(text) {
            let (street, house) = text.split_at(at);
            add(street, House::read(house));
        }
    }
    readings
}

/// Where a house may begin: at a number that begins a word, but not at the first.
fn house_begins(text: &str) -> Vec<usize> {
    let mut begins = Vec::new();
    let mut before = None;
    for (at, letter) in text.char_indices() {
        let begins_word = before.is_some_and(|before: char| !before.is_alphanumeric() && !matches!(before, '/' | '-'));
        if letter.is_ascii_digit() && begins_word && begins.len() < MOST_SPLITS {
            begins.push(at);
        }
        before = Some(letter);
    }
    begins
}

/// «Ленина, д. 12»: the word before the number is not the street's.
fn without_house_word<'a>(street: &'a str, house: &House) -> &'a str {
    let trimmed = street.trim_end_matches([' ', '.', ',']);
    let word = trimmed.rsplit([' ', ',']).next().unwrap_or_default();
    if !house.house.is_empty() && matches!(word.to_lowercase().as_str(), "д" | "дом") {
        return trimmed.strip_suffix(word).unwrap_or(trimmed);
    }
    street
}

#[cfg(test)]
mod tests;
