use super::*;
use crate::speech::testing::check;

fn car(make: &str, model: &str, colour: &str) -> Car {
    Car { make: make.into(), model: model.into(), colour: colour.into(), ..Car::default() }
}

fn described(car: &Car, noun: bool, language: Language) -> String {
    let mut script = Script::new(language);
    describe(&mut script, car, noun);
    script.text()
}

#[test]
fn known_cars_are_told_with_the_gender_of_their_make() {
    let cases = [
        (car("Toyota", "Camry", "белый"), "белая Тойота Камри", "white Toyota Camry"),
        (car("тойота", "КАМРИ", "Белая"), "белая Тойота Камри", "white Toyota Camry"),
        (car("Toyota Camry", "", "white"), "белая Тойота Камри", "white Toyota Camry"),
        (car("Hyundai", "Solaris", "чёрный"), "чёрный Хёндай Солярис", "black Hyundai Solaris"),
        (car("Хендэ", "Солярис", "черный"), "чёрный Хёндай Солярис", "black Hyundai Solaris"),
        (car("LADA (ВАЗ)", "Granta", "серебристый металлик"), "серебристая Лада Гранта", "silver Lada Granta"),
        (car("Лада", "Гранта", "т.синий"), "тёмно-синяя Лада Гранта", "dark blue Lada Granta"),
        (car("Lada", "Vesta SW", "Синий"), "синяя Лада Веста эс дубль вэ", "blue Lada Vesta SW"),
        (car("Mercedes-Benz", "E 200", "серый"), "серый Мерседес е двести", "grey Mercedes E two hundred"),
        (car("BMW", "X5", "чёрный"), "чёрная бэ эм вэ икс пять", "black B M W X five"),
        (car("Mazda", "CX-5", "красный"), "красная Мазда цэ икс пять", "red Mazda CX five"),
        (car("Mazda", "6", "красный"), "красная Мазда шесть", "red Mazda six"),
        (car("ВАЗ", "2114", "вишня"), "бордовая Лада двадцать один четырнадцать", "burgundy Lada twenty one fourteen"),
        (car("ВАЗ", "2107", "бел."), "белая Лада двадцать один ноль семь", "white Lada twenty one zero seven"),
        (car("Great Wall", "Hover", "золото"), "золотистый Грейт Волл ховер", "gold Great Wall Hover"),
        (car("Toyota", "RAV4", "белый"), "белая Тойота Рав четыре", "white Toyota Rav four"),
        (
            car("Toyota", "Land Cruiser 200", "белый"),
            "белая Тойота Лэнд Крузер двести",
            "white Toyota Land Cruiser two hundred",
        ),
        (car("Škoda", "Octavia", "голубой"), "голубая Шкода Октавия", "light blue Skoda Octavia"),
        (car("Volkswagen", "Polo", ""), "Фольксваген Поло", "Volkswagen Polo"),
        (car("", "", "белый"), "белая", "white"),
        (car("", "", ""), "", ""),
    ];
    check(&cases.clone().map(|(car, russian, _)| (car, russian)), |car| described(car, false, Language::Ru));
    check(&cases.map(|(car, _, english)| (car, english)), |car| described(car, false, Language::En));
}

#[test]
fn an_unknown_make_stands_beside_the_noun_and_an_unknown_colour_after_all() {
    let cases = [
        (car("Wuling", "", "белый"), "белая машина вулинг"),
        (car("Zeekr", "001", "чёрный"), "чёрная машина Зикр ноль ноль один"),
        (car("Lada", "", "малиновый"), "малиновая Лада"),
        (car("Ford", "", "малиновый"), "малиновый Форд"),
        (car("Ford", "Focus", "хамелеон"), "Форд Фокус, цвет хамелеон"),
        (car("", "", "пёстрый"), "пёстрая машина"),
        (car("", "", ""), "машина"),
        (car("🚕", "🚕", "🚕"), "машина"),
    ];
    check(&cases, |car| described(car, true, Language::Ru));
}

#[test]
fn every_make_and_model_of_the_dictionary_has_its_stress_and_agrees_with_its_sound() {
    for (kind, names) in [("make", makes()), ("model", models())] {
        for name in names.values() {
            let vowels = name.russian.chars().filter(|c| "аеёиоуыэюяАЕЁИОУЫЭЮЯ".contains(*c)).count();
            let stressed = name.russian.contains('\u{301}') || name.russian.contains(['ё', 'Ё']);
            // Of several short words each has but one vowel.
            let sure = vowels <= name.russian.split(' ').count() || stressed;
            assert!(sure, "{kind} {}: {} has no stress", name.stem, name.russian);
            assert!(!name.english.contains(|c: char| c.is_ascii_digit()), "{}", name.stem);
            for language in Language::ALL {
                if let Some(sound) = Fragment::named(&format!("{kind}-{}", name.stem), language) {
                    assert_eq!(sound.words(language), name.words(language), "{}", name.stem);
                }
            }
        }
    }
    assert!(makes().len() > 150 && models().len() > 250, "{} {}", makes().len(), models().len());
}

#[test]
fn no_spelling_means_two_names() {
    for (data, with_gender) in [(include_str!("../data/makes.txt"), true), (include_str!("../data/models.txt"), false)]
    {
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for (stem, rest) in lines(data) {
            for spelling in rest.split(';').skip(usize::from(with_gender)).flat_map(|field| field.split(',')) {
                if let Some(other) = seen.insert(key(spelling), stem) {
                    assert_eq!(other, stem, "«{spelling}» is written for two");
                }
            }
        }
    }
}

#[test]
fn each_colour_has_its_sounds_in_both_languages() {
    for stem in colours().values() {
        for (language, stem) in [
            (Language::Ru, format!("{stem}-m")),
            (Language::Ru, format!("{stem}-f")),
            (Language::En, (*stem).to_owned()),
        ] {
            assert!(Fragment::named(&format!("colour-{stem}"), language).is_some(), "{language}: {stem}");
        }
    }
}

#[test]
fn who_has_no_plate_is_known_by_the_callsign() {
    let told = |plate: &str, callsign: &str| {
        let car = Car { plate: plate.into(), callsign: callsign.into(), ..Car::default() };
        let mut script = Script::new(Language::Ru);
        number(&mut script, &car);
        script.text()
    };
    assert_eq!(told("А123ВС77", "31"), "номер а, сто двадцать три, вэ эс");
    assert_eq!(told("", "31"), "позывной тридцать один");
    assert_eq!(told(" - ", "Сокол 5"), "позывной Сокол пять");
    assert_eq!(told("", ""), "");
}

proptest::proptest! {
    #[test]
    fn whatever_is_written_of_a_car_leaves_no_digit_and_no_latin_letter(
        make in ".{0,20}", model in ".{0,20}", colour in ".{0,20}", plate in ".{0,12}", callsign in ".{0,6}",
    ) {
        let car = Car { make, model, colour, plate, callsign };
        let mut script = Script::new(Language::Ru);
        describe(&mut script, &car, true);
        number(&mut script, &car);
        let words = script.spoken();
        proptest::prop_assert!(!words.contains(|c: char| c.is_ascii_alphanumeric()), "{words}");
    }
}
