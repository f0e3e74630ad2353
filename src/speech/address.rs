//! Addresses as they are said: «улица Ленина, дом двенадцать, корпус два», "Lenina street, house twelve, building two".

use super::phrase::Language;
use super::script::Script;
use super::{plate, written};
use crate::domain::address::Address;

/// The words of an address without its entrance and comment; `None` if it says nothing.
pub(super) fn address(address: &Address, language: Language) -> Option<String> {
    let parts = [place(&address.city, language), place(&address.street, language), house(&address.house, language)];
    let said: Vec<String> = parts.into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// The word, in the language, that an abbreviation of a data file (`Russian; English: abbreviations`) or the Russian word
/// itself stands for.
fn unabridged(data: &'static str, abridged: &str, language: Language) -> Option<&'static str> {
    let short = abridged.trim_end_matches('.').to_lowercase();
    let lines = data.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(": "));
    let mut entries = lines.filter_map(|(words, all)| Some((words.split_once(';')?, all)));
    let found = entries.find(|((russian, _), all)| *russian == short || all.split(", ").any(|one| one == short));
    found.map(|((russian, english), _)| language.pick(russian, english.trim()))
}

/// A city or street with its kind spelt out; English says the kind last.
fn place(written: &str, language: Language) -> Option<String> {
    // An abbreviation may be glued to what follows: «ул.Ленина».
    let spaced = written.trim().replace(',', " ").replace('.', ". ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let last = words.len().saturating_sub(1);
    let kind = |at: usize, word: &str| {
        // «3-й пр-д Марьиной Рощи»
        let sure = at == 0 || at == last || word.ends_with('.') || word.contains('-');
        unabridged(include_str!("data/places.txt"), word, language).filter(|_| sure && words.len() > 1)
    };
    // Who «Д.» in «ул. Д. Бедного» was nobody says.
    let is_initial =
        |word: &str| word.chars().count() == 2 && word.starts_with(char::is_uppercase) && word.ends_with('.');
    let mut said: Vec<&str> = Vec::new();
    let mut kinds: Vec<&str> = Vec::new();
    for (at, word) in words.iter().enumerate().filter(|(_, word)| !is_initial(word)) {
        match (kind(at, word), language) {
            (Some(kind), Language::En) => kinds.push(kind),
            (Some(kind), Language::Ru) => said.push(kind),
            (None, _) => said.push(word),
        }
    }
    said.extend(kinds);
    written::name(&said.join(" "), language)
}

/// A house: «12к2» is «дом двенадцать, корпус два».
fn house(written: &str, language: Language) -> Option<String> {
    let mut said: Vec<String> = Vec::new();
    for part in house_parts(written) {
        if let Some(word) = unabridged(include_str!("data/house.txt"), &part, language) {
            said.push(word.to_owned());
            continue;
        }
        let Some(name) = house_part(&part, language) else { continue };
        match said.last_mut() {
            Some(last) => {
                last.push(' ');
                last.push_str(&name);
            }
            None => said.push(format!("{} {name}", language.pick("дом", "house"))),
        }
    }
    (!said.is_empty()).then(|| said.join(", "))
}

/// A number or a word; one letter alone is told by its name.
fn house_part(part: &str, language: Language) -> Option<String> {
    let mut letters = part.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) if letter.is_alphabetic() => {
            let mut name = Script::new(language);
            plate::letter(&mut name, letter);
            Some(name.spoken()).filter(|name| !name.is_empty())
        }
        _ => written::name(part, language),
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
