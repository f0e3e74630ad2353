//! Cars: colours, makes and models as people write them, and as they are said.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::fragment::Fragment;
use super::phrase::Language;
use super::plate::{self, Region};
use super::ru::{Gender, Ordinal, inflected};
use super::script::Script;
use super::written;
use crate::domain::address::Car;
use crate::domain::search::{canonical_plate, russian_plate};

/// A name of the dictionary.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Name {
    stem: &'static str,
    feminine: bool,
    russian: &'static str,
    english: &'static str,
}

impl Name {
    fn words(&self, language: Language) -> &'static str {
        language.pick(self.russian, self.english)
    }

    /// Says it, by its sound if there is one.
    fn say(&self, script: &mut Script, kind: &str) {
        if !script.say_if_shipped(&format!("{kind}-{}", self.stem)) {
            script.words(self.words(script.language()));
        }
    }
}

type Names = BTreeMap<String, Name>;

fn makes() -> &'static Names {
    static MAKES: LazyLock<Names> = LazyLock::new(|| names(include_str!("data/makes.txt"), true));
    &MAKES
}

fn models() -> &'static Names {
    static MODELS: LazyLock<Names> = LazyLock::new(|| names(include_str!("data/models.txt"), false));
    &MODELS
}

/// Spelling to the stem of a colour.
fn colours() -> &'static BTreeMap<String, &'static str> {
    static COLOURS: LazyLock<BTreeMap<String, &str>> = LazyLock::new(|| {
        let mut colours = BTreeMap::new();
        for (stem, spellings) in lines(include_str!("data/colours.txt")) {
            let forms = [(Language::Ru, "-m"), (Language::Ru, "-f"), (Language::En, "")];
            let shipped = forms.into_iter().filter_map(|(language, ending)| {
                Some(Fragment::named(&format!("colour-{stem}{ending}"), language)?.words(language))
            });
            colours.extend(spellings.split(',').chain(shipped).map(|spelling| (key(spelling), stem)));
        }
        colours
    });
    &COLOURS
}

/// The lines `stem: rest` of a data file.
fn lines(data: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    data.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(": "))
}

fn names(data: &'static str, with_gender: bool) -> Names {
    let mut names = Names::new();
    for (stem, rest) in lines(data) {
        let mut fields = rest.split(';').map(str::trim);
        let feminine = with_gender && fields.next() == Some("f");
        let (Some(russian), Some(english)) = (fields.next(), fields.next()) else { continue };
        let name = Name { stem, feminine, russian, english };
        let spellings = fields.next().unwrap_or_default().split(',');
        for spelling in spellings.chain([stem, russian, english]) {
            names.insert(key(spelling), name.clone());
        }
    }
    names
}

/// What two spellings of one name have in common: «Mercedes-Benz» and "mercedes benz", «Чёрный» and «черный».
fn key(spelling: &str) -> String {
    let letters = spelling.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase);
    letters.map(|c| if c == 'ё' { 'е' } else { c }).collect()
}

/// The make and what is left for the model: offices write «Toyota Camry» into either field.
fn recognise(car: &Car) -> (Option<&'static Name>, String) {
    let all = format!("{} {}", car.make, car.model);
    let words: Vec<&str> = all.split_whitespace().collect();
    // The longest name first: «Great Wall Hover».
    let found = (1..=words.len().min(3)).rev().find_map(|count| {
        let (make, model) = words.split_at_checked(count)?;
        Some((makes().get(&key(&make.concat()))?, model))
    });
    match found {
        Some((make, model)) => (Some(make), model.join(" ")),
        None => (None, all.trim().to_owned()),
    }
}

/// Adds colour, make and model. With `noun` a make without a sound stands beside «машина», so that the fragments alone
/// are a sentence too. Says nothing where nothing is known and no noun is asked for.
pub(super) fn describe(script: &mut Script, car: &Car, noun: bool) {
    let language = script.language();
    let (make, model) = recognise(car);
    let shipped = make.filter(|make| Fragment::named(&format!("make-{}", make.stem), language).is_some());
    let noun = noun && shipped.is_none() && language == Language::Ru;
    let masculine = !noun && make.is_some_and(|make| !make.feminine);
    let told = colour(script, &car.colour, if masculine { Gender::Masculine } else { Gender::Feminine });
    if noun {
        script.say("car");
    }
    if let Some(make) = make {
        make.say(script, "make");
    }
    model_name(script, &model);
    if let (false, Some(colour)) = (told, written::name(&car.colour, language)) {
        if !script.is_empty() {
            script.words(",");
        }
        script.words(language.pick(format!("цвет {colour}"), format!("colour {colour}")));
    }
}

