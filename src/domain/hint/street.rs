//! Streets: what kind, which name, where; and how people write them.

use std::fmt::Write as _;

use crate::domain::search::fold;

/// What a street is called besides its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Улица.
    Street,
    /// Проспект.
    Avenue,
    /// Переулок.
    Lane,
    /// Проезд.
    Passage,
    /// Бульвар.
    Boulevard,
    /// Площадь.
    Square,
    /// Набережная.
    Embankment,
    /// Шоссе.
    Highway,
    /// Тупик.
    DeadEnd,
    /// Аллея.
    Alley,
    /// Линия.
    Line,
    /// Дорога.
    Road,
    /// Тракт.
    Track,
    /// Спуск.
    Descent,
    /// Квартал.
    Quarter,
    /// Микрорайон.
    Microdistrict,
    /// Территория: садовое товарищество, парк, вокзал.
    Territory,
    /// The kind stands inside the name: «Малый проспект Васильевского острова».
    Other,
}

/// How Russian adjectives in -ий, -ая, -ее agree with it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gender {
    Masculine,
    Feminine,
    Neuter,
}

struct Words {
    kind: Kind,
    /// As the database and the API call it.
    code: &'static str,
    /// As people are shown it.
    shown: &'static str,
    gender: Gender,
    /// Folded; those of the address classifier (GAR) and of everyday use.
    short: &'static [&'static str],
}

const fn words(
    kind: Kind,
    code: &'static str,
    shown: &'static str,
    gender: Gender,
    short: &'static [&'static str],
) -> Words {
    Words { kind, code, shown, gender, short }
}

static WORDS: [Words; 18] = [
    words(Kind::Street, "street", "улица", Gender::Feminine, &["ул", "у"]),
    words(Kind::Avenue, "avenue", "проспект", Gender::Masculine, &["пр", "пр т", "прт", "пр кт", "просп", "пркт"]),
    words(Kind::Lane, "lane", "переулок", Gender::Masculine, &["пер", "пер к", "п к"]),
    words(Kind::Passage, "passage", "проезд", Gender::Masculine, &["пр", "пр д", "прд", "пр зд", "прзд"]),
    words(Kind::Boulevard, "boulevard", "бульвар", Gender::Masculine, &["б р", "бр", "бул", "бульв"]),
    words(Kind::Square, "square", "площадь", Gender::Feminine, &["пл", "площ"]),
    words(Kind::Embankment, "embankment", "набережная", Gender::Feminine, &["наб"]),
    words(Kind::Highway, "highway", "шоссе", Gender::Neuter, &["ш", "шос"]),
    words(Kind::DeadEnd, "dead_end", "тупик", Gender::Masculine, &["туп", "т"]),
    words(Kind::Alley, "alley", "аллея", Gender::Feminine, &["ал", "алл"]),
    words(Kind::Line, "line", "линия", Gender::Feminine, &["лн", "лин"]),
    words(Kind::Road, "road", "дорога", Gender::Feminine, &["дор"]),
    words(Kind::Track, "track", "тракт", Gender::Masculine, &["тр", "тр т"]),
    words(Kind::Descent, "descent", "спуск", Gender::Masculine, &["сп", "с к"]),
    words(Kind::Quarter, "quarter", "квартал", Gender::Masculine, &["кв л", "кварт"]),
    words(Kind::Microdistrict, "microdistrict", "микрорайон", Gender::Masculine, &["мкр", "мкрн", "мкр н", "м н"]),
    words(Kind::Territory, "territory", "территория", Gender::Feminine, &["тер", "снт", "днт", "сот"]),
    words(Kind::Other, "other", "", Gender::Feminine, &[]),
];

impl Kind {
    fn words(self) -> Option<&'static Words> {
        WORDS.iter().find(|words| words.kind == self)
    }

    /// As the database and the API call it: `street`, `dead_end`, ….
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.words().map_or("other", |words| words.code)
    }

    /// Reads [`Kind::as_str`].
    #[must_use]
    pub fn parse(code: &str) -> Option<Kind> {
        WORDS.iter().find(|words| words.code == code).map(|words| words.kind)
    }

    /// The words that people are shown, of all kinds; folded they are the same.
    pub fn shown_words() -> impl Iterator<Item = &'static str> {
        WORDS.iter().map(|words| words.shown).filter(|word| !word.is_empty())
    }

    /// The word that people are shown; empty for [`Kind::Other`].
    #[must_use]
    pub fn word(self) -> &'static str {
        self.words().map_or("", |words| words.shown)
    }

    /// As people write it, in full or short: «улица», «пр-т», «пер.». «пр.» is two kinds.
    #[must_use]
    pub fn read(text: &str) -> Kinds {
        let text = fold(text);
        let fits = |words: &&Words| !text.is_empty() && (words.shown == text || words.short.contains(&text.as_str()));
        Kinds::of(WORDS.iter().filter(fits).map(|words| words.kind))
    }

    /// Kinds whose word begins so.
    #[must_use]
    pub(super) fn beginning_with(folded: &str) -> Kinds {
        Kinds::of(WORDS.iter().filter(|words| words.shown.starts_with(folded)).map(|words| words.kind))
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u32);

