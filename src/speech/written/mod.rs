//! What people wrote, as it is said: numbers in words, abbreviations spelt out, other alphabets transliterated. Nothing
//! is left that a synthesizer would read wrong; emoji, control characters and unknown scripts vanish.

mod english;
mod letters;
mod russian;
mod token;

use super::phrase::Language;

/// Longer texts are cut: nobody listens to them, and a synthesizer would be busy for minutes.
const MAX_CHARS: usize = 2_000;

/// The text as a synthesizer of that language can say it. Russian comes out in Russian letters and U+0301 alone, English
/// in Latin letters; both with `. , ! ? : ; -` and spaces, without digits. Empty if nothing can be said.
pub(super) fn speakable(text: &str, language: Language) -> String {
    let tokens = token::tokens(&text.chars().take(MAX_CHARS).collect::<String>());
    tidy(&match language {
        Language::Ru => russian::say(&tokens),
        Language::En => english::say(&tokens),
    })
}

/// A name without marks about it; `None` if nothing can be said.
pub(super) fn name(text: &str, language: Language) -> Option<String> {
    let said = speakable(text, language);
    let name = said.trim_matches(|c: char| !c.is_alphabetic() && c != super::script::STRESS);
    (!name.is_empty()).then(|| name.to_owned())
}

/// One space between words, none before a mark, no mark at the start, of several marks the first.
fn tidy(words: &str) -> String {
    let mut tidy = String::with_capacity(words.len());
    let mut space = false;
    for sign in words.chars() {
        let is_mark = matches!(sign, '.' | ',' | '!' | '?' | ':' | ';');
        if sign.is_whitespace() {
            space = true;
        } else if is_mark {
            if tidy.ends_with(|last: char| last.is_alphabetic() || last == super::script::STRESS) {
                tidy.push(sign);
            }
            space = true;
        } else {
            if space && !tidy.is_empty() {
                tidy.push(' ');
            }
            tidy.push(sign);
            space = false;
        }
    }
    tidy
}

#[cfg(test)]
mod tests;
