//! A demo office: streets, clients, cars and drivers that could be real and are not. Pure: a seed and a number always
//! give the same client, on every machine, whoever was made before.
//!
//! Telephone numbers are +7 945 …: a mobile number by its form (all of +7 9 are), so that everything is tried that is
//! done with such, and nobody's: of 94x only 940, 941 and 949 have been given to networks.

mod stories;
mod words;

use std::collections::BTreeSet;

use crate::domain::address::{Address, Car};
use crate::domain::client::{CardCar, CardPhone, Create, Dates, Detail, Kind as ClientKind, Name};
use crate::domain::hint::{Kind, Street};
use crate::domain::order::Driver;
use crate::domain::time::Date;

pub use stories::{Step, Story};
use words::{
    ADJECTIVES, CARS, COLOURS, COMMENTS, COMPANIES, COMPANY_KINDS, GENITIVES, MEN, NOTES, PARTS, PLATE_LETTERS,
    REGIONS, SURNAMES, TAGS, TOWN, VILLAGES, WOMEN,
};

/// Telephone numbers that there are.
const NUMBERS: u64 = 10_000_000;
/// Clients that there can be: each has room for four numbers.
pub const MOST_CLIENTS: u64 = NUMBERS / 4;

/// The office that a seed gives.
#[derive(Clone, Debug)]
pub struct Office {
    seed: u64,
    streets: Vec<Street>,
}

impl Office {
    /// An office in a town with about so many streets, the villages around counted; fewer where the words run out.
    #[must_use]
    pub fn new(seed: u64, streets: usize) -> Office {
        Office { seed, streets: make_streets(seed, streets) }
    }

    /// The streets, each once.
    #[must_use]
    pub fn streets(&self) -> &[Street] {
        &self.streets
    }

    /// What is known of the client of this number, from 0 up to [`MOST_CLIENTS`]. Each has telephone numbers of its own.
    #[must_use]
    pub fn client(&self, number: u64) -> Create {
        let mut chance = Chance::of(self.seed, 1, number);
        let mut phones = vec![CardPhone { number: phone(self.seed, number * 4), ..CardPhone::default() }];
        let (name, _) = person(&mut chance);
        let mut details = vec![Detail::Name(name)];
        if chance.percent(8) {
            let company = format!("{} «{}»", chance.pick(&COMPANY_KINDS), chance.pick(&COMPANIES));
            details.push(Detail::Kind(ClientKind::Corporate { company }));
            for extra in 1..=1 + chance.below(3) {
                let label = person(&mut chance).0.full();
                phones.push(CardPhone { number: phone(self.seed, number * 4 + extra), label, confirmed_at: None });
            }
        } else if chance.percent(15) {
            let label = (*chance.pick(&["домашний", "рабочий", "муж", "жена", "мама"])).to_owned();
            phones.push(CardPhone { number: phone(self.seed, number * 4 + 1), label, confirmed_at: None });
        }
        details.push(Detail::Phones(phones));
        if chance.percent(80) && !self.streets.is_empty() {
            details.push(Detail::Address(Some(self.address(&mut chance))));
        }
        if chance.percent(40) {
            details.push(Detail::Dates(Dates { birthday: birthday(&mut chance), others: Vec::new() }));
        }
        if chance.percent(15) {
            details.push(Detail::Note((*chance.pick(&NOTES)).to_owned()));
        }
        if chance.percent(10) {
            details.push(Detail::Tags(BTreeSet::from([(*chance.pick(&TAGS)).to_owned()])));
        }
        if chance.percent(3) {
            details.push(Detail::Conflict(1 + u8::try_from(chance.below(3)).unwrap_or(0)));
        }
        if chance.percent(20) {
            let car = car(&mut chance, String::new());
            details.push(Detail::Cars(vec![CardCar { car, ..CardCar::default() }]));
        }
        Create { code: None, details, referred_by: None }
    }

