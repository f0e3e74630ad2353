//! What is said at once: several phrases as one text for a synthesizer, as a row of shipped sounds, as one sound.

use super::phrase::{Fragment, Language, Phrase, fragments, text};
use super::wav::{Sound, TELEPHONE_RATE};

/// What a list of phrases sounds like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// For a synthesizer: whole sentences, in Russian without digits or Latin letters, stress marked by U+0301 where it
    /// is known. `None` where fragments alone say everything.
    pub sentence: Option<String>,
    /// Shipped sounds that say the same without the free text (streets, names, unknown makes). Never empty.
    pub fragments: Vec<Fragment>,
}

/// What these phrases, one after another, sound like.
pub fn said(phrases: &[Phrase], language: Language) -> Said {
    let is_free = |phrase: &&Phrase| matches!(phrase, Phrase::Free(_));
    let shipped = phrases.iter().filter(|phrase| !is_free(phrase));
    let mut sounds: Vec<_> = shipped.flat_map(|phrase| fragments(phrase, language)).collect();
    if sounds.is_empty() {
        sounds = fragments(&Phrase::StayOnLine, language);
    }
    let whole = || phrases.iter().map(|phrase| text(phrase, language)).collect::<Vec<_>>().join(" ");
    Said { sentence: phrases.iter().any(|phrase| is_free(&phrase)).then(whole), fragments: sounds }
}

/// Joins the sounds of fragments to one: mono, at the rate of the first. Sounds of another rate or with two channels
/// are left out (none are shipped).
pub fn join(sounds: &[Sound]) -> Sound {
    let rate = sounds.first().map_or(TELEPHONE_RATE, |first| first.rate);
    let fitting = sounds.iter().filter(|sound| sound.channels == 1 && sound.rate == rate);
    Sound { rate, channels: 1, samples: fitting.flat_map(|sound| sound.samples.iter().copied()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_words_are_for_the_synthesizer_and_the_rest_is_said_by_fragments() {
        let phrases = [Phrase::Free("Такси «Перезвон».".into()), Phrase::Recorded];
        let said = said(&phrases, Language::Ru);
        assert_eq!(said.sentence.as_deref(), Some("Такси «Перезвон». Разговор может быть записан."));
        assert_eq!(said.fragments, fragments(&Phrase::Recorded, Language::Ru));
    }

    #[test]
    fn nothing_is_never_silence() {
        for phrases in [vec![], vec![Phrase::Free(String::new())]] {
            assert_eq!(said(&phrases, Language::En).fragments, fragments(&Phrase::StayOnLine, Language::En));
        }
    }
}
