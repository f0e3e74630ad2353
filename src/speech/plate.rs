//! Plates read aloud: Russian ones by their form, all others run by run.

use super::numeral::Number;
use super::phrase::Language;
use super::ru::{self, Case, Gender};
use super::script::Script;
use crate::domain::search::PLATE_LETTERS;

/// Whether the region of a Russian plate is told. Who waits for a car looks for its letters and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Region {
    /// «регион семьдесят семь»
    Told,
    /// Left out.
    Left,
}

/// No plate is longer; a longer text is cut.
const MAX_SIGNS: usize = 12;

/// Letters or digits that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Run {
    Letters(String),
    Digits(String),
}

/// Adds a plate, if there is anything to read; tells whether there was.
pub(super) fn plate(script: &mut Script, written: &str, region: Region) -> bool {
    let runs = runs(written);
    let (runs, told) = match russian(&runs) {
        Some((runs, code)) => (runs, code.filter(|_| region == Region::Told)),
        None => (runs, None),
    };
    let read = !runs.is_empty();
    for (at, run) in runs.iter().enumerate() {
        if at > 0 {
            script.comma();
        }
        match run {
            Run::Letters(letters) => letters.chars().for_each(|letter| self::letter(script, letter)),
            Run::Digits(digits) => self::digits(script, digits),
        }
    }
    if let Some(code) = told {
        script.comma();
        script.say("region");
        group(script, &code);
    }
    read
}

/// The runs of a plate, in capitals; marks and letters of other scripts are left out. A mark ends a run of digits.
fn runs(written: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut glued = false;
    let signs = written.chars().flat_map(char::to_uppercase).filter(|sign| !matches!(sign, '\u{301}'));
    let mut left = MAX_SIGNS;
    for sign in signs {
        let is_letter = sign.is_ascii_uppercase() || matches!(sign, 'А'..='Я' | 'Ё');
        if left == 0 || !(is_letter || sign.is_ascii_digit()) {
            glued = false;
            continue;
        }
        left -= 1;
        match runs.last_mut() {
            Some(Run::Letters(letters)) if is_letter => letters.push(sign),
            Some(Run::Digits(digits)) if !is_letter && glued => digits.push(sign),
            _ if is_letter => runs.push(Run::Letters(sign.into())),
            _ => runs.push(Run::Digits(sign.into())),
        }
        glued = true;
    }
    runs
}

/// A Russian plate without its region, in Cyrillic letters, and the region. `None` for any other plate.
fn russian(runs: &[Run]) -> Option<(Vec<Run>, Option<String>)> {
    use Run::{Digits, Letters};
    let cyrillic = |letters: &str| letters.chars().map(cyrillic).collect::<Option<String>>();
    let runs = match runs {
        [runs @ .., Letters(country)] if country == "RUS" => runs,
        runs => runs,
    };
    match runs {
        // A civil car: А123ВС 77.
        [Letters(a), Digits(number), Letters(b), rest @ ..] if is(a, 1) && is(number, 3) && is(b, 2) => {
            let code = match rest {
                [] => None,
                [Digits(code)] if is(code, 2) || is(code, 3) => Some(code.clone()),
                _ => return None,
            };
            Some((vec![Letters(cyrillic(a)?), Digits(number.clone()), Letters(cyrillic(b)?)], code))
        }
        // A motorcycle, a tractor, the army: 1234 АВ 77.
        [Digits(number), Letters(b), Digits(code)] if is(number, 4) && is(b, 2) && (is(code, 2) || is(code, 3)) => {
            Some((vec![Digits(number.clone()), Letters(cyrillic(b)?)], Some(code.clone())))
        }
        // A taxi or bus АВ 123 77, a trailer АВ 1234 77, the police А 1234 77.
        [Letters(a), Digits(number), Digits(code)]
            if a.chars().count() <= 2 && (is(number, 3) || is(number, 4)) && (is(code, 2) || is(code, 3)) =>
        {
            Some((vec![Letters(cyrillic(a)?), Digits(number.clone())], Some(code.clone())))
        }
        // The same without a space: five or six digits are three and the region, of the police four.
        [Letters(a), Digits(all)] if a.chars().count() <= 2 && (is(all, 5) || is(all, 6)) => {
            let (number, code) = all.split_at_checked(if is(a, 1) && is(all, 6) { 4 } else { 3 })?;
            Some((vec![Letters(cyrillic(a)?), Digits(number.into())], Some(code.into())))
        }
        _ => None,
    }
}

fn is(text: &str, length: usize) -> bool {
    text.chars().count() == length
}

/// The Cyrillic letter of a Russian plate, however it was typed.
fn cyrillic(letter: char) -> Option<char> {
    PLATE_LETTERS.iter().find(|(russian, latin)| letter == *russian || letter == *latin).map(|(russian, _)| *russian)
}

