//! Russian: digits agree with what they count, by the words about them.

use super::letters::russian_word;
use super::token::Token;
use crate::speech::numeral::Number;
use crate::speech::phrase::Language;
use crate::speech::plate::{group, in_pairs};
use crate::speech::ru::{self, Case, Form, Gender, Ordinal};
use crate::speech::script::Script;

/// What a number counts, by its abbreviation: forms after one, one in the accusative, two, five.
struct Unit {
    spellings: &'static [&'static str],
    gender: Gender,
    forms: [&'static str; 4],
}

const UNITS: [Unit; 12] = [
    unit(&["мин"], Gender::Feminine, ["минута", "минуту", "минуты", "минут"]),
    unit(&["ч"], Gender::Masculine, ["час", "час", "часа", "часов"]),
    unit(&["сек"], Gender::Feminine, ["секунда", "секунду", "секунды", "секунд"]),
    unit(&["руб", "р", "₽"], Gender::Masculine, ["рубль", "рубль", "рубля", "рублей"]),
    unit(&["коп"], Gender::Feminine, ["копейка", "копейку", "копейки", "копеек"]),
    unit(&["км"], Gender::Masculine, ["километр", "километр", "километра", "километров"]),
    unit(&["м"], Gender::Masculine, ["метр", "метр", "метра", "метров"]),
    unit(&["%"], Gender::Masculine, ["процент", "процент", "процента", "процентов"]),
    unit(&["тыс"], Gender::Feminine, ["тысяча", "тысячу", "тысячи", "тысяч"]),
    unit(&["шт"], Gender::Feminine, ["штука", "штуку", "штуки", "штук"]),
    unit(&["чел"], Gender::Masculine, ["человек", "человек", "человека", "человек"]),
    unit(&["$"], Gender::Masculine, ["доллар", "доллар", "доллара", "долларов"]),
];

const fn unit(spellings: &'static [&'static str], gender: Gender, forms: [&'static str; 4]) -> Unit {
    Unit { spellings, gender, forms }
}

/// How feminine nouns that offices count begin: «2 минуты», «21 машина».
const FEMININE: [&str; 9] = ["минут", "секунд", "копе", "тысяч", "машин", "поездк", "заявк", "скидк", "недел"];

const MONTHS: [&str; 12] = [
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
];

/// Text with its numbers in words.
pub(super) fn say(tokens: &[Token]) -> String {
    let mut said = String::new();
    let mut rest = tokens;
    let mut before = String::new();
    while let Some((first, after)) = rest.split_first() {
        let number = numeric(rest, case_after(&before));
        let (words, left) = match (number, first) {
            (Some((words, used)), _) => {
                (format!(" {words} "), rest.split_at_checked(used).map_or(after, |(_, left)| left))
            }
            (None, Token::Word(word)) => (abbreviation(word).map_or_else(|| russian_word(word), str::to_owned), after),
            (None, Token::Digits(digits)) => (format!(" {} ", digit_groups(digits)), after),
            (None, Token::Mark(mark)) => {
                (self::mark(*mark, said.ends_with(char::is_whitespace), after).to_owned(), after)
            }
            (None, Token::Space) => (" ".to_owned(), after),
        };
        if let Token::Word(word) = first {
            before = word.to_lowercase();
        } else if !matches!(first, Token::Space | Token::Digits(_) | Token::Mark('-')) {
            // «от 5-10 минут»: both numbers stand after «от».
            before.clear();
        }
        said.push_str(&words);
        rest = left;
    }
    said
}

/// What an abbreviated unit without a number of its own stands for: «5 тыс. руб».
fn abbreviation(word: &str) -> Option<&'static str> {
    let sure = word.chars().count() > 1;
    let unit = UNITS.iter().find(|unit| sure && unit.spellings.contains(&word))?;
    let [_, _, _, many] = unit.forms;
    Some(many)
}

/// The case that the word before a number asks for.
fn case_after(word: &str) -> Case {
    match word {
        "от" | "до" | "с" | "со" | "из" | "после" | "около" | "более" | "менее" | "больше" | "меньше" | "свыше"
        | "без" | "для" => Case::Genitive,
        "через" | "на" | "за" | "в" | "во" | "по" => Case::Accusative,
        _ => Case::Nominative,
    }
}