    /// Where this client goes: a few places, the first one the most often. The same number gives the same places.
    #[must_use]
    pub fn places(&self, client: u64) -> Vec<Address> {
        let mut chance = Chance::of(self.seed, 2, client);
        if self.streets.is_empty() {
            return Vec::new();
        }
        (0..=1 + chance.below(4)).map(|_| self.address(&mut chance)).collect()
    }

    /// A car of the office with its driver; the number is the callsign.
    #[must_use]
    pub fn crew(&self, callsign: u64) -> (Car, Driver) {
        let mut chance = Chance::of(self.seed, 3, callsign);
        let (name, _) = person(&mut chance);
        // From the far end of the numbers: clients have theirs from the beginning.
        let phone = phone(self.seed, NUMBERS - 1 - callsign % (NUMBERS / 4));
        let driver =
            Driver { code: format!("driver-{callsign}"), name: format!("{} {}", name.name, name.patronymic), phone };
        (car(&mut chance, callsign.to_string()), driver)
    }

    fn address(&self, chance: &mut Chance) -> Address {
        let street = chance.pick(&self.streets);
        let entrance = if chance.percent(60) { (1 + chance.below(8)).to_string() } else { String::new() };
        let comment = if chance.percent(10) { (*chance.pick(&COMMENTS)).to_owned() } else { String::new() };
        Address {
            city: street.settlement.clone(),
            street: street.title(),
            house: house(chance),
            entrance,
            comment,
            point: None,
        }
    }
}

/// Chance that is none: SplitMix64 (Steele, Lea, Flood 2014).
struct Chance(u64);

impl Chance {
    /// A stream of its own for each kind of thing and each number.
    fn of(seed: u64, kind: u64, number: u64) -> Chance {
        let mut mixed = Chance(seed ^ kind.rotate_left(56));
        Chance(mixed.next() ^ number.wrapping_mul(0xD134_2543_DE82_EF95))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `bound` - 1.
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    #[allow(clippy::indexing_slicing, reason = "the lists are our own and not empty")]
    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[usize::try_from(self.below(from.len() as u64)).unwrap_or(0)]
    }
}

/// The `at`-th telephone number: all different, in no order that one sees.
fn phone(seed: u64, at: u64) -> String {
    // A factor without 2 and 5 goes through all of ten million.
    format!("+7945{:07}", (at % NUMBERS * 7_654_321 + seed % NUMBERS) % NUMBERS)
}

/// A name, and whether it is a woman's.
fn person(chance: &mut Chance) -> (Name, bool) {
    let woman = chance.percent(55);
    let surname = *chance.pick(&SURNAMES);
    let (_, son, daughter) = *chance.pick(&MEN);
    let name = if woman {
        Name { surname: of_woman(surname), name: (*chance.pick(&WOMEN)).to_owned(), patronymic: daughter.to_owned() }
    } else {
        Name { surname: surname.to_owned(), name: chance.pick(&MEN).0.to_owned(), patronymic: son.to_owned() }
    };
    (name, woman)
}

/// A woman's form of a man's surname; those in -ко, -ик, -ак do not change.
fn of_woman(surname: &str) -> String {
    match surname.strip_suffix("ий").or_else(|| surname.strip_suffix("ой")) {
        Some(stem) => format!("{stem}ая"),
        None if ["ов", "ев", "ёв", "ин", "ын"].iter().any(|ending| surname.ends_with(ending)) => {
            format!("{surname}а")
        }
        None => surname.to_owned(),
    }
}

fn birthday(chance: &mut Chance) -> Option<Date> {
    let year = 1940 + i32::try_from(chance.below(68)).unwrap_or(0);
    let (month, day) = (1 + chance.below(12), 1 + chance.below(28));
    Date::new(year, u8::try_from(month).ok()?, u8::try_from(day).ok()?)
}

