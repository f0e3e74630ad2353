//! A script: what is to be said, part by part. One script gives the words for a synthesizer, the words for the eye and
//! the row of shipped sounds, so that all three say the same.

use super::fragment::Fragment;
use super::phrase::Language;

/// The stress mark, after its vowel.
pub(super) const STRESS: char = '\u{301}';

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// A shipped sound; its words are on the list.
    Sound(Fragment),
    /// Words that only a synthesizer can say.
    Words(String),
}

/// What is to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Script {
    language: Language,
    parts: Vec<Part>,
}

impl Script {
    pub(super) fn new(language: Language) -> Self {
        Self { language, parts: Vec::new() }
    }

    pub(super) fn language(&self) -> Language {
        self.language
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Adds a shipped sound. One that the language lacks, a fault of the code that tests find, is left out.
    pub(super) fn say(&mut self, stem: &str) {
        let shipped = self.say_if_shipped(stem);
        debug_assert!(shipped, "{}: there is no sound {stem}", self.language);
    }

    /// The same, and tells whether there was such a sound.
    pub(super) fn say_if_shipped(&mut self, stem: &str) -> bool {
        let sound = Fragment::named(stem, self.language);
        self.parts.extend(sound.map(Part::Sound));
        sound.is_some()
    }

    /// Adds words that no shipped sound says.
    pub(super) fn words(&mut self, words: impl Into<String>) {
        let words = words.into();
        if !words.trim().is_empty() {
            self.parts.push(Part::Words(words));
        }
    }

    /// A short pause.
    pub(super) fn comma(&mut self) {
        self.say("pause-comma");
    }

    /// The short pause before what was announced.
    pub(super) fn colon(&mut self) {
        self.say("pause-colon");
    }

    /// The end of a sentence: the voice falls on the last word where that is shipped (`<stem>-end`).
    pub(super) fn stop(&mut self) {
        if let Some(Part::Sound(last)) = self.parts.last_mut()
            && let Some(falling) = Fragment::named(&format!("{last}-end"), self.language)
        {
            *last = falling;
        } else {
            self.say("pause-stop");
        }
    }

    /// Adds all of another script.
    pub(super) fn append(&mut self, mut other: Script) {
        self.parts.append(&mut other.parts);
    }

    /// Whether a part has no shipped sound.
    pub(super) fn has_free_words(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Words(_)))
    }

    /// The words for a synthesizer, with stress marks.
    pub(super) fn spoken(&self) -> String {
        let mut text = String::new();
        for part in &self.parts {
            let words = match part {
                Part::Sound(sound) => sound.words(self.language),
                Part::Words(words) => words,
            };
            // A mark belongs to the word before it.
            if !text.is_empty() && !words.starts_with(['.', ',', ':', '!', '?', ';']) {
                text.push(' ');
            }
            text.push_str(words);
        }
        text
    }

    /// The words for the eye.
    pub(super) fn text(&self) -> String {
        self.spoken().replace(STRESS, "")
    }

    /// The shipped sounds, with a pause between sentences. Empty where only a synthesizer can say it.
    pub(super) fn sounds(&self) -> Vec<Fragment> {
        let mut row: Vec<Fragment> = Vec::new();
        for part in &self.parts {
            let Part::Sound(sound) = part else { continue };
            let words = |sound: &Fragment| sound.words(self.language);
            let is_pause = |sound: &Fragment| !words(sound).contains(char::is_alphabetic);
            let last = row.last();
            // Marks about left out words do not add up.
            if is_pause(sound) && last.is_none_or(|last| is_pause(last) || words(last).ends_with(['.', '!', '?'])) {
                continue;
            }
            if last.is_some_and(|last| !is_pause(last) && words(last).ends_with(['.', '!', '?'])) {
                row.extend(Fragment::named("pause-stop", self.language));
            }
            row.push(*sound);
        }
        // A pause at the end would only be waited through.
        while row.last().is_some_and(|last| !last.words(self.language).contains(char::is_alphabetic)) {
            row.pop();
        }
        row
    }

    /// The same, and a request for patience where nothing shipped says it: silence would be worse.
    pub(super) fn sounds_or_patience(&self) -> Vec<Fragment> {
        let sounds = self.sounds();
        if !sounds.is_empty() {
            return sounds;
        }
        Fragment::named("stay-on-line", self.language).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stems(script: &Script) -> Vec<&'static str> {
        script.sounds().into_iter().map(Fragment::as_str).collect()
    }

    #[test]
    fn marks_follow_their_word_and_the_last_word_of_a_sentence_falls() {
        let mut script = Script::new(Language::Ru);
        script.say("number-2-f");
        script.comma();
        script.say("minute-few");
        script.stop();
        script.say("any-moment");
        assert_eq!(script.spoken(), "две, минуты. Будет с минуты на минуту.");
        assert_eq!(stems(&script), ["number-2-f", "pause-comma", "minute-few-end", "pause-stop", "any-moment"]);
    }

    #[test]
    fn words_without_a_sound_leave_no_pauses_behind() {
        let mut script = Script::new(Language::Ru);
        script.words("Улица Ленина");
        script.stop();
        script.say("number-3");
        script.comma();
        script.words("Мира");
        script.comma();
        script.say("number-5");
        script.stop();
        script.words("Мира");
        script.stop();
        assert_eq!(script.text(), "Улица Ленина. три, Мира, пять. Мира.");
        assert_eq!(stems(&script), ["number-3", "pause-comma", "number-5"]);
        assert!(script.has_free_words());
    }
}
