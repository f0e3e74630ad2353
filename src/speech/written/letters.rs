//! One alphabet in the letters of the other.

use crate::speech::phrase::Language;
use crate::speech::script::{STRESS, Script};
use crate::speech::{car, plate};

/// Whether a letter of one of the Cyrillic alphabets.
pub(super) fn is_cyrillic(sign: char) -> bool {
    matches!(sign, '\u{400}'..='\u{481}' | '\u{48a}'..='\u{52f}')
}

fn is_russian(sign: char) -> bool {
    matches!(sign, 'а'..='я' | 'А'..='Я' | 'ё' | 'Ё')
}

/// The plain Latin letters of a Latin letter with or without marks, in lower case unless it is a plain capital.
pub(super) fn latin(sign: char) -> Option<&'static str> {
    const PLAIN: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    if let Some(at) = PLAIN.find(sign) {
        return PLAIN.get(at..=at);
    }
    let small = sign.to_lowercase().next().unwrap_or(sign);
    Some(match small {
        'à'..='å' | 'ā' | 'ă' | 'ą' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'ċ' => "c",
        'č' => "ch",
        'ď' | 'đ' | 'ð' => "d",
        'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' | 'ə' => "e",
        'ğ' | 'ģ' | 'ġ' => "g",
        'ì'..='ï' | 'ī' | 'į' | 'ı' => "i",
        'ķ' => "k",
        'ł' | 'ļ' | 'ľ' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ő' => "o",
        'œ' => "oe",
        'ŕ' | 'ř' => "r",
        'ś' | 'ş' | 'ș' => "s",
        'š' => "sh",
        'ß' => "ss",
        'ť' | 'ţ' | 'ț' => "t",
        'þ' => "th",
        'ù'..='ü' | 'ū' | 'ů' | 'ű' | 'ų' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' => "z",
        'ž' => "zh",
        _ => return None,
    })
}

/// A word of any alphabet in Russian letters.
pub(super) fn russian_word(word: &str) -> String {
    if !word.chars().any(|c| latin(c).is_some()) {
        return cyrillic_word(word);
    }
    if word.chars().any(is_cyrillic) {
        return cyrillic_word(&mixed_word(word));
    }
    if let Some(known) = car::known_name(word, Language::Ru) {
        return known.to_owned();
    }
    let plain = plain_latin(word);
    if is_spelt(&plain) { spelt(&plain, Language::Ru) } else { of_latin(&plain.to_lowercase()) }
}

/// A word typed with the wrong keyboard («Cаша» with a Latin C): Latin letters that look like Cyrillic ones are meant as
/// those, the others are transliterated.
fn mixed_word(word: &str) -> String {
    let mut said = String::new();
    let mut run = String::new();
    for sign in word.chars() {
        match (look_alike(sign), latin(sign)) {
            (None, Some(plain)) => run.push_str(plain),
            (meant, _) => {
                said.push_str(&of_latin(&std::mem::take(&mut run).to_lowercase()));
                said.push(meant.unwrap_or(sign));
            }
        }
    }
    said + &of_latin(&run.to_lowercase())
}

fn look_alike(sign: char) -> Option<char> {
    const LATIN: &str = "aceopxyABCEHKMOPTXY";
    const CYRILLIC: &str = "асеорхуАВСЕНКМОРТХУ";
    LATIN.chars().zip(CYRILLIC.chars()).find(|(latin, _)| *latin == sign).map(|(_, cyrillic)| cyrillic)
}

/// A word in Latin letters without marks.
fn plain_latin(word: &str) -> String {
    word.chars().filter_map(latin).collect()
}

/// Whether letters are read one by one: abbreviations (VIP is a word, BMW is none).
fn is_spelt(plain: &str) -> bool {
    let vowels = plain.contains(|c: char| "aeiouyAEIOUY".contains(c));
    plain.len() == 1 || (!vowels && plain.len() <= 5)
}

fn spelt(letters: &str, language: Language) -> String {
    let mut script = Script::new(language);
    letters.chars().for_each(|letter| plate::letter(&mut script, letter));
    script.spoken()
}

/// A Cyrillic word in Russian letters; a short one of capitals without a vowel is spelt («ТЦ»).
fn cyrillic_word(word: &str) -> String {
    let russian: String = word.chars().map(of_other_cyrillic).collect();
    let russian: String = russian.chars().filter(|c| is_russian(*c) || *c == STRESS).collect();
    let capitals = russian.chars().all(char::is_uppercase) && (2..=5).contains(&russian.chars().count());
    if capitals && !russian.contains(|c: char| "АЕЁИОУЫЭЮЯ".contains(c)) {
        return spelt(&russian, Language::Ru);
    }
    stress_on_vowels_only(&russian)
}

/// A stress mark that follows no vowel would be read as something else.
fn stress_on_vowels_only(word: &str) -> String {
    let mut said = String::with_capacity(word.len());
    for sign in word.chars() {
        if sign != STRESS || said.ends_with(|c: char| "аеёиоуыэюяАЕЁИОУЫЭЮЯ".contains(c)) {
            said.push(sign);
        }
    }
    said
}