fn car(chance: &mut Chance, callsign: String) -> Car {
    let (make, models) = chance.pick(&CARS);
    Car {
        make: (*make).to_owned(),
        model: (*chance.pick(models)).to_owned(),
        colour: (*chance.pick(&COLOURS)).to_owned(),
        plate: plate(chance),
        callsign,
    }
}

/// A plate of type 1 of GOST R 50577: a letter, three digits, two letters, the region. No plate has the digits 000.
fn plate(chance: &mut Chance) -> String {
    let [one, two, three] = [(); 3].map(|()| *chance.pick(&PLATE_LETTERS));
    let digits = 1 + chance.below(999);
    format!("{one}{digits:03}{two}{three}{}", chance.pick(&REGIONS))
}

fn house(chance: &mut Chance) -> String {
    let number = 1 + chance.below(120);
    match chance.below(10) {
        0 => format!("{number}{}", chance.pick(&['А', 'Б', 'В'])),
        1 => format!("{number}к{}", 1 + chance.below(4)),
        2 => format!("{number}/{}", 1 + chance.below(60)),
        _ => number.to_string(),
    }
}

/// Every name that a settlement can choose its streets from.
fn street_names() -> Vec<(Kind, String)> {
    let mut names = Vec::new();
    for (feminine, masculine) in ADJECTIVES {
        names.push((Kind::Street, feminine.to_owned()));
        names.extend([Kind::Lane, Kind::Passage].map(|kind| (kind, masculine.to_owned())));
        for number in 1..=9 {
            names.push((Kind::Street, format!("{number}-я {feminine}")));
            names.push((Kind::Lane, format!("{number}-й {masculine}")));
        }
    }
    for name in GENITIVES {
        let kinds = [Kind::Street, Kind::Avenue, Kind::Lane, Kind::Square, Kind::Boulevard, Kind::Passage];
        names.extend(kinds.map(|kind| (kind, name.to_owned())));
    }
    names
}