/// A run of digits: up to three as one number, more in pairs (an odd one begins with three).
fn digits(script: &mut Script, digits: &str) {
    if script.language() == Language::En {
        return digits.chars().for_each(|digit| script.say(&format!("number-{digit}")));
    }
    for (at, part) in in_pairs(digits).into_iter().enumerate() {
        if at > 0 {
            script.comma();
        }
        group(script, part);
    }
}

/// Up to three digits stay together, more are cut into pairs, the first of an odd count into three.
pub(super) fn in_pairs(digits: &str) -> Vec<&str> {
    let mut rest = digits;
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let length = if rest.len() <= 3 { rest.len() } else { 2 + rest.len() % 2 };
        let Some((part, after)) = rest.split_at_checked(length) else { break };
        parts.push(part);
        rest = after;
    }
    parts
}

/// A few digits as one number, zeros before it one by one: «ноль ноль семь». English says a zero as "zero".
pub(super) fn group(script: &mut Script, digits: &str) {
    let number = digits.trim_start_matches('0');
    for _ in number.len()..digits.len() {
        script.say("number-0");
    }
    let Some(number) = number.parse().ok().and_then(Number::new) else { return };
    match script.language() {
        Language::Ru => ru::cardinal(script, number, Gender::Masculine, Case::Nominative),
        Language::En => super::en::cardinal(script, number),
    }
}

/// The name of a letter, Cyrillic or Latin, in the language of the script.
pub(super) fn letter(script: &mut Script, letter: char) {
    let capital = letter.to_uppercase().next().unwrap_or(letter);
    let names = match script.language() {
        Language::Ru => russian_name(capital),
        Language::En => english_name(capital),
    };
    for name in names.split_whitespace() {
        script.say(&format!("letter-{name}"));
    }
}

/// Stems after `letter-`; Latin letters by their names in Russian («аш», «икс»).
fn russian_name(letter: char) -> &'static str {
    match letter {
        'А' | 'A' => "a",
        'Б' | 'B' => "b",
        'В' | 'V' => "v",
        'Г' | 'G' => "g",
        'Д' | 'D' => "d",
        'Е' | 'E' => "e",
        'Ё' => "yo",
        'Ж' => "zh",
        'З' => "z",
        'И' | 'I' => "i",
        'Й' => "j",
        'К' | 'K' => "k",
        'Л' | 'L' => "l",
        'М' | 'M' => "m",
        'Н' | 'N' => "n",
        'О' | 'O' => "o",
        'П' | 'P' => "p",
        'Р' | 'R' => "r",
        'С' | 'S' => "s",
        'Т' | 'T' => "t",
        'У' | 'U' => "u",
        'Ф' | 'F' => "f",
        'Х' => "h",
        'Ц' | 'C' => "c",
        'Ч' => "ch",
        'Ш' => "sh",
        'Щ' => "shch",
        'Ъ' => "hard",
        'Ы' => "y",
        'Ь' => "soft",
        'Э' => "eh",
        'Ю' => "yu",
        'Я' => "ya",
        'H' => "latin-h",
        'J' => "latin-j",
        'Q' => "latin-q",
        'W' => "latin-w",
        'X' => "latin-x",
        'Y' => "latin-y",
        'Z' => "latin-z",
        _ => "",
    }
}

/// Cyrillic letters by the Latin ones that they look like on a plate, the others by those that stand for them.
fn english_name(letter: char) -> &'static str {
    match letter {
        'A' | 'А' => "a",
        'B' | 'В' | 'Б' => "b",
        'C' | 'С' | 'Ц' => "c",
        'D' | 'Д' => "d",
        'E' | 'Е' | 'Ё' | 'Э' => "e",
        'F' | 'Ф' => "f",
        'G' | 'Г' => "g",
        'H' | 'Н' => "h",
        'I' | 'И' | 'Ы' => "i",
        'J' | 'Й' => "j",
        'K' | 'К' => "k",
        'L' | 'Л' => "l",
        'M' | 'М' => "m",
        'N' => "n",
        'O' | 'О' => "o",
        'P' | 'Р' | 'П' => "p",
        'Q' => "q",
        'R' => "r",
        'S' => "s",
        'T' | 'Т' => "t",
        'U' => "u",
        'V' => "v",
        'W' => "w",
        'X' | 'Х' => "x",
        'Y' | 'У' => "y",
        'Z' | 'З' => "z",
        'Ж' => "z h",
        'Ч' => "c h",
        'Ш' => "s h",
        'Щ' => "s h c h",
        'Ю' => "y u",
        'Я' => "y a",
        _ => "",
    }
}

#[cfg(test)]
mod tests;
