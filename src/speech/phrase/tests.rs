use std::collections::BTreeSet;

use super::*;
use crate::domain::address::{Address, Car};
use crate::domain::money::Kopecks;
use crate::speech::all_fragments;
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
        Phrase::EtaMoved,
        Phrase::CalledOff,
        Phrase::MissedCall,
        Phrase::AnnouncementKeys,
        Phrase::NotFoundKeys,
        Phrase::SearchesAgain,
        Phrase::CallbackOffer,
        Phrase::CallbackNumber,
        Phrase::EnterNumber,
        Phrase::NumberNotAllowed,
        Phrase::CallBackTo("+79001234567".into()),
        Phrase::CallBackTo("101".into()),
        Phrase::PlaceKept,
        Phrase::PutThrough,
        Phrase::Free("Такси «Перезвон»".into()),
    ];
    let numbers = || (0..=1_001).chain([u32::MAX]);
    let counted = numbers().map(Phrase::Position);
    let waits = numbers().map(|minutes| Phrase::EstimatedWait { minutes });
    let sums = [0, 100, 101, 200, 35_000, 100_100, 200_002, 200_101, 200_205, 99_999_999, 100_000_000, i64::MAX]
        .map(|sum| Some(Kopecks(sum)))
        .into_iter()
        .chain([None]);
    let ways = (0..=21).map(|hundreds| hundreds * 100).chain([1_000_000, u64::MAX]).map(Some).chain([None]);
    let trips =
        ways.flat_map(move |distance_m| sums.clone().map(move |total| Phrase::TripOver(Trip { distance_m, total })));
    let free = (1..=999).map(|minutes| Phrase::FreeWaiting { minutes });
    let orders = progresses().flat_map(|progress| {
        let order = OrderStatus { progress, car: None, from: None };
        [Phrase::Order(order.clone()), Phrase::OrderChanged(order)]
    });
    let with_cars = cars().flat_map(|car| {
        [Progress::Assigned { minutes: Some(5) }, Progress::Arrived { minutes: 2 }].map(|progress| {
            Phrase::Order(OrderStatus {
                progress, car: Some(car.clone()), from: Some(Address::street("Мира", "5"))
            })
        })
    });
    plain.into_iter().chain(counted).chain(waits).chain(trips).chain(free).chain(orders).chain(with_cars)
}

/// Cars of every make, model and colour that has a sound, with every letter on plates, and cars that nobody knows.
fn cars() -> impl Iterator<Item = Car> {
    let named = |kind: &'static str| {
        Language::ALL.into_iter().flat_map(move |language| {
            all_fragments(language).filter(move |(stem, _)| stem.starts_with(kind)).map(|(_, words)| words.to_owned())
        })
    };
    let makes = named("make-").map(|make| Car { make, ..Car::default() });
    let models = named("model-").map(|model| Car { make: "Lada".into(), model, ..Car::default() });
    let colours = named("colour-").flat_map(|colour| {
        ["Lada", "Ford"].map(|make| Car { make: make.into(), colour: colour.clone(), ..Car::default() })
    });
    let plates = ('а'..='я').chain(['ё']).chain('a'..='z').map(|letter| format!("Ы{letter}"));
    let russian = "АВЕКМНОРСТУХ".chars().map(|letter| format!("{letter}123В{letter}77"));
    let plates = plates.chain(russian).chain(["А007АА77".into()]).map(|plate| Car { plate, ..Car::default() });
    let unknown = Car {
        make: "Жук 9000".into(), colour: "цвета ночи".into(), callsign: "31".into(), ..Car::default()
    };
    makes.chain(models).chain(colours).chain(plates).chain([unknown, Car::default()])
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
    // Forms of numerals that no phrase asks for (free text does), and what is said between phrases.
    let building_blocks = |language| match language {
        Language::Ru => {
            // At the end of a sentence they have forms of their own.
            let kilometres = ["kilometre-few", "kilometre-many", "kilometre-one", "metre-many"];
            let kopecks = ["kopeck-few", "kopeck-many", "kopeck-one"];
            let millions = ["million-few", "million-many", "million-one"];
            let nouns =
                ["another-order", "minute-few", "minute-many", "minute-one", "minute-one-acc", "number-1-n", "region"];
            [&kilometres[..], &kopecks, &millions, &nouns].concat()
        }
        Language::En => {
            let ends = ["kilometre-many", "kilometre-one", "kopeck-many", "kopeck-one", "metre-many"];
            [&ends[..], &["am", "another-order", "million", "minute-many", "minute-one", "pm", "region"]].concat()
        }
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
