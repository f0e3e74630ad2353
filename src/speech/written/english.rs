//! English: numbers as they are said on a telephone.

use super::letters::english_word;
use super::token::Token;
use crate::speech::en;
use crate::speech::numeral::Number;
use crate::speech::phrase::Language;
use crate::speech::script::Script;

/// Text with its numbers in words.
pub(super) fn say(tokens: &[Token]) -> String {
    let mut said = String::new();
    let mut rest = tokens;
    while let Some((first, after)) = rest.split_first() {
        let known = time(rest).map(|words| (words, 3)).or_else(|| ordinal(rest));
        let (words, left) = match (known, first) {
            (Some((words, used)), _) => (words, rest.split_at_checked(used).map_or(after, |(_, left)| left)),
            (None, Token::Digits(digits)) => (format!(" {} ", number(digits)), after),
            (None, Token::Word(word)) => (english_word(word), after),
            (None, Token::Mark(mark)) => (self::mark(*mark, after).to_owned(), after),
            (None, Token::Space) => (" ".to_owned(), after),
        };
        said.push_str(&words);
        rest = left;
    }
    said
}

/// "15:30"
fn time(tokens: &[Token]) -> Option<String> {
    let [Token::Digits(hour), Token::Mark(':'), Token::Digits(minute), ..] = tokens else { return None };
    let part = |digits: &str, most: u8| digits.parse().ok().filter(|part| digits.len() <= 2 && *part <= most);
    let (hour, minute) = (part(hour, 23)?, part(minute, 59).filter(|_| minute.len() == 2)?);
    let mut said = Script::new(Language::En);
    en::time(&mut said, hour, minute);
    Some(format!(" {} ", said.spoken()))
}

/// "1st", "22nd", «5-я», and how many tokens it took.
fn ordinal(tokens: &[Token]) -> Option<(String, usize)> {
    let (digits, used) = match tokens {
        [Token::Digits(digits), Token::Word(ending), ..] if ["st", "nd", "rd", "th"].contains(&ending.as_str()) => {
            (digits, 2)
        }
        [Token::Digits(digits), Token::Mark('-'), Token::Word(ending), ..]
            if ["й", "ый", "ой", "я", "ая", "е", "го"].contains(&ending.as_str()) =>
        {
            (digits, 3)
        }
        _ => return None,
    };
    let day = digits.parse().ok().filter(|day| (1..40).contains(day))?;
    let mut said = Script::new(Language::En);
    en::ordinal(&mut said, Number::small(day));
    Some((format!(" {} ", said.spoken()), used))
}

/// Up to four digits are one number; more, or those after a zero, are read one by one.
fn number(digits: &str) -> String {
    let mut said = Script::new(Language::En);
    let whole = digits.parse().ok().and_then(Number::new);
    match whole.filter(|_| digits.len() <= 4 && (digits.len() == 1 || !digits.starts_with('0'))) {
        Some(number) => en::cardinal(&mut said, number),
        None => digits.chars().for_each(|digit| said.say(&format!("number-{digit}"))),
    }
    said.spoken()
}

fn mark(mark: char, after: &[Token]) -> &'static str {
    let before_word = matches!(after.first(), Some(Token::Word(_)));
    match mark {
        '.' if before_word => " dot ",
        '.' => ". ",
        ',' | '(' | ')' => ", ",
        '!' => "! ",
        '?' => "? ",
        ';' => "; ",
        ':' => ": ",
        '-' if before_word => "-",
        '-' if matches!(after.first(), Some(Token::Space)) => ", ",
        '/' if matches!(after.first(), Some(Token::Digits(_))) => " slash ",
        '+' => " plus ",
        '*' => " star ",
        '#' => " hash ",
        '@' => " at ",
        '&' => " and ",
        '=' => " equals ",
        '%' => " percent ",
        '№' => " number ",
        '₽' => " rubles ",
        '€' => " euros ",
        '$' => " dollars ",
        _ => " ",
    }
}
