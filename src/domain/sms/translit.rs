//! Russian in Latin letters, so that a text takes one message instead of two: as in Russian passports (ICAO Doc 9303,
//! part 3, section 6, table B, "Transliteration of Cyrillic characters"), which people know from their own names.

use super::super::search::PLATE_LETTERS;

/// The text in Latin letters. Plates keep their looks («А123ВС77» is "A123BC77", not "A123VS77"), typographic signs become
/// those of a keyboard; what is neither stays as it is.
#[must_use]
pub fn transliterate(text: &str) -> String {
    let mut latin = String::with_capacity(text.len());
    for word in text.split_inclusive(|sign: char| !sign.is_alphanumeric()) {
        let letters = word.trim_end_matches(|sign: char| !sign.is_alphanumeric());
        if is_plate(letters) {
            latin.extend(
                word.chars().map(|sign| as_looks(sign).unwrap_or(sign)).map(String::from).map(|sign| marks(&sign)),
            );
        } else {
            spell(word, &mut latin);
        }
    }
    latin
}

/// Capital letters that Latin has too, and digits: nothing but a plate is written so.
fn is_plate(word: &str) -> bool {
    word.chars().any(|sign| sign.is_ascii_digit())
        && word.chars().any(|sign| as_looks(sign).is_some())
        && word.chars().all(|sign| sign.is_ascii_alphanumeric() || as_looks(sign).is_some())
}

fn as_looks(letter: char) -> Option<char> {
    PLATE_LETTERS.iter().find(|(russian, _)| *russian == letter).map(|(_, latin)| *latin)
}

fn spell(word: &str, latin: &mut String) {
    let signs: Vec<char> = word.chars().collect();
    for (at, sign) in signs.iter().enumerate() {
        let Some(small) = passport(*sign) else {
            latin.push_str(&marks(&sign.to_string()));
            continue;
        };
        if !sign.is_uppercase() {
            latin.push_str(small);
            continue;
        }
        // «ЩУКА» is SHCHUKA, «Щука» is Shchuka.
        let neighbour = signs.get(at + 1).or_else(|| signs.get(at.wrapping_sub(1)));
        if neighbour.is_some_and(|neighbour| neighbour.is_uppercase()) {
            latin.push_str(&small.to_uppercase());
        } else {
            let mut letters = small.chars();
            latin.extend(letters.next().map(|first| first.to_ascii_uppercase()));
            latin.push_str(letters.as_str());
        }
    }
}

/// The letters of a Russian one, small; none for anything else.
fn passport(letter: char) -> Option<&'static str> {
    Some(match letter {
        'А' | 'а' => "a",
        'Б' | 'б' => "b",
        'В' | 'в' => "v",
        'Г' | 'г' => "g",
        'Д' | 'д' => "d",
        'Е' | 'е' | 'Ё' | 'ё' | 'Э' | 'э' => "e",
        'Ж' | 'ж' => "zh",
        'З' | 'з' => "z",
        'И' | 'и' | 'Й' | 'й' => "i",
        'К' | 'к' => "k",
        'Л' | 'л' => "l",
        'М' | 'м' => "m",
        'Н' | 'н' => "n",
        'О' | 'о' => "o",
        'П' | 'п' => "p",
        'Р' | 'р' => "r",
        'С' | 'с' => "s",
        'Т' | 'т' => "t",
        'У' | 'у' => "u",
        'Ф' | 'ф' => "f",
        'Х' | 'х' => "kh",
        'Ц' | 'ц' => "ts",
        'Ч' | 'ч' => "ch",
        'Ш' | 'ш' => "sh",
        'Щ' | 'щ' => "shch",
        'Ъ' | 'ъ' => "ie",
        'Ы' | 'ы' => "y",
        'Ь' | 'ь' => "",
        'Ю' | 'ю' => "iu",
        'Я' | 'я' => "ia",
        _ => return None,
    })
}

/// Typographic signs, which alone would make a message of 160 signs one of 70.
fn marks(sign: &str) -> String {
    match sign {
        "«" | "»" | "“" | "”" | "„" => "\"",
        "‘" | "’" => "'",
        "–" | "—" | "−" | "‐" | "‑" => "-",
        "…" => "...",
        "№" => "No",
        "₽" => "RUB",
        "\u{a0}" | "\u{202f}" | "\u{2009}" => " ",
        other => other,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::segment::Encoding;
    use super::*;

    #[test]
    fn russian_is_written_as_in_passports() {
        for (russian, latin) in [
            ("Вас ждёт белая Kia Rio, А123ВС77.", "Vas zhdet belaia Kia Rio, A123BC77."),
            ("Щукин и ЩУКИН, Юля, подъезд 5", "Shchukin i SHCHUKIN, Iulia, podieezd 5"),
            ("Я тут — «Ёлка» №3…", "Ia tut - \"Elka\" No3..."),
            ("ВС 77 и 5А, 2-й", "VS 77 i 5A, 2-i"),
            ("Объезд, съёмка, ОБЪЕЗД, Ь", "Obieezd, sieemka, OBIEEZD, "),
        ] {
            assert_eq!(transliterate(russian), latin);
        }
    }

    proptest! {
        #[test]
        fn russian_text_takes_the_narrow_alphabet(text in "[А-Яа-яЁё0-9 .,!?«»—–№…:;-]{0,200}") {
            let latin = transliterate(&text);
            prop_assert_eq!(Encoding::of(&latin), Encoding::Gsm7);
            prop_assert_eq!(transliterate(&latin), latin);
        }

        #[test]
        fn what_is_latin_stays_as_it_is(text in "[ -~\n]{0,200}") {
            prop_assert_eq!(transliterate(&text), text);
        }

        #[test]
        fn no_text_is_too_odd(text in "(?s).{0,100}") {
            let _ = transliterate(&text);
        }
    }
}