/// A third in the town, as far as its names go; the rest spread over the villages.
fn make_streets(seed: u64, count: usize) -> Vec<Street> {
    let names = street_names();
    let villages: Vec<String> =
        PARTS.iter().flat_map(|part| VILLAGES.iter().map(move |village| format!("{village}{part}"))).collect();
    let in_town = (count / 3 + 1).min(names.len()).min(count);
    let in_village = (count - in_town).div_ceil(villages.len().max(1)).clamp(12, names.len());
    let mut streets = Vec::with_capacity(count);
    for (number, settlement) in (0_u64..).zip(std::iter::once(TOWN.to_owned()).chain(villages)) {
        let wanted = if number == 0 { in_town } else { in_village }.min(count - streets.len());
        let mut chance = Chance::of(seed, 4, number);
        let mut left: Vec<&(Kind, String)> = names.iter().collect();
        for _ in 0..wanted {
            let at = usize::try_from(chance.below(left.len() as u64)).unwrap_or(0);
            let (kind, name) = left.swap_remove(at);
            streets.push(Street { settlement: settlement.clone(), kind: *kind, name: name.clone() });
        }
    }
    streets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::client;
    use crate::domain::hint::{Index, Query};
    use crate::domain::history::{Actor, ActorKind, By, Source};
    use crate::domain::phone::Phone;
    use crate::domain::search::{canonical_plate, russian_plate};
    use crate::domain::time::Wall;

    fn name_of(create: &Create) -> Name {
        let name = |detail: &Detail| if let Detail::Name(name) = detail { Some(name.clone()) } else { None };
        create.details.iter().find_map(name).unwrap()
    }

    fn phones_of(create: &Create) -> Vec<String> {
        let phones = |detail: &Detail| if let Detail::Phones(phones) = detail { Some(phones.clone()) } else { None };
        create.details.iter().find_map(phones).unwrap().into_iter().map(|phone| phone.number).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_office_and_another_gives_another() {
        let (one, two, other) = (Office::new(7, 400), Office::new(7, 400), Office::new(8, 400));
        assert_eq!(one.streets(), two.streets());
        assert_ne!(one.streets(), other.streets());
        assert_eq!((one.client(123), one.crew(5), one.places(9)), (two.client(123), two.crew(5), two.places(9)));
        assert_ne!(one.client(123), other.client(123));
        assert_ne!(name_of(&one.client(1)).full(), name_of(&one.client(2)).full());
    }

    #[test]
    fn the_domain_accepts_every_client() {
        let office = Office::new(1, 400);
        let by = By {
            actor: Actor { kind: ActorKind::Office, name: "demo".into() },
            source: Source::Import,
            expected: None,
        };
        for number in 0..2000 {
            let made = client::create(office.client(number), &by, Wall(1_800_000_000_000));
            made.unwrap_or_else(|why| panic!("{number}: {why}"));
        }
    }

    #[test]
    fn surname_name_and_patronymic_agree() {
        let mut chance = Chance::of(1, 9, 9);
        for _ in 0..2000 {
            let (name, woman) = person(&mut chance);
            assert_eq!(name.patronymic.ends_with("на"), woman, "{}", name.full());
            assert_eq!(WOMEN.contains(&name.name.as_str()), woman, "{}", name.full());
            let womans = ["ова", "ева", "ёва", "ина", "ына", "ая"].iter().any(|ending| name.surname.ends_with(ending));
            let either = ["ко", "ик", "ак"].iter().any(|ending| name.surname.ends_with(ending));
            assert!(either || womans == woman, "{}", name.full());
        }
        for (man, woman) in
            [("Белов", "Белова"), ("Луговской", "Луговская"), ("Мельник", "Мельник"), ("Зимин", "Зимина")]
        {
            assert_eq!(of_woman(man), woman);
        }
    }

    #[test]
    fn no_two_have_one_number_and_all_numbers_are_canonical() {
        let office = Office::new(3, 100);
        let mut seen = BTreeSet::new();
        for number in 0..5000 {
            for phone in phones_of(&office.client(number)) {
                assert_eq!(Phone::parse(&phone).as_str(), phone);
                assert!(seen.insert(phone));
            }
            assert!(seen.insert(office.crew(number).1.phone));
        }
    }

    #[test]
    fn plates_are_of_the_real_form() {
        let office = Office::new(3, 100);
        for callsign in 0..2000 {
            let plate = office.crew(callsign).0.plate;
            assert_eq!(russian_plate(&canonical_plate(&plate)), plate);
            let letters: Vec<char> = plate.chars().collect();
            let digit = |range: std::ops::Range<usize>| letters[range].iter().all(char::is_ascii_digit);
            assert!(letters.len() == 8 || letters.len() == 9, "{plate}");
            assert!(digit(1..4) && digit(6..letters.len()) && &plate[2..5] != "000", "{plate}");
            assert!([0, 4, 5].iter().all(|at| PLATE_LETTERS.contains(&letters[*at])), "{plate}");
        }
    }

    #[test]
    fn streets_are_as_many_as_wanted_each_once_and_found_by_hints() {
        for count in [0, 1, 50, 400, 50_000] {
            let office = Office::new(5, count);
            assert_eq!(office.streets().len(), count);
            let keys: BTreeSet<String> = office.streets().iter().map(Street::key).collect();
            assert_eq!(keys.len(), count);
        }
        let office = Office::new(5, 400);
        let index = Index::new(office.streets().to_vec());
        for street in office.streets() {
            assert_eq!(Street::read(&street.title(), &street.settlement).as_ref(), Ok(street));
            let text = format!("{} {}", street.title(), street.settlement);
            let hints = index.hints(&Query { text: &text, places: &[], now: 0, limit: 3 });
            assert!(hints.iter().any(|hint| hint.street == street.title() && hint.city == street.settlement), "{text}");
        }
    }
}