fn model_name(script: &mut Script, model: &str) {
    let words: Vec<&str> = model.split_whitespace().collect();
    let known = (1..=words.len().min(3)).rev().find_map(|count| {
        let (name, rest) = words.split_at_checked(count)?;
        Some((models().get(&key(&name.concat()))?, rest.join(" ")))
    });
    let language = script.language();
    let rest = match known {
        Some((name, rest)) => {
            name.say(script, "model");
            rest
        }
        None => model.to_owned(),
    };
    if rest.len() == 4 && rest.bytes().all(|b| b.is_ascii_digit()) {
        // «двадцать один четырнадцать», as the factory's numbers are said.
        plate::in_pairs(&rest).into_iter().for_each(|pair| plate::group(script, pair));
    } else {
        script.words(written::name(&rest, language).unwrap_or_default());
    }
}

/// Adds a colour before its car; false where it is unknown or no adjective.
fn colour(script: &mut Script, written: &str, gender: Gender) -> bool {
    if written.trim().is_empty() {
        return true;
    }
    let plain = plain_colour(written);
    let language = script.language();
    let ending = match (language, gender) {
        (Language::En, _) => "",
        (Language::Ru, Gender::Masculine) => "-m",
        (Language::Ru, Gender::Feminine | Gender::Neuter) => "-f",
    };
    if let Some(stem) = colours().get(&key(&plain)) {
        script.say(&format!("colour-{stem}{ending}"));
        return true;
    }
    let form = match gender {
        Gender::Masculine => Ordinal::Masculine,
        Gender::Feminine | Gender::Neuter => Ordinal::Feminine,
    };
    let plain = plain.trim();
    let is_adjective = language == Language::Ru && is_adjective(plain);
    match written::name(plain, language).filter(|_| is_adjective || language == Language::En) {
        Some(adjective) => script.words(inflected(&adjective, form)),
        None => return false,
    }
    true
}

/// The colour without what makes no difference to who looks for the car.
fn plain_colour(written: &str) -> String {
    written.to_lowercase().replace("металлик", "").replace("metallic", "").replace("цвет", "")
}

fn is_adjective(colour: &str) -> bool {
    ["ый", "ий", "ой"].iter().any(|ending| colour.ends_with(ending))
}

/// The car in writing, with names as the office writes them: «белая Kia Rio», «чёрный УАЗ», «белая машина»; empty where
/// nothing is known.
pub(super) fn in_writing(car: &Car, language: Language) -> String {
    let (make, _) = recognise(car);
    let mut name = [car.make.trim(), car.model.trim()].join(" ").trim().to_owned();
    if make.is_none() && !(name.is_empty() && car.colour.trim().is_empty()) {
        name = language.pick(format!("машина {name}"), if name.is_empty() { "car".to_owned() } else { name });
    }
    let form = if make.is_some_and(|make| !make.feminine) { Ordinal::Masculine } else { Ordinal::Feminine };
    let plain = plain_colour(&car.colour);
    let plain = plain.trim();
    let ending = match (language, form) {
        (Language::En, _) => "",
        (Language::Ru, Ordinal::Masculine) => "-m",
        (Language::Ru, Ordinal::Feminine | Ordinal::Neuter | Ordinal::Genitive) => "-f",
    };
    let known =
        colours().get(&key(plain)).and_then(|stem| Fragment::named(&format!("colour-{stem}{ending}"), language));
    let colour = match known {
        Some(fragment) => fragment.words(language).replace(super::script::STRESS, ""),
        None if language == Language::Ru && is_adjective(plain) => inflected(plain, form),
        None if plain.is_empty() => String::new(),
        None => return format!("{}, {} {plain}", name.trim(), language.pick("цвет", "colour")),
    };
    format!("{colour} {}", name.trim()).trim().to_owned()
}

/// Its plate in writing, in the letters of the language's readers; where it has none the callsign of its crew; empty
/// where nothing is known.
pub(super) fn number_in_writing(car: &Car, language: Language) -> String {
    let plate = canonical_plate(&car.plate);
    match (plate.is_empty(), car.callsign.trim()) {
        (false, _) => language.pick(russian_plate(&plate), plate),
        (true, "") => String::new(),
        (true, callsign) => format!("{} {callsign}", language.pick("позывной", "callsign")),
    }
}

/// Adds the car's plate; where it has none, the callsign of its crew.
pub(super) fn number(script: &mut Script, car: &Car) {
    let language = script.language();
    let mut read = Script::new(language);
    let has_plate = plate::plate(&mut read, &car.plate, Region::Left);
    if !has_plate {
        read.words(written::name(&car.callsign, language).unwrap_or_default());
        if read.is_empty() {
            return;
        }
    }
    script.say(if has_plate { "plate-number" } else { "callsign" });
    script.append(read);
}

/// The dictionary's word for a name of a car, with its stress: for free text that names one.
pub(super) fn known_name(word: &str, language: Language) -> Option<&'static str> {
    let key = key(word);
    makes().get(&key).or_else(|| models().get(&key)).map(|name| name.words(language))
}

#[cfg(test)]
mod tests;
