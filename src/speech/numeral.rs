//! Numerals as a row of spoken parts. Both languages say a number in groups of three digits with the name of the group
//! after it, and a group as hundreds, then tens and units, or a teen; only the forms of the parts differ.

/// The greatest number that is said as one numeral.
const MAX: u32 = 999_999_999;

/// A number that can be said: 0 to 999,999,999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(u32);

/// What a group of three digits counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// The things themselves.
    Units,
    /// Thousands of them.
    Thousands,
    /// Millions of them.
    Millions,
}

impl Number {
    /// `None` above 999,999,999.
    pub fn new(value: u32) -> Option<Self> {
        (value <= MAX).then_some(Self(value))
    }

    /// A small number.
    pub fn small(value: u8) -> Self {
        Self(u32::from(value))
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

    /// The groups it is said in, the greatest first: 21,005 is 21 thousands and 5 units. Zero is one group; never empty.
    pub fn groups(self) -> Vec<(Number, Scale)> {
        let scaled = [(1_000_000, Scale::Millions), (1_000, Scale::Thousands), (1, Scale::Units)];
        let group = |(unit, scale)| (Self(self.0 / unit % 1_000), scale);
        let groups: Vec<_> = scaled.map(group).into_iter().filter(|(count, _)| count.0 > 0).collect();
        if groups.is_empty() { vec![(self, Scale::Units)] } else { groups }
    }

    /// The round numbers that the last group is said with: 121 is 100, 20, 1. Zero is one part; never empty.
    pub fn parts(self) -> Vec<u32> {
        let group = self.0 % 1_000;
        let below_hundred = group % 100;
        let (tens, units) =
            if below_hundred < 20 { (0, below_hundred) } else { (below_hundred / 10 * 10, below_hundred % 10) };
        let mut parts: Vec<u32> = [group - below_hundred, tens, units].into_iter().filter(|part| *part > 0).collect();
        if parts.is_empty() {
            parts.push(0);
        }
        parts
    }
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noun {
    /// «час»
    Hour,
    /// «минута»
    Minute,
    /// «километр»
    Kilometre,
    /// «метр», in hundreds
    Metre,
    /// «рубль»
    Rouble,
    /// «копейка»
    Kopeck,
    /// «тысяча», a numeral's own noun
    Thousand,
    /// «миллион»
    Million,
}

impl Noun {
    /// How its sounds' stems begin.
    pub(super) fn stem(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Minute => "minute",
            Self::Kilometre => "kilometre",
            Self::Metre => "metre",
            Self::Rouble => "rouble",
            Self::Kopeck => "kopeck",
            Self::Thousand => "thousand",
            Self::Million => "million",
        }
    }
}

impl Scale {
    /// What the group counts, if not the things themselves.
    pub fn noun(self) -> Option<Noun> {
        match self {
            Self::Units => None,
            Self::Thousands => Some(Noun::Thousand),
            Self::Millions => Some(Noun::Million),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_number_add_up_to_it_and_fall_in_size() {
        for value in 0..=999 {
            let parts = Number::new(value).map(Number::parts).unwrap_or_default();
            assert!(!parts.is_empty(), "{value}");
            assert_eq!(parts.iter().sum::<u32>(), value);
            assert!(parts.is_sorted_by(|a, b| a > b), "{value}: {parts:?}");
        }
    }

    #[test]
    fn groups_leave_out_what_is_not_there() {
        let groups = |value| Number::new(value).unwrap().groups();
        let of = |value| Number::new(value).unwrap();
        assert_eq!(groups(0), [(of(0), Scale::Units)]);
        assert_eq!(groups(21_005), [(of(21), Scale::Thousands), (of(5), Scale::Units)]);
        assert_eq!(groups(3_000_000), [(of(3), Scale::Millions)]);
    }

    #[test]
    fn above_the_greatest_there_is_no_number() {
        assert_eq!(Number::new(MAX).map(Number::value), Some(999_999_999));
        assert_eq!(Number::new(MAX + 1), None);
    }
}
