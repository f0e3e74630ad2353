//! Russian: gender, case and number agree.

use super::numeral::{Noun, Number};
use super::script::Script;

/// The gender of the counted noun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gender {
    /// «один час»
    Masculine,
    /// «одна минута»
    Feminine,
    /// «одно место»
    Neuter,
}

/// The case of a numeral that counts inanimate nouns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// «одна минута»
    Nominative,
    /// «ждать одну минуту»
    Accusative,
    /// «от двух до пяти минут»
    Genitive,
}

/// The form of a noun that a number asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// After 1, 21, 101 …: «минута»
    One,
    /// After 2-4, 22-24 …: «минуты»; it is the genitive of one too
    Few,
    /// After all the others: «минут»
    Many,
}

/// The form of a noun after a number. Source: Русская грамматика (1980), § 1366-1370.
pub fn form(number: Number, case: Case) -> Form {
    let one = match case {
        Case::Nominative | Case::Accusative => Form::One,
        Case::Genitive => Form::Few,
    };
    let few = match case {
        Case::Nominative | Case::Accusative => Form::Few,
        Case::Genitive => Form::Many,
    };
    match (number.value() % 10, number.value() % 100) {
        (_, 11..=14) => Form::Many,
        (1, _) => one,
        (2..=4, _) => few,
        _ => Form::Many,
    }
}

fn gender(noun: Noun) -> Gender {
    match noun {
        Noun::Hour | Noun::Million | Noun::Kilometre | Noun::Metre | Noun::Rouble => Gender::Masculine,
        Noun::Minute | Noun::Thousand | Noun::Kopeck => Gender::Feminine,
    }
}

/// A numeral and its noun: «двадцать две минуты».
pub(super) fn counted(script: &mut Script, number: Number, noun: Noun, case: Case) {
    cardinal(script, number, gender(noun), case);
    noun_after(script, number, noun, case);
}

fn noun_after(script: &mut Script, number: Number, noun: Noun, case: Case) {
    let form = match form(number, case) {
        // Only feminine nouns have a form of their own: «минуту».
        Form::One if case == Case::Accusative && gender(noun) == Gender::Feminine => "one-acc",
        Form::One => "one",
        Form::Few => "few",
        Form::Many => "many",
    };
    script.say(&format!("{}-{form}", noun.stem()));
}

/// A cardinal that agrees in gender and case: «двадцать одну».
pub(super) fn cardinal(script: &mut Script, number: Number, gender: Gender, case: Case) {
    for (count, scale) in number.groups() {
        let noun = scale.noun();
        group(script, count, noun.map_or(gender, self::gender), case);
        if let Some(noun) = noun {
            noun_after(script, count, noun, case);
        }
    }
}

/// 0 to 999.
fn group(script: &mut Script, number: Number, gender: Gender, case: Case) {
    for part in number.parts() {
        match case {
            Case::Nominative | Case::Accusative => {
                let form = match (part, gender) {
                    (1, Gender::Feminine) if case == Case::Accusative => "-f-acc",
                    (1 | 2, Gender::Feminine) => "-f",
                    (1, Gender::Neuter) => "-n",
                    (_, Gender::Masculine | Gender::Feminine | Gender::Neuter) => "",
                };
                script.say(&format!("number-{part}{form}"));
            }
            Case::Genitive => script.words(genitive(part, gender)),
        }
    }
}

/// The genitive of one part; only free text needs it, so no sounds are shipped.
fn genitive(part: u32, gender: Gender) -> &'static str {
    if part == 1 && gender == Gender::Feminine {
        return "одной";
    }
    GENITIVES.iter().find(|(value, _)| *value == part).map_or("", |(_, word)| word)
}

/// Source: Русская грамматика (1980), § 1371-1378.
const GENITIVES: [(u32, &str); 37] = [
    (0, "ноля"),
    (1, "одного"),
    (2, "двух"),
    (3, "трёх"),
    (4, "четырёх"),
    (5, "пяти"),
    (6, "шести"),
    (7, "семи"),
    (8, "восьми"),
    (9, "девяти"),
    (10, "десяти"),
    (11, "одиннадцати"),
    (12, "двенадцати"),
    (13, "тринадцати"),
    (14, "четырнадцати"),
    (15, "пятнадцати"),
    (16, "шестнадцати"),
    (17, "семнадцати"),
    (18, "восемнадцати"),
    (19, "девятнадцати"),
    (20, "двадцати"),
    (30, "тридцати"),
    (40, "сорока"),
    (50, "пятидесяти"),
    (60, "шестидесяти"),
    (70, "семидесяти"),
    (80, "восьмидесяти"),
    (90, "девяноста"),
    (100, "ста"),
    (200, "двухсот"),
    (300, "трёхсот"),
    (400, "четырёхсот"),
    (500, "пятисот"),
    (600, "шестисот"),
    (700, "семисот"),
    (800, "восьмисот"),
    (900, "девятисот"),
];

