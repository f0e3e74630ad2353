//! Addresses as they are said: «улица Ленина, дом двенадцать, корпус два».

use super::phrase::Language;
use super::script::Script;
use super::{plate, written};
use crate::domain::address::Address;

/// The words of an address without its entrance and comment; `None` if it says nothing.
pub(super) fn address(address: &Address, language: Language) -> Option<String> {
    let parts = match language {
        Language::Ru => [place(&address.city), place(&address.street), house(&address.house)],
        Language::En => {
            let name = |text: &str| written::name(text, language);
            [name(&address.city), name(&address.street), name(&address.house).map(|house| format!("house {house}"))]
        }
    };
    let said: Vec<String> = parts.into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// The word that an abbreviation of a data file (`word: abbreviations`) stands for.
fn unabridged(data: &'static str, abridged: &str) -> Option<&'static str> {
    let short = abridged.trim_end_matches('.').to_lowercase();
    let mut lines = data.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(": "));
    lines.find(|(word, all)| *word == short || all.split(", ").any(|one| one == short)).map(|(word, _)| word)
}

/// A city or street with its kind spelt out. One that is only an initial («Д. Бедного») stays as it is: a single letter
/// before a name with capitals is a kind only in lower case.
fn place(written: &str) -> Option<String> {
    let spaced = apart(written);
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let last = words.len().saturating_sub(1);
    let kind = |at: usize, word: &str| {
        // «3-й пр-д Марьиной Рощи»
        let sure = at == 0 || at == last || word.ends_with('.') || word.contains('-');
        let initial = word.starts_with(char::is_uppercase) && word.trim_end_matches('.').chars().count() == 1;
        let data = include_str!("data/places.txt");
        unabridged(data, word).filter(|_| sure && !initial && words.len() > 1)
    };
    // Who «Д.» was nobody says.
    let is_initial =
        |word: &str| word.ends_with('.') && word.chars().count() == 2 && word.starts_with(char::is_uppercase);
    let kept = words.iter().enumerate().filter(|(_, word)| !is_initial(word));
    let said: Vec<&str> = kept.map(|(at, word)| kind(at, word).unwrap_or(word)).collect();
    written::name(&said.join(" "), Language::Ru)
}

/// The same with a space after each abbreviation's full stop: «ул.Ленина».
fn apart(written: &str) -> String {
    written.trim().replace(',', " ").replace('.', ". ")
}

/// A house: «12к2» is «дом двенадцать, корпус два».
fn house(written: &str) -> Option<String> {
    let parts = house_parts(written);
    let mut said: Vec<String> = Vec::new();
    for part in parts {
        let word = unabridged(include_str!("data/house.txt"), &part);
        match (said.last_mut(), word) {
            (_, Some(word)) => said.push(word.to_owned()),
            (None, None) => said.push(format!("дом {}", house_part(&part)?)),
            (Some(last), None) => {
                if let Some(name) = house_part(&part) {
                    last.push(' ');
                    last.push_str(&name);
                }
            }
        }
    }
    (!said.is_empty()).then(|| said.join(", "))
}

/// A number or a word; one letter alone is told by its name.
fn house_part(part: &str) -> Option<String> {
    let mut letters = part.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) if letter.is_alphabetic() => {
            let mut name = Script::new(Language::Ru);
            plate::letter(&mut name, letter);
            Some(name.spoken()).filter(|name| !name.is_empty())
        }
        _ => written::name(part, Language::Ru),
    }
}

/// Digits with their fraction, and words: «12/3а корп.2» is «12/3», «а», «корп», «2».
fn house_parts(written: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut kind = ' ';
    for sign in written.to_lowercase().chars() {
        let now = match sign {
            '0'..='9' | '/' | '-' => '0',
            _ if sign.is_alphabetic() => 'a',
            _ => ' ',
        };
        match parts.last_mut() {
            Some(last) if now == kind && now != ' ' => last.push(sign),
            _ if now != ' ' => parts.push(sign.to_string()),
            _ => {}
        }
        kind = now;
    }
    parts
}

#[cfg(test)]
mod tests;
