use super::*;
use crate::speech::testing::check;

#[test]
fn russian_numbers_agree_with_what_stands_about_them() {
    let cases = [
        ("Нажмите 1", "Нажмите один"),
        ("через 1 мин.", "через одну минуту."),
        ("через 1 минуту", "через одну минуту"),
        ("2 минуты", "две минуты"),
        ("21 мин", "двадцать одна минута"),
        ("от 5 до 10 минут", "от пяти до десяти минут"),
        ("до 2 минут", "до двух минут"),
        ("за 3 ч", "за три часа"),
        ("24 часа", "двадцать четыре часа"),
        ("5 руб.", "пять рублей."),
        ("от 99 руб.", "от девяноста девяти рублей."),
        ("101 рубль", "сто один рубль"),
        ("1₽", "один рубль"),
        ("22 коп.", "двадцать две копейки."),
        ("199.90 руб.", "сто девяносто девять рублей девяносто копеек."),
        ("150,00 руб", "сто пятьдесят рублей"),
        ("10 000 руб.", "десять тысяч рублей."),
        ("1 250 000 руб.", "один миллион двести пятьдесят тысяч рублей."),
        ("3,5 км", "три запятая пять километра"),
        ("скидка 5%", "скидка пять процентов"),
        ("21 машина", "двадцать одна машина"),
        ("2 машины", "две машины"),
        ("5 тыс. руб", "пять тысяч рублей"),
        ("№ 7", "номер семь"),
        ("12/3", "двенадцать дробь три"),
        ("007", "ноль ноль семь"),
        ("1234567890123", "сто двадцать три, сорок пять, шестьдесят семь, восемьдесят девять, ноль один, двадцать три"),
        ("1-я машина", "первая машина"),
        ("3-й подъезд", "третий подъезд"),
        ("2-е место", "второе место"),
        ("9-го мая", "девятого мая"),
        ("8 марта", "восьмого марта"),
        ("31.12", "тридцать первого декабря"),
        ("01.05.2026", "первого мая две тысячи двадцать шестого года"),
        ("9:05", "девять часов пять минут"),
        ("в 15:30", "в пятнадцать часов тридцать минут"),
        ("с 9:00 до 21:00", "с девяти часов до двадцати одного часа"),
        ("0:00", "ноль часов"),
        ("+7 (921) 123-45-67", "плюс семь, девятьсот двадцать один, сто двадцать три, сорок пять, шестьдесят семь"),
        ("8 921 123 45 67", "восемь, девятьсот двадцать один, сто двадцать три, сорок пять, шестьдесят семь"),
        ("88001000505", "восемь, восемьсот, сто, ноль пять, ноль пять"),
        ("55-12-30", "пятьдесят пять, двенадцать, тридцать"),
        ("223-32-22", "двести двадцать три, тридцать два, двадцать два"),
        (
            "+375 29 123-45-67",
            "плюс тридцать семь, пятьдесят два, девяносто один, двадцать три, сорок пять, шестьдесят семь",
        ),
    ];
    check(&cases, |written| speakable(written, Language::Ru));
}

#[test]
fn russian_words_of_other_alphabets_are_spelt_or_transliterated() {
    let cases = [
        ("Такси «Перезвон»", "Такси Перезвон"),
        ("Cаша", "Саша"),
        ("Toyota Camry", "Тойо́та Ка́мри"),
        ("BMW", "бэ эм вэ́"),
        ("VIP", "вип"),
        ("SMS", "эс эм эс"),
        ("ТЦ", "тэ цэ"),
        ("МТС", "эм тэ эс"),
        ("taxi.ru", "такси точка ру"),
        ("Shell", "шелл"),
        ("Škoda", "Шко́да"),
        ("Café", "кафе"),
        ("X", "икс"),
        ("Ківі", "Киви"),
        ("wifi", "вифи"),
        ("Zhukovskogo", "жуковского"),
        ("Elena", "элена"),
        ("O'Key", "окей"),
        ("А & Б", "А и Б"),
        ("нажмите *", "нажмите звёздочка"),
        ("Привет, мир!", "Привет, мир!"),
        ("Такси 🚕 едет", "Такси едет"),
        ("a\u{0}b", "а́ бэ"),
        ("ну\u{301}жно", "ну́жно"),
        ("м\u{301}", "м"),
        ("東京", ""),
        ("...", ""),
        ("кто-то", "кто-то"),
        ("Ждите — едем", "Ждите, едем"),
        ("да...", "да."),
    ];
    check(&cases, |written| speakable(written, Language::Ru));
}

#[test]
fn english_text_has_its_numbers_in_words_and_latin_letters_alone() {
    let cases = [
        ("Press 1", "Press one"),
        ("open until 21:00", "open until nine P M"),
        ("at 9:05", "at nine oh five ay M"),
        ("12 minutes", "twelve minutes"),
        ("call 2233222", "call two two three three two two two"),
        ("007", "zero zero seven"),
        ("+7 921", "plus seven nine hundred twenty one"),
        ("улица Ленина", "ulitsa Lenina"),
        ("Тойота", "Toyota"),
        ("Щукин", "Shchukin"),
        ("№ 5", "number five"),
        ("5%", "five percent"),
        ("12/3", "twelve slash three"),
        ("Café", "Cafe"),
        ("taxi.com", "taxi dot com"),
        ("🚕", ""),
    ];
    check(&cases, |written| speakable(written, Language::En));
}

#[test]
fn a_long_text_is_cut() {
    assert!(speakable(&"да ".repeat(100_000), Language::Ru).chars().count() <= MAX_CHARS);
}

fn is_russian(sign: char) -> bool {
    matches!(sign, 'а'..='я' | 'А'..='Я' | 'ё' | 'Ё' | '\u{301}' | ' ' | '.' | ',' | '!' | '?' | ':' | ';' | '-')
}

proptest::proptest! {
    #[test]
    fn whatever_is_written_is_said_in_russian_letters(text in ".{0,60}") {
        let said = speakable(&text, Language::Ru);
        proptest::prop_assert!(said.chars().all(is_russian), "{said:?}");
    }

    #[test]
    fn whatever_dispatchers_may_write_is_said_in_russian_letters(
        text in "([0-9]{1,12}|[a-zA-Z]{1,6}|[а-яА-ЯёЁ]{1,6}|[ .,:/+№%₽()-]|руб|мин|лет|года|мая|-я|-го){0,12}"
    ) {
        let said = speakable(&text, Language::Ru);
        proptest::prop_assert!(said.chars().all(is_russian), "{said:?}");
        let digits = text.contains(|c: char| c.is_ascii_digit());
        proptest::prop_assert!(!digits || said.contains(char::is_alphabetic), "{text:?} is silent");
    }

    #[test]
    fn whatever_is_written_is_said_in_latin_letters(text in ".{0,60}") {
        let said = speakable(&text, Language::En);
        let fits = |c: char| c.is_ascii_alphabetic() || " .,!?:;-".contains(c);
        proptest::prop_assert!(said.chars().all(fits), "{said:?}");
    }
}