/// Which form of an ordinal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ordinal {
    /// «первый»
    Masculine,
    /// «первая»
    Feminine,
    /// «первое»
    Neuter,
    /// «первого (мая)»
    Genitive,
}

/// An ordinal, only its last part is one: «сто двадцать первый». There is no "zeroth": it is said as the first. Whole
/// thousands are said as a cardinal: their ordinals («двухтысячный») are not needed.
pub(super) fn ordinal(script: &mut Script, number: Number, ordinal: Ordinal) {
    let number = if number.value() == 0 { Number::small(1) } else { number };
    for (count, scale) in number.groups() {
        if let Some(noun) = scale.noun() {
            // «тысяча девятьсот пятый»: here one thousand is not counted.
            if count.value() > 1 {
                group(script, count, gender(noun), Case::Nominative);
            }
            noun_after(script, count, noun, Case::Nominative);
            continue;
        }
        let mut parts = count.parts();
        let last = parts.pop();
        for part in parts {
            script.say(&format!("number-{part}"));
        }
        if let Some(part) = last {
            ordinal_part(script, part, ordinal);
        }
    }
}

fn ordinal_part(script: &mut Script, part: u32, ordinal: Ordinal) {
    let stem = match ordinal {
        Ordinal::Masculine | Ordinal::Feminine | Ordinal::Neuter => format!("ordinal-{part}"),
        Ordinal::Genitive => format!("ordinal-gen-{part}"),
    };
    let shipped = ordinal != Ordinal::Feminine && ordinal != Ordinal::Neuter && script.say_if_shipped(&stem);
    if !shipped {
        let mut masculine = Script::new(script.language());
        masculine.say(&format!("ordinal-{part}"));
        script.words(inflected(&masculine.spoken(), ordinal));
    }
}

/// Another form of a masculine adjective: «первый» — «первая», «третий» — «третья», «синий» — «синяя». What is no
/// adjective stays.
pub(super) fn inflected(masculine: &str, form: Ordinal) -> String {
    let (stem, endings) = if let Some(stem) = masculine.strip_suffix("третий") {
        (format!("{stem}трет"), ["ий", "ья", "ье", "ьего"])
    } else if let Some(stem) = masculine.strip_suffix("ний") {
        (format!("{stem}н"), ["ий", "яя", "ее", "его"])
    } else if let Some(stem) = masculine.strip_suffix("ый").or_else(|| masculine.strip_suffix("ой")) {
        let own = if masculine.ends_with("ый") { "ый" } else { "ой" };
        (stem.to_owned(), [own, "ая", "ое", "ого"])
    } else if let Some(stem) = masculine.strip_suffix("ий") {
        (stem.to_owned(), ["ий", "ая", "ое", "ого"])
    } else {
        return masculine.to_owned();
    };
    let [own, feminine, neuter, genitive] = endings;
    let ending = match form {
        Ordinal::Masculine => own,
        Ordinal::Feminine => feminine,
        Ordinal::Neuter => neuter,
        Ordinal::Genitive => genitive,
    };
    stem + ending
}

/// A day of the year: «двадцать третьего мая». Days and months beyond the calendar are said as its last.
pub(super) fn date(script: &mut Script, day: u8, month: u8) {
    ordinal(script, Number::small(day.clamp(1, 31)), Ordinal::Genitive);
    script.say(&format!("month-{}", month.clamp(1, 12)));
}

/// A time of the day, as after «в»: «двадцать один час пять минут».
pub(super) fn time(script: &mut Script, hour: u8, minute: u8) {
    time_in(script, hour, minute, Case::Accusative);
}

/// The same in any case: «до двадцати одного часа».
pub(super) fn time_in(script: &mut Script, hour: u8, minute: u8, case: Case) {
    counted(script, Number::small(hour), Noun::Hour, case);
    if minute > 0 {
        counted(script, Number::small(minute), Noun::Minute, case);
    }
}

#[cfg(test)]
mod tests;