impl Kinds {
    fn of(kinds: impl Iterator<Item = Kind>) -> Kinds {
        Kinds(kinds.fold(0, |set, kind| set | 1 << kind as u32))
    }

    /// Has it none?
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Has it this one?
    #[must_use]
    pub fn has(self, kind: Kind) -> bool {
        self.0 & 1 << kind as u32 != 0
    }

    /// The most usual one.
    #[must_use]
    pub fn first(self) -> Option<Kind> {
        WORDS.iter().map(|words| words.kind).find(|kind| self.has(*kind))
    }
}

/// A street of a settlement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Street {
    /// City, town or village; empty when the office knows one only.
    pub settlement: String,
    /// What it is.
    pub kind: Kind,
    /// Its name without the kind.
    pub name: String,
}

/// Why a text is no street.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreetError {
    /// Nothing there.
    #[error("the street has no name")]
    NoName,
    /// Longer than any name is.
    #[error("a name of a street or settlement has at most {LONGEST} letters")]
    TooLong,
    /// Tabs, line ends and the like.
    #[error("the name holds a control character; is the file damaged, or its delimiter another one?")]
    Control,
}

/// Letters of a name at most.
pub const LONGEST: usize = 100;

impl Street {
    /// Reads a street as people, files and maps write it: «ул. Ленина», «Невский пр-т», «1-я Советская улица»,
    /// «Ленина» (a street).
    ///
    /// # Errors
    /// When there is no name, or one that cannot be.
    pub fn read(text: &str, settlement: &str) -> Result<Street, StreetError> {
        let settlement = tidy(settlement)?;
        let text = tidy(&text.replace('.', ". "))?;
        let parts: Vec<&str> = text.split(' ').collect();
        let at = |part: Option<&&str>| part.and_then(|part| Kind::read(part).first());
        let (first, last) = (at(parts.first()), at(parts.last()));
        let inside = parts
            .iter()
            .any(|part| Kind::beginning_with(&fold(part)).first().is_some_and(|kind| fold(part) == kind.word()));
        let (kind, name) = match (first, last) {
            _ if parts.len() == 1 => (Kind::Street, parts.as_slice()),
            // «Набережная улица» is a street; «набережная Обводного канала» is not.
            (Some(_), Some(kind @ (Kind::Street | Kind::Lane | Kind::Passage))) => (kind, all_but_last(&parts)),
            (Some(kind), _) => (kind, parts.get(1..).unwrap_or_default()),
            (None, Some(kind)) => (kind, all_but_last(&parts)),
            (None, None) if inside => (Kind::Other, parts.as_slice()),
            (None, None) => (Kind::Street, parts.as_slice()),
        };
        let name = name.join(" ");
        if fold(&name).is_empty() {
            return Err(StreetError::NoName);
        }
        Ok(Street { settlement, kind, name })
    }

    /// As it is shown: «улица Ленина», «Советская улица», «Невский проспект».
    #[must_use]
    pub fn title(&self) -> String {
        match self.kind.words() {
            None => self.name.clone(),
            Some(words) if words.shown.is_empty() => self.name.clone(),
            Some(words) if agrees(&self.name, words.gender) => format!("{} {}", self.name, words.shown),
            Some(words) => format!("{} {}", words.shown, self.name),
        }
    }

    /// What two ways to write one street have in common.
    #[must_use]
    pub fn key(&self) -> String {
        let mut key = fold(&self.settlement);
        // Writing into a String cannot fail.
        let _ = write!(key, "|{}|{}", self.kind.as_str(), tokens(&fold(&self.name)).join(" "));
        key
    }
}

