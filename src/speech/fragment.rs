//! The shipped sounds and their words: the lists `sounds/<language>/fragments.txt`, compiled in.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::phrase::Language;

fn list(language: Language) -> &'static str {
    match language {
        Language::Ru => include_str!("../../sounds/ru/fragments.txt"),
        Language::En => include_str!("../../sounds/en/fragments.txt"),
    }
}

/// The words of each stem, to be found fast: a status is composed while its caller waits.
fn index(language: Language) -> &'static BTreeMap<&'static str, &'static str> {
    static RUSSIAN: LazyLock<BTreeMap<&str, &str>> = LazyLock::new(|| all_fragments(Language::Ru).collect());
    static ENGLISH: LazyLock<BTreeMap<&str, &str>> = LazyLock::new(|| all_fragments(Language::En).collect());
    match language {
        Language::Ru => &RUSSIAN,
        Language::En => &ENGLISH,
    }
}

/// Every fragment of a language with its words, in the order of the list.
pub fn all_fragments(language: Language) -> impl Iterator<Item = (&'static str, &'static str)> {
    list(language).lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(": "))
}

/// One recorded sound: the stem of its file name, `sounds/<language>/<stem>.wav`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fragment(&'static str);

impl Fragment {
    /// The sound of this stem, if the language has it.
    pub fn named(stem: &str, language: Language) -> Option<Self> {
        index(language).get_key_value(stem).map(|(stem, _)| Self(stem))
    }

    /// The file's stem: ASCII letters, digits and hyphens only.
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// What is heard in it; empty if that language has no such sound.
    pub fn words(self, language: Language) -> &'static str {
        index(language).get(self.0).copied().unwrap_or_default()
    }
}

impl std::fmt::Display for Fragment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_list_has_every_stem_once_with_words_and_a_name_fit_for_a_file() {
        for language in Language::ALL {
            let all: Vec<_> = all_fragments(language).collect();
            let stems: BTreeSet<_> = all.iter().map(|(stem, _)| stem).collect();
            assert_eq!(stems.len(), all.len(), "{language}: a stem is on the list twice");
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
    fn the_words_of_a_list_have_no_digits_and_russian_ones_no_latin_letters() {
        for language in Language::ALL {
            for (stem, words) in all_fragments(language) {
                let spoilt = |c: char| c.is_ascii_digit() || (language == Language::Ru && c.is_ascii_alphabetic());
                assert!(!words.contains(spoilt), "{language}/{stem}: {words}");
            }
        }
    }
}