/// The nearest Russian letter to one of a neighbour's alphabet.
fn of_other_cyrillic(sign: char) -> char {
    match sign {
        'і' | 'ї' => 'и',
        'І' | 'Ї' => 'И',
        'є' | 'ѐ' => 'е',
        'Є' => 'Е',
        'ґ' | 'ғ' | 'ѓ' => 'г',
        'Ґ' | 'Ғ' => 'Г',
        'ў' | 'ү' | 'ұ' => 'у',
        'Ў' | 'Ү' | 'Ұ' => 'У',
        'қ' | 'ҡ' | 'ќ' => 'к',
        'Қ' | 'Ҡ' => 'К',
        'ң' | 'ҥ' | 'њ' => 'н',
        'Ң' => 'Н',
        'ө' => 'о',
        'Ө' => 'О',
        'ә' => 'э',
        'Ә' => 'Э',
        'һ' | 'ҳ' => 'х',
        'Һ' | 'Ҳ' => 'Х',
        'җ' | 'ҷ' | 'џ' => 'ж',
        'Җ' => 'Ж',
        'ј' => 'й',
        'љ' => 'л',
        'ѕ' => 'с',
        other => other,
    }
}

/// Latin letters, lower case, as a Russian reads them. Longest spellings first.
const TO_RUSSIAN: [(&str, &str); 56] = [
    ("shch", "щ"),
    ("tsch", "ч"),
    ("sch", "ш"),
    ("sh", "ш"),
    ("ch", "ч"),
    ("zh", "ж"),
    ("kh", "х"),
    ("ph", "ф"),
    ("th", "т"),
    ("ck", "к"),
    ("ts", "ц"),
    ("yu", "ю"),
    ("ya", "я"),
    ("yo", "ё"),
    ("ye", "е"),
    ("iy", "ий"),
    ("ee", "и"),
    ("oo", "у"),
    ("ou", "ау"),
    ("qu", "кв"),
    ("ay", "эй"),
    ("ey", "ей"),
    ("oy", "ой"),
    ("ce", "се"),
    ("ci", "си"),
    ("cy", "си"),
    ("ai", "ай"),
    ("ei", "ей"),
    ("oi", "ой"),
    ("ui", "уй"),
    ("x", "кс"),
    ("a", "а"),
    ("b", "б"),
    ("c", "к"),
    ("d", "д"),
    ("e", "е"),
    ("f", "ф"),
    ("g", "г"),
    ("h", "х"),
    ("i", "и"),
    ("j", "дж"),
    ("k", "к"),
    ("l", "л"),
    ("m", "м"),
    ("n", "н"),
    ("o", "о"),
    ("p", "п"),
    ("q", "к"),
    ("r", "р"),
    ("s", "с"),
    ("t", "т"),
    ("u", "у"),
    ("v", "в"),
    ("w", "в"),
    ("y", "и"),
    ("z", "з"),
];

fn of_latin(lower: &str) -> String {
    let mut said = String::new();
    let mut rest = lower;
    while !rest.is_empty() {
        let found = TO_RUSSIAN.iter().find_map(|(latin, russian)| Some((rest.strip_prefix(latin)?, *russian)));
        let Some((after, russian)) = found else { break };
        // An «е» at the start of a foreign word is «э».
        said.push_str(if said.is_empty() && russian == "е" { "э" } else { russian });
        rest = after;
    }
    said
}

/// A word of any alphabet in plain Latin letters. Cyrillic as in passports (ICAO Doc 9303).
pub(super) fn english_word(word: &str) -> String {
    if word.chars().any(is_cyrillic)
        && let Some(known) = car::known_name(word, Language::En)
    {
        return known.to_owned();
    }
    word.chars().map(|sign| latin(sign).map_or_else(|| of_cyrillic(sign), str::to_owned)).collect()
}

fn of_cyrillic(sign: char) -> String {
    let russian = of_other_cyrillic(sign);
    let small = russian.to_lowercase().next().unwrap_or(russian);
    let latin = match small {
        'а' => "a",
        'б' => "b",
        'в' => "v",
        'г' => "g",
        'д' => "d",
        'е' | 'ё' | 'э' => "e",
        'ж' => "zh",
        'з' => "z",
        'и' | 'й' => "i",
        'к' => "k",
        'л' => "l",
        'м' => "m",
        'н' => "n",
        'о' => "o",
        'п' => "p",
        'р' => "r",
        'с' => "s",
        'т' => "t",
        'у' => "u",
        'ф' => "f",
        'х' => "kh",
        'ц' => "ts",
        'ч' => "ch",
        'ш' => "sh",
        'щ' => "shch",
        'ъ' => "ie",
        'ы' => "y",
        'ю' => "iu",
        'я' => "ia",
        _ => "",
    };
    let mut letters = latin.chars();
    match letters.next().filter(|_| russian.is_uppercase()) {
        Some(first) => first.to_ascii_uppercase().to_string() + letters.as_str(),
        None => latin.to_owned(),
    }
}