fn mark(mark: char, after_space: bool, after: &[Token]) -> &'static str {
    let glued = !after_space && matches!(after.first(), Some(Token::Word(_)));
    match mark {
        '.' if glued => " точка ",
        '.' => ". ",
        ',' => ", ",
        '!' => "! ",
        '?' => "? ",
        ';' => "; ",
        ':' => ": ",
        '(' | ')' => ", ",
        '-' if glued => "-",
        '-' if matches!(after.first(), Some(Token::Space)) => ", ",
        '+' => " плюс ",
        '*' => " звёздочка ",
        '#' => " решётка ",
        '@' => " собака ",
        '&' => " и ",
        '=' => " равно ",
        '%' => " процентов ",
        '№' => " номер ",
        '₽' => " рублей ",
        '€' => " евро ",
        '$' => " долларов ",
        _ => " ",
    }
}

/// A number at the start, with what belongs to it, in words, and how many tokens it took.
fn numeric(tokens: &[Token], case: Case) -> Option<(String, usize)> {
    phone(tokens).or_else(|| time(tokens, case)).or_else(|| date(tokens)).or_else(|| ordinal(tokens)).or_else(|| {
        let fraction = fraction(tokens, case);
        fraction.or_else(|| counted(tokens, case))
    })
}

fn small(digits: &str, greatest: u8) -> Option<u8> {
    digits.parse().ok().filter(|number| digits.len() <= 2 && *number <= greatest)
}

fn script() -> Script {
    Script::new(Language::Ru)
}

/// «15:30»
fn time(tokens: &[Token], case: Case) -> Option<(String, usize)> {
    let [Token::Digits(hour), Token::Mark(':'), Token::Digits(minute), ..] = tokens else { return None };
    let (hour, minute) = (small(hour, 24)?, small(minute, 59).filter(|_| minute.len() == 2)?);
    let mut said = script();
    if case == Case::Genitive {
        ru::time_in(&mut said, hour, minute, Case::Genitive);
    } else {
        ru::time(&mut said, hour, minute);
    }
    Some((said.spoken(), 3))
}

/// «31.12», «31.12.2026», «9 мая»
fn date(tokens: &[Token]) -> Option<(String, usize)> {
    match tokens {
        [Token::Digits(day), Token::Mark('.'), Token::Digits(month), rest @ ..] if month.len() == 2 => {
            let day = small(day, 31).filter(|day| *day > 0)?;
            let month = small(month, 12).filter(|month| *month > 0)?;
            let mut said = script();
            ru::date(&mut said, day, month);
            let year = match rest {
                [Token::Mark('.'), Token::Digits(year), ..] => year.parse().ok().filter(|year| year / 1_000 < 10_u32),
                // «12.05 руб.» and «1.10.2» are no dates.
                _ if unit_after(rest, true).is_some() => return None,
                _ => None,
            };
            let Some(year) = year.and_then(Number::new) else { return Some((said.spoken(), 3)) };
            ru::ordinal(&mut said, year, Ordinal::Genitive);
            Some((format!("{} года", said.spoken()), 5))
        }
        [Token::Digits(day), Token::Space, Token::Word(month), ..]
            if MONTHS.contains(&month.to_lowercase().as_str()) =>
        {
            let day = small(day, 31).filter(|day| *day > 0)?;
            let mut said = script();
            ru::ordinal(&mut said, Number::small(day), Ordinal::Genitive);
            Some((said.spoken(), 1))
        }
        _ => None,
    }
}

