use super::*;
use crate::speech::testing::check;

fn told(street: &str, house: &str) -> String {
    address(&Address::street(street, house), Language::Ru).unwrap_or_default().replace('\u{301}', "")
}

#[test]
fn streets_are_told_by_their_whole_names() {
    let cases = [
        ("ул. Ленина", "улица Ленина"),
        ("ул Ленина", "улица Ленина"),
        ("ул.Ленина", "улица Ленина"),
        ("Ленина ул.", "Ленина улица"),
        ("Садовая ул", "Садовая улица"),
        ("улица Мира", "улица Мира"),
        ("пр-т Мира", "проспект Мира"),
        ("пр. Ветеранов", "проспект Ветеранов"),
        ("Невский пр-кт", "Невский проспект"),
        ("пер. Столярный", "переулок Столярный"),
        ("б-р Победы", "бульвар Победы"),
        ("Московское ш.", "Московское шоссе"),
        ("наб. реки Мойки", "набережная реки Мойки"),
        ("пл. Революции", "площадь Революции"),
        ("пр-д Строителей", "проезд Строителей"),
        ("мкр. Южный", "микрорайон Южный"),
        ("5-й мкр", "пятый микрорайон"),
        ("ул. 8 Марта", "улица восьмого Марта"),
        ("ул. 9-го Января", "улица девятого Января"),
        ("1-я Советская ул.", "первая Советская улица"),
        ("3-й пр-д Марьиной Рощи", "третий проезд Марьиной Рощи"),
        ("ул. 50 лет Октября", "улица пятидесяти лет Октября"),
        ("ул. 40 лет Победы", "улица сорока лет Победы"),
        ("ул. 1905 года", "улица тысяча девятьсот пятого года"),
        ("ул. Д. Бедного", "улица Бедного"),
        ("ТЦ Мега", "торговый центр Мега"),
        ("Автовокзал", "Автовокзал"),
        ("ул. Lenina", "улица ленина"),
    ];
    check(&cases, |written| told(written, ""));
}

#[test]
fn houses_are_told_with_their_parts() {
    let cases = [
        ("5", "дом пять"),
        ("д. 5", "дом пять"),
        ("дом 5", "дом пять"),
        ("5а", "дом пять а"),
        ("5 А", "дом пять а"),
        ("5б", "дом пять бэ"),
        ("12/3", "дом двенадцать дробь три"),
        ("12к2", "дом двенадцать, корпус два"),
        ("12 корп. 2", "дом двенадцать, корпус два"),
        ("12 к. 2 стр. 1", "дом двенадцать, корпус два, строение один"),
        ("121с4", "дом сто двадцать один, строение четыре"),
        ("вл. 7", "владение семь"),
        ("10 лит. А", "дом десять, литера а"),
        ("д.12, кв.5", "дом двенадцать, квартира пять"),
        ("", ""),
    ];
    check(&cases, |written| told("", written));
}

#[test]
fn english_says_the_kind_of_a_street_last() {
    let cases = [
        ("ул. Ленина", "Lenina street"),
        ("пр-т Мира", "Mira avenue"),
        ("Невский пр-кт", "Nevskii avenue"),
        ("Московское ш.", "Moskovskoe highway"),
        ("пл. Революции", "Revoliutsii square"),
        ("5-я Парковая улица", "fifth Parkovaia street"),
        ("Lenin street", "Lenin street"),
        ("Автовокзал", "Avtovokzal"),
        ("ТЦ Мега", "Mega mall"),
    ];
    check(&cases, |street| address(&Address::street(*street, ""), Language::En).unwrap_or_default());
    let houses = [
        ("12к2", "house twelve, building two"),
        ("5a", "house five ay"),
        ("7Б", "house seven B"),
        ("3 кв. 8", "house three, flat eight"),
    ];
    check(&houses, |house| address(&Address::street("", *house), Language::En).unwrap_or_default());
}

#[test]
fn a_whole_address_is_told_in_its_order() {
    let whole = Address { city: "г. Казань".into(), ..Address::street("ул. Баумана", "12/3") };
    assert_eq!(address(&whole, Language::Ru).unwrap(), "город Казань, улица Баумана, дом двенадцать дробь три");
    assert_eq!(address(&whole, Language::En).unwrap(), "Kazan, Baumana street, house twelve slash three");
    assert_eq!(address(&Address::default(), Language::Ru), None);
}

proptest::proptest! {
    #[test]
    fn whatever_is_written_leaves_no_digit_and_no_latin_letter(street in ".{0,40}", house in ".{0,12}") {
        let words = told(&street, &house);
        proptest::prop_assert!(!words.contains(|c: char| c.is_ascii_alphanumeric()), "{words}");
    }
}
