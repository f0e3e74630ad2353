//! English: one form of the numeral, two of the noun.

use super::numeral::{Noun, Number};
use super::script::Script;

/// A numeral and its noun: "two minutes".
pub(super) fn counted(script: &mut Script, number: Number, noun: Noun) {
    cardinal(script, number);
    let form = if number.value() == 1 { "one" } else { "many" };
    script.say(&format!("{}-{form}", noun.stem()));
}

/// A cardinal: "one thousand one hundred twenty one".
pub(super) fn cardinal(script: &mut Script, number: Number) {
    for (count, scale) in number.groups() {
        for part in count.parts() {
            script.say(&format!("number-{part}"));
        }
        if let Some(noun) = scale.noun() {
            // "two thousand", never "two thousands".
            script.say(noun.stem());
        }
    }
}

/// The ordinal of a day, only its last part is one: "twenty first". Those above 39 end in a cardinal.
pub(super) fn ordinal(script: &mut Script, number: Number) {
    let mut parts = number.parts();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        script.say(&format!("number-{part}"));
    }
    if !script.say_if_shipped(&format!("ordinal-{last}")) {
        script.say(&format!("number-{last}"));
    }
}

/// A day of the year: "May twenty third". Days and months beyond the calendar are said as its last.
pub(super) fn date(script: &mut Script, day: u8, month: u8) {
    script.say(&format!("month-{}", month.clamp(1, 12)));
    ordinal(script, Number::small(day.clamp(1, 31)));
}

/// A time of the day by the twelve-hour clock: "nine oh five p m", "twelve a m" for midnight.
pub(super) fn time(script: &mut Script, hour: u8, minute: u8) {
    let on_the_clock = if hour.is_multiple_of(12) { 12 } else { hour % 12 };
    cardinal(script, Number::small(on_the_clock));
    if (1..=9).contains(&minute) {
        script.say("oh");
    }
    if minute > 0 {
        cardinal(script, Number::small(minute));
    }
    script.say(if hour < 12 { "am" } else { "pm" });
}

#[cfg(test)]
mod tests;