/// «1-я», «3-го», «1905 года», «50 лет»
fn ordinal(tokens: &[Token]) -> Option<(String, usize)> {
    let (digits, form, used) = match tokens {
        [Token::Digits(digits), Token::Mark('-'), Token::Word(ending), ..] => {
            let form = match ending.to_lowercase().as_str() {
                "й" | "ый" | "ой" | "ий" => Ordinal::Masculine,
                "я" | "ая" => Ordinal::Feminine,
                "е" | "ое" => Ordinal::Neuter,
                "го" | "ого" => Ordinal::Genitive,
                "ти" | "ми" | "х" | "и" => {
                    return Some((cardinal(digits, Gender::Masculine, Case::Genitive)?, 3));
                }
                _ => return None,
            };
            (digits, form, 3)
        }
        [Token::Digits(digits), Token::Space, Token::Word(word), ..]
            if word.to_lowercase() == "года" && digits.len() == 4 =>
        {
            (digits, Ordinal::Genitive, 1)
        }
        // «50 лет Октября», but «вам 5 лет».
        [Token::Digits(digits), Token::Space, Token::Word(word), Token::Space, Token::Word(name), ..]
            if word.to_lowercase() == "лет" && name.starts_with(char::is_uppercase) =>
        {
            return Some((cardinal(digits, Gender::Masculine, Case::Genitive)?, 1));
        }
        _ => return None,
    };
    let number = number(digits)?;
    let mut said = script();
    ru::ordinal(&mut said, number, form);
    Some((said.spoken(), used))
}

/// «3,5 км», «99.90 руб.», «12/3»
fn fraction(tokens: &[Token], case: Case) -> Option<(String, usize)> {
    let [Token::Digits(whole), Token::Mark(mark @ ('.' | ',' | '/')), Token::Digits(part), rest @ ..] = tokens else {
        return None;
    };
    let group = |digits: &str| {
        let mut said = script();
        group(&mut said, digits);
        said.spoken()
    };
    let unit = unit_after(rest, true);
    if let (Some((unit, used)), 2, true) = (&unit, part.len(), *mark != '/')
        && unit.spellings.contains(&"руб")
    {
        let rubles = with_unit(whole, unit, case)?;
        let kopecks = UNITS.iter().find(|unit| unit.spellings.contains(&"коп"))?;
        let kopecks = with_unit(part.trim_start_matches('0'), kopecks, case);
        return Some((kopecks.map_or(rubles.clone(), |kopecks| format!("{rubles} {kopecks}")), 3 + used));
    }
    let name = if *mark == '/' { "дробь" } else { "запятая" };
    let words = format!("{} {name} {}", long(whole, group), long(part, group));
    Some(match unit.filter(|_| *mark != '/') {
        Some((unit, used)) => {
            let [_, _, genitive, _] = unit.forms;
            (format!("{words} {genitive}"), 3 + used)
        }
        None => (words, 3),
    })
}

fn long(digits: &str, group: impl Fn(&str) -> String) -> String {
    in_pairs(digits).into_iter().map(group).collect::<Vec<_>>().join(" ")
}

/// «5 мин», «100₽», «10 000 руб.», «21 машина», «5»
fn counted(tokens: &[Token], case: Case) -> Option<(String, usize)> {
    let (digits, used) = thousands(tokens)?;
    let rest = tokens.split_at_checked(used)?.1;
    if let Some((unit, more)) = unit_after(rest, false) {
        return Some((with_unit(&digits, unit, case)?, used + more));
    }
    // «1-2 минуты»: the noun counts for both numbers.
    let (range, behind) = match rest {
        [Token::Mark('-'), Token::Digits(_), behind @ ..] => (true, behind),
        rest => (false, rest),
    };
    let listed = |words: String| if range { (words + ",", used + 1) } else { (words, used) };
    if let Some((unit, _)) = unit_after(behind, false) {
        return Some(listed(cardinal(&digits, unit.gender, case)?));
    }
    let next = match behind {
        [Token::Space, Token::Word(word), ..] => word.to_lowercase(),
        _ => String::new(),
    };
    let feminine = FEMININE.iter().any(|start| next.starts_with(start));
    let gender = if feminine { Gender::Feminine } else { Gender::Masculine };
    let case = if feminine && next.ends_with('у') { Case::Accusative } else { case };
    Some(listed(cardinal(&digits, gender, case)?))
}

/// Digits, with the spaces of «10 000» left out where a noun shows that it is one number.
fn thousands(tokens: &[Token]) -> Option<(String, usize)> {
    let [Token::Digits(first), rest @ ..] = tokens else { return None };
    let mut all = first.clone();
    let mut used = 1;
    let mut left = rest;
    while let [Token::Space, Token::Digits(next), after @ ..] = left {
        if first.len() > 3 || next.len() != 3 || all.len() > 6 {
            break;
        }
        all.push_str(next);
        used += 2;
        left = after;
    }
    if used > 1 && unit_after(left, true).is_some() { Some((all, used)) } else { Some((first.clone(), 1)) }
}

