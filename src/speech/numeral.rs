//! Numerals as a row of spoken parts. Both languages say 0..=999 the same way: hundreds, then tens and units, or a
//! teen; only the form of the parts differs.

use super::phrase::Fragment;

/// The greatest number that is said; above it phrases say "more than …".
const MAX: u32 = 999;

/// A number that can be said: 0..=999.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number(u32);

impl Number {
    /// `None` above 999.
    pub fn new(value: u32) -> Option<Self> {
        (value <= MAX).then_some(Self(value))
    }

    /// A day of the month, 1 to 31; others are the nearest.
    pub fn day(day: u8) -> Self {
        Self(u32::from(day.clamp(1, 31)))
    }

    /// The number itself.
    pub fn value(self) -> u32 {
        self.0
    }

    /// How many times `unit` is in it; `None` for not once (and for a unit of zero).
    pub fn over(self, unit: u32) -> Option<Self> {
        self.0.checked_div(unit).filter(|times| *times > 0).map(Self)
    }

    /// What is left after whole `unit`s; `None` for nothing (and for a unit of zero).
    pub fn rest(self, unit: u32) -> Option<Self> {
        self.0.checked_rem(unit).filter(|rest| *rest > 0).map(Self)
    }

    /// The round numbers it is said with: 121 is 100, 20, 1. Zero is one part; never empty.
    pub fn parts(self) -> Vec<u32> {
        let below_hundred = self.0 % 100;
        let (tens, units) =
            if below_hundred < 20 { (0, below_hundred) } else { (below_hundred / 10 * 10, below_hundred % 10) };
        let mut parts: Vec<u32> = [self.0 - below_hundred, tens, units].into_iter().filter(|part| *part > 0).collect();
        if parts.is_empty() {
            parts.push(0);
        }
        parts
    }
}

/// What is counted. Where the sentence ends with the noun the voice falls: that is another sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noun {
    /// «два часа (и пять минут)»
    Hour,
    /// «два часа.»
    HourAtEnd,
    /// «пять минут.»
    MinuteAtEnd,
}

/// The cardinal of one part («двадцать», "twenty") in its common form.
pub(super) fn cardinal_part(part: u32) -> Fragment {
    // Parts are those of `Number::parts`, so all are in the table; zero stands for the impossible rest.
    Fragment::new(named(part).map_or("number-0", |(cardinal, _)| cardinal))
}

/// The ordinal of one part («двадцатый»). There is no "zeroth" place: it is said as the first.
pub(super) fn ordinal_part(part: u32) -> Fragment {
    Fragment::new(named(part).map_or("ordinal-1", |(_, ordinal)| ordinal))
}

fn named(part: u32) -> Option<(&'static str, &'static str)> {
    NAMES.iter().find(|(value, _, _)| *value == part).map(|(_, cardinal, ordinal)| (*cardinal, *ordinal))
}

/// The parts that have a word of their own: value, cardinal, ordinal.
const NAMES: [(u32, &str, &str); 36] = [
    (1, "number-1", "ordinal-1"),
    (2, "number-2", "ordinal-2"),
    (3, "number-3", "ordinal-3"),
    (4, "number-4", "ordinal-4"),
    (5, "number-5", "ordinal-5"),
    (6, "number-6", "ordinal-6"),
    (7, "number-7", "ordinal-7"),
    (8, "number-8", "ordinal-8"),
    (9, "number-9", "ordinal-9"),
    (10, "number-10", "ordinal-10"),
    (11, "number-11", "ordinal-11"),
    (12, "number-12", "ordinal-12"),
    (13, "number-13", "ordinal-13"),
    (14, "number-14", "ordinal-14"),
    (15, "number-15", "ordinal-15"),
    (16, "number-16", "ordinal-16"),
    (17, "number-17", "ordinal-17"),
    (18, "number-18", "ordinal-18"),
    (19, "number-19", "ordinal-19"),
    (20, "number-20", "ordinal-20"),
    (30, "number-30", "ordinal-30"),
    (40, "number-40", "ordinal-40"),
    (50, "number-50", "ordinal-50"),
    (60, "number-60", "ordinal-60"),
    (70, "number-70", "ordinal-70"),
    (80, "number-80", "ordinal-80"),
    (90, "number-90", "ordinal-90"),
    (100, "number-100", "ordinal-100"),
    (200, "number-200", "ordinal-200"),
    (300, "number-300", "ordinal-300"),
    (400, "number-400", "ordinal-400"),
    (500, "number-500", "ordinal-500"),
    (600, "number-600", "ordinal-600"),
    (700, "number-700", "ordinal-700"),
    (800, "number-800", "ordinal-800"),
    (900, "number-900", "ordinal-900"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_number_add_up_to_it_fall_in_size_and_each_has_a_word() {
        for value in 0..=MAX {
            let parts = Number::new(value).map(Number::parts).unwrap_or_default();
            assert!(!parts.is_empty(), "{value}");
            assert_eq!(parts.iter().sum::<u32>(), value);
            assert!(parts.is_sorted_by(|a, b| a > b), "{value}: {parts:?}");
            assert!(parts.iter().all(|part| *part == 0 || named(*part).is_some()), "{value}: {parts:?}");
        }
    }

    #[test]
    fn above_the_greatest_there_is_no_number() {
        assert_eq!(Number::new(MAX).map(Number::value), Some(999));
        assert_eq!(Number::new(1_000), None);
    }
}
