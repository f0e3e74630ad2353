use std::path::Path;

use super::*;
use crate::domain::address::{Address, Car};
use crate::speech::order::{OrderStatus, Progress};
use crate::speech::{Fragment, Language, Phrase, all_fragments, fragments, said};

fn shipped(language: Language, stem: &str) -> Sound {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("sounds/{language}/{stem}.wav"));
    Sound::read(&std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))).unwrap()
}

fn row(language: Language, fragments: &[Fragment]) -> Vec<Sound> {
    fragments.iter().map(|fragment| shipped(language, fragment.as_str())).collect()
}

fn dbfs(part: f64) -> f64 {
    20.0 * part.log10()
}

/// Loudness of the speech in a sound, dBFS; `None` in a pause.
fn speech(samples: &[i16]) -> Option<f64> {
    let levels = levels(samples, 40);
    voiced(&levels).map(|_| dbfs(loudness(&levels)))
}

fn order(language: Language) -> Vec<Phrase> {
    let car = Car {
        make: "Toyota".into(),
        model: "Camry".into(),
        colour: "white".into(),
        plate: "А123ВС77".into(),
        ..Car::default()
    };
    let from = Some(Address::street(language.pick("ул. Ленина", "Lenin street"), "5"));
    let status = |progress| OrderStatus { progress, car: Some(car.clone()), from: from.clone() };
    vec![
        Phrase::Greeting,
        Phrase::Order(status(Progress::Assigned { minutes: Some(21) })),
        Phrase::Order(status(Progress::Arrived { minutes: 2 })),
        Phrase::OrderKeys { cancel: true },
    ]
}

#[test]
fn all_shipped_sounds_are_equally_loud_within_two_decibels() {
    for language in Language::ALL {
        let mut range = (0.0_f64, -99.0_f64);
        for (stem, _) in all_fragments(language) {
            let joined = join(&[shipped(language, stem)]);
            let Some(loudness) = speech(&joined.samples) else { continue };
            range = (range.0.min(loudness), range.1.max(loudness));
            assert!((loudness - dbfs(TARGET)).abs() <= 1.0, "{language}/{stem} is at {loudness:.1} dBFS");
        }
        eprintln!("{language}: {:.2} to {:.2} dBFS", range.0, range.1);
    }
}

#[test]
fn no_sample_jumps_where_sounds_are_joined() {
    for language in Language::ALL {
        for (stem, _) in all_fragments(language) {
            let sound = shipped(language, stem);
            let part = join(std::slice::from_ref(&sound)).samples.len();
            let joined = join(&[sound.clone(), sound]).samples;
            // A jump of 64 is -54 dB of full scale, under the noise of a telephone line.
            let about = joined[part - 2..part + 2].windows(2).map(|pair| i32::from(pair[1] - pair[0]).abs()).max();
            assert!(about <= Some(64), "{language}/{stem}: {about:?}");
            assert!(joined[0].abs() <= 64 && joined[joined.len() - 1].abs() <= 64, "{language}/{stem}");
        }
    }
}

#[test]
fn an_order_is_one_sound_shorter_than_its_fragments_with_pauses_between_its_sentences() {
    for language in Language::ALL {
        let said = said(&order(language), language);
        let sounds = row(language, &said.fragments);
        let joined = join(&sounds);
        let apart: usize = sounds.iter().map(|sound| sound.samples.len()).sum();
        assert!(joined.samples.len() < apart, "{} of {apart}", joined.samples.len());
        assert_eq!((joined.rate, joined.channels), (TELEPHONE_RATE, 1));
        let silences = silences(&joined.samples);
        let longest = *silences.iter().max().unwrap();
        assert!((250..=600).contains(&longest), "{language}: {silences:?}");
        // Sentences of the order: five pauses of their length at least, between words none so long.
        assert!(silences.iter().filter(|silence| **silence >= 240).count() >= 5, "{language}: {silences:?}");
    }
}

/// Lengths of the silences inside a sound, milliseconds, those of 100 ms and more.
fn silences(samples: &[i16]) -> Vec<usize> {
    let frames = levels(samples, 40);
    let quiet = frames.split(|level| *level > 0.002).map(|quiet| quiet.len() * 5);
    quiet.filter(|length| *length >= 100).collect()
}

#[test]
fn a_quiet_sound_is_lifted_and_a_loud_one_lowered_without_overload() {
    let tone = |amplitude: f64| {
        let samples = (0..4_000).map(|at| ((f64::from(at) * 0.3).sin() * amplitude) as i16).collect();
        Sound { rate: 8_000, channels: 1, samples }
    };
    for amplitude in [500.0, 3_000.0, 32_000.0] {
        let joined = join(&[tone(amplitude)]);
        let loudness = speech(&joined.samples).unwrap();
        assert!((loudness + 20.0).abs() < 1.0, "{amplitude}: {loudness}");
    }
    // A click among silence cannot be made as loud as speech: its peak stays below full scale.
    let mut click = vec![0_i16; 4_000];
    click[2_000] = 1_000;
    let joined = join(&[Sound { rate: 8_000, channels: 1, samples: click }]);
    assert!(joined.samples.iter().all(|sample| f64::from(sample.unsigned_abs()) <= PEAK * FULL_SCALE + 1.0));
}

#[test]
fn pauses_keep_their_length_and_strangers_are_left_out() {
    let pause = Sound { rate: 8_000, channels: 1, samples: vec![0; 640] };
    let stereo = Sound { rate: 8_000, channels: 2, samples: vec![9_000; 640] };
    let fast = Sound { rate: 16_000, channels: 1, samples: vec![9_000; 640] };
    assert_eq!(join(&[pause.clone(), stereo, fast]).samples.len(), 640);
    assert_eq!(join(&[]), Sound { rate: TELEPHONE_RATE, channels: 1, samples: vec![] });
    let odd = Sound { rate: 0, channels: 1, samples: vec![1, 2, 3] };
    assert!(join(&[odd]).samples.len() <= 3);
    let one = fragments(&Phrase::Greeting, Language::Ru);
    assert!(!join(&row(Language::Ru, &one)).samples.is_empty());
}

proptest::proptest! {
    #[test]
    fn any_sound_is_joined_without_a_panic(samples in proptest::collection::vec(i16::MIN.., 0..400), rate in 0_u32..50_000) {
        let sound = Sound { rate, channels: 1, samples };
        let joined = join(&[sound.clone(), sound.clone()]);
        proptest::prop_assert!(joined.samples.len() <= 2 * sound.samples.len());
    }
}
