//! Text as search sees it: letter case, «ё», punctuation and the keyboard's layout do not matter.

/// One form for all ways to write the same words: small letters, «ё» as «е», every run of anything that is neither
/// letter nor digit as one space, none at the ends.
///
/// Letters that came apart into a letter and a mark (macOS writes file names and some pages so) are joined again:
/// without that «й» would be found by some people only. Apostrophes vanish: «О'Генри» is one word.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut gap = false;
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            '\u{306}' if folded.ends_with('и') && !gap => {
                folded.pop();
                folded.push('й');
            }
            '\u{300}'..='\u{36f}' | '\'' | '’' | 'ʼ' | '`' => {}
            'ё' => push(&mut folded, &mut gap, 'е'),
            letter if letter.is_alphanumeric() => push(&mut folded, &mut gap, letter),
            _ => gap = true,
        }
    }
    folded
}

fn push(folded: &mut String, gap: &mut bool, letter: char) {
    if *gap && !folded.is_empty() {
        folded.push(' ');
    }
    *gap = false;
    folded.push(letter);
}

/// The keys of both layouts, in pairs: what a key gives on QWERTY and on ЙЦУКЕН (Windows and Linux alike).
const KEYS: [(char, char); 33] = [
    ('q', 'й'),
    ('w', 'ц'),
    ('e', 'у'),
    ('r', 'к'),
    ('t', 'е'),
    ('y', 'н'),
    ('u', 'г'),
    ('i', 'ш'),
    ('o', 'щ'),
    ('p', 'з'),
    ('[', 'х'),
    (']', 'ъ'),
    ('a', 'ф'),
    ('s', 'ы'),
    ('d', 'в'),
    ('f', 'а'),
    ('g', 'п'),
    ('h', 'р'),
    ('j', 'о'),
    ('k', 'л'),
    ('l', 'д'),
    (';', 'ж'),
    ('\'', 'э'),
    ('z', 'я'),
    ('x', 'ч'),
    ('c', 'с'),
    ('v', 'м'),
    ('b', 'и'),
    ('n', 'т'),
    ('m', 'ь'),
    (',', 'б'),
    ('.', 'ю'),
    ('`', 'ё'),
];
/// What Shift makes of the keys that are no letters on QWERTY.
const SHIFTED: [(char, char); 7] = [('{', 'х'), ('}', 'ъ'), (':', 'ж'), ('"', 'э'), ('<', 'б'), ('>', 'ю'), ('~', 'ё')];

/// The same keys pressed with the other layout on: «ghbvth» is «пример», «руддщ» is «hello». In small letters.
///
/// The direction is that of the greater part of the letters; text without letters stays as it is.
#[must_use]
pub fn other_layout(text: &str) -> String {
    let count = |like: fn(char) -> bool| text.chars().filter(|letter| like(*letter)).count();
    let to_russian = count(|letter| letter.is_ascii_alphabetic()) >= count(is_russian);
    if !text.chars().any(|letter| letter.is_ascii_alphabetic() || is_russian(letter)) {
        return text.to_owned();
    }
    text.chars().flat_map(char::to_lowercase).map(|letter| on_other_key(letter, to_russian)).collect()
}

fn is_russian(letter: char) -> bool {
    matches!(letter, 'а'..='я' | 'А'..='Я' | 'ё' | 'Ё')
}

fn on_other_key(letter: char, to_russian: bool) -> char {
    let mut keys = KEYS.iter().chain(&SHIFTED);
    let other = if to_russian {
        keys.find(|(latin, _)| *latin == letter).map(|(_, russian)| *russian)
    } else {
        keys.find(|(_, russian)| *russian == letter).map(|(latin, _)| *latin)
    };
    other.unwrap_or(letter)
}

/// What may have been meant by typed text, folded, the likeliest first: as it stands, then with the other layout.
#[must_use]
pub fn readings(typed: &str) -> Vec<String> {
    let mut readings = vec![fold(typed)];
    let other = fold(&other_layout(typed));
    if !readings.contains(&other) {
        readings.push(other);
    }
    readings.retain(|reading| !reading.is_empty());
    readings
}