/// The unit after a number and how many tokens it takes, its full stop included. One letter is a unit only where
/// `short_too`, or where a full stop follows: «5 м» is less sure than «5 руб».
fn unit_after(tokens: &[Token], short_too: bool) -> Option<(&'static Unit, usize)> {
    let (space, rest) = match tokens {
        [Token::Space, rest @ ..] => (1, rest),
        rest => (0, rest),
    };
    let (spelling, after) = match rest {
        [Token::Word(word), after @ ..] => (word.to_lowercase(), after),
        [Token::Mark(mark), after @ ..] => (mark.to_string(), after),
        _ => return None,
    };
    let unit = UNITS.iter().find(|unit| unit.spellings.contains(&spelling.as_str()))?;
    // The stop of an abbreviation is its own, unless the text ends there.
    let stop = matches!(after, [Token::Mark('.'), Token::Space, Token::Word(next), ..] if next.starts_with(char::is_lowercase));
    let sure = short_too || spelling != "м" || stop;
    sure.then_some((unit, space + 1 + usize::from(stop)))
}

fn with_unit(digits: &str, unit: &Unit, case: Case) -> Option<String> {
    let number = number(digits)?;
    let [one, one_accusative, few, many] = unit.forms;
    let noun = match ru::form(number, case) {
        Form::One if case == Case::Accusative => one_accusative,
        Form::One => one,
        Form::Few => few,
        Form::Many => many,
    };
    Some(format!("{} {noun}", cardinal(digits, unit.gender, case)?))
}

fn number(digits: &str) -> Option<Number> {
    digits.parse().ok().and_then(Number::new)
}

/// A cardinal; `None` where it begins with a zero or is too great, and is read in groups.
fn cardinal(digits: &str, gender: Gender, case: Case) -> Option<String> {
    let number = number(digits).filter(|_| digits.len() == 1 || !digits.starts_with('0'))?;
    let mut said = script();
    ru::cardinal(&mut said, number, gender, case);
    Some(said.spoken())
}

/// «ноль пять, двадцать один»
fn digit_groups(digits: &str) -> String {
    let mut said = script();
    for (at, part) in in_pairs(digits).into_iter().enumerate() {
        if at > 0 {
            said.comma();
        }
        group(&mut said, part);
    }
    said.spoken()
}

/// «+7 (921) 123-45-67», «8 921 1234567», «55-12-30»
fn phone(tokens: &[Token]) -> Option<(String, usize)> {
    let (plus, start) = match tokens {
        [Token::Mark('+'), ..] => (true, 1),
        _ => (false, 0),
    };
    let mut parts: Vec<&str> = Vec::new();
    let mut used = 0;
    let mut hyphens = 0;
    for (at, token) in tokens.iter().enumerate().skip(start).take(24) {
        match token {
            Token::Digits(digits) => {
                parts.push(digits);
                used = at + 1;
            }
            Token::Space | Token::Mark('(' | ')') if !parts.is_empty() || plus => {}
            Token::Mark('-') if !parts.is_empty() => hyphens += 1,
            Token::Word(_) | Token::Mark(_) | Token::Space => break,
        }
    }
    let all = parts.concat();
    let national = all.len() == 11 && all.starts_with(['7', '8']);
    let local = !plus && hyphens == 2 && parts.len() == 3 && (5..=7).contains(&all.len());
    let mut said = script();
    if plus {
        said.words("плюс");
    }
    let groups: Vec<&str> = if national {
        [all.get(..1), all.get(1..4), all.get(4..7), all.get(7..9), all.get(9..)].into_iter().flatten().collect()
    } else if local {
        parts
    } else if plus && (8..=15).contains(&all.len()) {
        in_pairs(&all)
    } else {
        return None;
    };
    for (at, part) in groups.into_iter().enumerate() {
        if at > 0 {
            said.comma();
        }
        group(&mut said, part);
    }
    Some((said.spoken(), used))
}
