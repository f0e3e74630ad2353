//! A text cut into words, digits and marks.

use crate::speech::script::STRESS;

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// Letters, with stress marks.
    Word(String),
    /// ASCII digits.
    Digits(String),
    /// Any other sign that has a meaning.
    Mark(char),
    /// White space, or what vanished.
    Space,
}

/// Cuts a text. Signs that mean nothing aloud become spaces.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    for sign in text.chars() {
        match (tokens.last_mut(), sign) {
            (Some(Token::Word(word)), STRESS) => word.push(STRESS),
            (Some(Token::Word(word)), _) if is_letter(sign) => word.push(sign),
            (_, _) if is_letter(sign) => tokens.push(Token::Word(sign.into())),
            (Some(Token::Digits(digits)), '0'..='9') => digits.push(sign),
            (_, '0'..='9') => tokens.push(Token::Digits(sign.into())),
            // Within a word: O'Key, д’Артаньян.
            (Some(Token::Word(_)), '\'' | '’' | '\u{2bc}' | '\u{ad}' | '\u{200b}' | '\u{200d}') => {}
            (_, STRESS) => {}
            (_, _) => tokens.push(mark(sign)),
        }
    }
    tokens
}

fn mark(sign: char) -> Token {
    match sign {
        '–' | '—' | '−' | '‐' | '‑' => Token::Mark('-'),
        '…' => Token::Mark('.'),
        '.' | ',' | '!' | '?' | ':' | ';' | '-' | '+' | '*' | '#' | '@' | '&' | '/' | '=' | '%' | '№' | '₽' | '€'
        | '$' | '(' | ')' => Token::Mark(sign),
        _ => Token::Space,
    }
}

fn is_letter(sign: char) -> bool {
    super::letters::is_cyrillic(sign) || super::letters::latin(sign).is_some()
}