/// A number plate in one form: Latin capitals and digits only. Russian plates use just the twelve letters that look
/// the same in both alphabets (GOST R 50577), and people type either.
#[must_use]
pub fn canonical_plate(text: &str) -> String {
    let letters = text.chars().flat_map(char::to_uppercase).filter(|letter| letter.is_alphanumeric());
    letters
        .map(|letter| PLATE_LETTERS.iter().find(|(russian, _)| *russian == letter).map_or(letter, |(_, latin)| *latin))
        .collect()
}

/// A canonical plate as it is shown to Russian readers: «А123ВС77».
#[must_use]
pub fn russian_plate(canonical: &str) -> String {
    let latin =
        |letter: char| PLATE_LETTERS.iter().find(|(_, latin)| *latin == letter).map_or(letter, |(russian, _)| *russian);
    canonical.chars().map(latin).collect()
}

/// The letters of Russian plates (GOST R 50577), those that Latin has too: Cyrillic, Latin.
pub const PLATE_LETTERS: [(char, char); 12] = [
    ('А', 'A'),
    ('В', 'B'),
    ('Е', 'E'),
    ('К', 'K'),
    ('М', 'M'),
    ('Н', 'H'),
    ('О', 'O'),
    ('Р', 'P'),
    ('С', 'C'),
    ('Т', 'T'),
    ('У', 'Y'),
    ('Х', 'X'),
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn letter_case_yo_and_punctuation_do_not_matter() {
        assert_eq!(fold("  Алёна  СЕМЁНОВА-Тян-Шанская, «О'Генри» №7 "), "алена семенова тян шанская огенри 7");
        assert_eq!(fold("Ростов-на-Дону"), fold("ростов на дону"));
        assert_eq!(fold("—.,!"), "");
    }

    #[test]
    fn letters_that_came_apart_are_joined() {
        assert_eq!(fold("Троицкии\u{306} Зае\u{308}цкии\u{306}"), "троицкий заецкий");
        assert_eq!(fold("И\u{306}од"), "йод");
    }

    #[test]
    fn the_wrong_layout_is_read_in_both_directions() {
        assert_eq!(other_layout("ghbvth"), "пример");
        assert_eq!(other_layout("<jkmifz {jlsyrf"), "большая ходынка");
        assert_eq!(other_layout("руддщ"), "hello");
        assert_eq!(other_layout("12/3"), "12/3");
        assert_eq!(readings("ghbdtn"), ["ghbdtn", "привет"]);
        assert_eq!(readings("123"), ["123"]);
        assert_eq!(readings("'kmdbhf")[1], "эльвира");
        assert!(readings(" - ").is_empty());
    }

    #[test]
    fn a_plate_is_one_plate_in_both_alphabets() {
        for text in ["а123вс77", "A123BC77", "А 123 ВС 77", "a123вc-77"] {
            assert_eq!(canonical_plate(text), "A123BC77", "{text}");
        }
        assert_eq!(russian_plate("A123BC77"), "А123ВС77");
        assert_eq!(canonical_plate("Ж1"), "Ж1");
    }

    proptest! {
        #[test]
        fn folding_what_is_folded_changes_nothing(text in ".{0,40}") {
            // A letter whose small form is several may fold further; all that is typed at a desk does not.
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn keys_pressed_twice_with_the_other_layout_give_the_same_word(text in "[авгдезийк-уцчшщыья]{1,20}") {
            prop_assert_eq!(other_layout(&other_layout(&text)), text);
        }

        #[test]
        fn a_canonical_plate_stays_as_it_is(text in "[a-zа-я0-9 -]{0,12}") {
            let once = canonical_plate(&text);
            prop_assert_eq!(canonical_plate(&russian_plate(&once)), once);
        }
    }
}
