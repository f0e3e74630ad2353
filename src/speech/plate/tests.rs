use super::*;
use crate::speech::testing::check;

fn read(written: &str, language: Language) -> String {
    let mut script = Script::new(language);
    plate(&mut script, written, Region::Told);
    script.text()
}

#[test]
fn russian_plates_are_read_by_their_form() {
    let cases = [
        ("А123ВС77", "а, сто двадцать три, вэ эс, регион семьдесят семь"),
        ("а 123 вс 77", "а, сто двадцать три, вэ эс, регион семьдесят семь"),
        ("A123BC77", "а, сто двадцать три, вэ эс, регион семьдесят семь"),
        ("а123вс", "а, сто двадцать три, вэ эс"),
        ("Х007ХХ199", "ха, ноль ноль семь, ха ха, регион сто девяносто девять"),
        ("о050оо777", "о, ноль пятьдесят, о о, регион семьсот семьдесят семь"),
        ("К000КК02", "ка, ноль ноль ноль, ка ка, регион ноль два"),
        ("Н999РТ 102 RUS", "эн, девятьсот девяносто девять, эр тэ, регион сто два"),
        ("м-421-ем/16", "эм, четыреста двадцать один, е эм, регион шестнадцать"),
        ("АВ 123 77", "а вэ, сто двадцать три, регион семьдесят семь"),
        ("АВ12377", "а вэ, сто двадцать три, регион семьдесят семь"),
        ("АВ123777", "а вэ, сто двадцать три, регион семьсот семьдесят семь"),
        ("АВ 1234 77", "а вэ, двенадцать, тридцать четыре, регион семьдесят семь"),
        ("у 0042 50", "у, ноль ноль, сорок два, регион пятьдесят"),
        ("У004250", "у, ноль ноль, сорок два, регион пятьдесят"),
        ("1234 АВ 77", "двенадцать, тридцать четыре, а вэ, регион семьдесят семь"),
    ];
    check(&cases, |written| read(written, Language::Ru));
}

#[test]
fn old_and_foreign_plates_are_read_run_by_run() {
    let cases = [
        ("ж 12-34 ЛО", "жэ, двенадцать, тридцать четыре, эль о"),
        ("в1234мо", "вэ, двенадцать, тридцать четыре, эм о"),
        ("123ABC02", "сто двадцать три, а бэ цэ, ноль два"),
        ("1234 AB-7", "двенадцать, тридцать четыре, а бэ, семь"),
        ("AA 1234 BB", "а а, двенадцать, тридцать четыре, бэ бэ"),
        ("W-XY 5 JQ", "дубль вэ икс игрек, пять, йот ку"),
        ("12345", "сто двадцать три, сорок пять"),
        ("123456", "двенадцать, тридцать четыре, пятьдесят шесть"),
        ("Б/Н", "бэ эн"),
        ("🚕", ""),
        ("", ""),
    ];
    check(&cases, |written| read(written, Language::Ru));
}

#[test]
fn english_reads_digits_one_by_one_and_letters_by_their_looks() {
    let cases = [
        ("А123ВС77", "ay, one two three, B C, region seventy seven"),
        ("A123BC77", "ay, one two three, B C, region seventy seven"),
        ("Х007УН199", "X, zero zero seven, Y H, region one hundred ninety nine"),
        ("ABC 1234", "ay B C, one two three four"),
        ("Ж123", "Z H, one two three"),
    ];
    check(&cases, |written| read(written, Language::En));
}

#[test]
fn the_region_is_left_out_where_it_is_not_asked_for() {
    let mut script = Script::new(Language::Ru);
    assert!(plate(&mut script, "А123ВС77", Region::Left));
    script.stop();
    assert_eq!(script.text(), "а, сто двадцать три, вэ эс.");
    assert!(!script.has_free_words());
    assert!(!plate(&mut script, " - ", Region::Told));
}

#[test]
fn each_letter_of_both_alphabets_has_a_name_in_both_languages() {
    for language in Language::ALL {
        for sign in ('а'..='я').chain(['ё']).chain('a'..='z') {
            let mut script = Script::new(language);
            letter(&mut script, sign);
            // English has no sound for the two signs.
            let silent = language == Language::En && (sign == 'ъ' || sign == 'ь');
            assert_eq!(script.is_empty(), silent, "{language}: {sign}");
        }
    }
}

proptest::proptest! {
    #[test]
    fn whatever_is_written_is_read_with_shipped_sounds_alone(written in ".{0,20}") {
        for language in Language::ALL {
            let mut script = Script::new(language);
            plate(&mut script, &written, Region::Told);
            proptest::prop_assert!(!script.has_free_words());
            proptest::prop_assert!(!script.text().contains(|c: char| c.is_ascii_digit()));
        }
    }
}