fn all_but_last<'a>(parts: &'a [&'a str]) -> &'a [&'a str] {
    parts.split_last().map_or(&[], |(_, rest)| rest)
}

/// Without spaces that nobody meant.
fn tidy(text: &str) -> Result<String, StreetError> {
    if text.chars().any(|letter| letter.is_control() && !letter.is_whitespace()) {
        return Err(StreetError::Control);
    }
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.trim_matches([' ', ',', ';']).to_owned();
    if text.chars().count() > LONGEST { Err(StreetError::TooLong) } else { Ok(text) }
}

/// The name ends in an adjective that agrees with the kind, so it stands before it: «Советская улица».
fn agrees(name: &str, gender: Gender) -> bool {
    let name = fold(name);
    let endings: &[&str] = match gender {
        Gender::Masculine => &["ий", "ый", "ой", "й"],
        Gender::Feminine => &["ая", "яя", "я"],
        Gender::Neuter => &["ое", "ее", "е"],
    };
    let last = name.rsplit(' ').next().unwrap_or_default();
    let ordinal = last.chars().count() == 1;
    endings
        .iter()
        .any(|ending| if ending.chars().count() == 1 { ordinal && last == *ending } else { last.ends_with(ending) })
}

/// The words of folded text as names are compared by: digits apart from letters, endings of ordinals left out
/// («1-я», «1я» and «1» are one word).
#[must_use]
pub(super) fn tokens(folded: &str) -> Vec<String> {
    const ENDINGS: [&str; 11] = ["я", "й", "е", "ая", "ый", "ой", "ий", "ое", "ые", "го", "ья"];
    let mut tokens: Vec<String> = Vec::new();
    for word in folded.split(' ').filter(|word| !word.is_empty()) {
        let mut digits: Option<bool> = None;
        for letter in word.chars() {
            let digit = letter.is_ascii_digit();
            match tokens.last_mut() {
                Some(token) if digits == Some(digit) => token.push(letter),
                _ => tokens.push(letter.to_string()),
            }
            digits = Some(digit);
        }
    }
    let number = |token: Option<&String>| token.is_some_and(|token| token.starts_with(|c: char| c.is_ascii_digit()));
    let mut kept = Vec::with_capacity(tokens.len());
    for token in tokens {
        if !(number(kept.last()) && ENDINGS.contains(&token.as_str())) {
            kept.push(token);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Kind, String, String) {
        let street = Street::read(text, "Примерск").unwrap();
        (street.kind, street.name.clone(), street.title())
    }

    #[test]
    fn a_street_is_read_however_its_kind_is_written() {
        for (text, kind, name, title) in [
            ("ул. Ленина", Kind::Street, "Ленина", "улица Ленина"),
            ("ул.Ленина", Kind::Street, "Ленина", "улица Ленина"),
            ("Ленина", Kind::Street, "Ленина", "улица Ленина"),
            ("Советская ул.", Kind::Street, "Советская", "Советская улица"),
            ("Невский пр-т", Kind::Avenue, "Невский", "Невский проспект"),
            ("пр. Мира", Kind::Avenue, "Мира", "проспект Мира"),
            ("пер. Степной", Kind::Lane, "Степной", "Степной переулок"),
            ("1-я  Советская улица", Kind::Street, "1-я Советская", "1-я Советская улица"),
            ("2-я линия", Kind::Line, "2-я", "2-я линия"),
            ("шоссе Энтузиастов", Kind::Highway, "Энтузиастов", "шоссе Энтузиастов"),
            ("Рязанское ш.", Kind::Highway, "Рязанское", "Рязанское шоссе"),
            ("Набережная улица", Kind::Street, "Набережная", "Набережная улица"),
            ("улица Набережная", Kind::Street, "Набережная", "Набережная улица"),
            ("наб. реки Мойки", Kind::Embankment, "реки Мойки", "набережная реки Мойки"),
            ("мкр-н Северный", Kind::Microdistrict, "Северный", "Северный микрорайон"),
            (
                "Малый проспект Васильевского острова",
                Kind::Other,
                "Малый проспект Васильевского острова",
                "Малый проспект Васильевского острова",
            ),
        ] {
            assert_eq!(read(text), (kind, name.to_owned(), title.to_owned()), "{text}");
        }
    }

    #[test]
    fn one_street_has_one_key() {
        let key = |text: &str| Street::read(text, "Примерск").unwrap().key();
        assert_eq!(key("ул. 1-я Советская"), key("1я  советская улица"));
        assert_eq!(key("Берёзовая"), key("улица Березовая"));
        assert_ne!(key("ул. Ленина"), key("пр-т Ленина"));
        assert_ne!(key("ул. Ленина"), Street::read("ул. Ленина", "Другой").unwrap().key());
    }

    #[test]
    fn what_is_no_street_is_refused() {
        assert_eq!(Street::read("  ", ""), Err(StreetError::NoName));
        assert_eq!(Street::read("ул. —", ""), Err(StreetError::NoName));
        assert_eq!(Street::read("Ленина\u{0}", ""), Err(StreetError::Control));
        assert_eq!(Street::read(&"я".repeat(101), ""), Err(StreetError::TooLong));
    }

    #[test]
    fn every_kind_is_read_back_from_its_code_and_its_word() {
        for words in &WORDS {
            assert_eq!(Kind::parse(words.kind.as_str()), Some(words.kind));
            assert_eq!(words.kind.word(), words.shown);
            assert!(words.shown.is_empty() || Kind::read(words.shown).has(words.kind));
        }
        assert_eq!(Kind::parse("street "), None);
        assert!(Kind::read("пр.").has(Kind::Avenue) && Kind::read("пр.").has(Kind::Passage));
    }

    #[test]
    fn numbers_stand_apart_and_lose_the_endings_of_ordinals() {
        assert_eq!(tokens("1 я советская"), ["1", "советская"]);
        assert_eq!(tokens("1я советская"), ["1", "советская"]);
        assert_eq!(tokens("50 лет октября"), ["50", "лет", "октября"]);
        assert_eq!(tokens("12к2"), ["12", "к", "2"]);
    }
}
