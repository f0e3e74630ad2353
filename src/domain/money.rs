//! Money: integer kopecks, checked arithmetic, and the one place where something is rounded.

use std::fmt;
use std::iter::Sum;

use serde::{Deserialize, Serialize};

use super::rejected::Rejected;

/// A sum of money in kopecks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Kopecks(pub i64);

/// The largest sum that anything may have: ten thousand million roubles. Far below the integer's limit, so that adding
/// up all of an office's sums cannot overflow.
pub const MAX: Kopecks = Kopecks(1_000_000_000_000);

impl Kopecks {
    /// Nothing.
    pub const ZERO: Kopecks = Kopecks(0);

    /// So many whole roubles.
    #[must_use]
    pub const fn roubles(roubles: i32) -> Kopecks {
        Kopecks(roubles as i64 * 100)
    }

    /// The sum of both.
    ///
    /// # Errors
    /// [`Rejected::TooMuchMoney`] beyond [`MAX`] in either direction.
    pub fn plus(self, other: Kopecks) -> Result<Kopecks, Rejected> {
        within(i128::from(self.0) + i128::from(other.0))
    }

    /// What is left.
    ///
    /// # Errors
    /// [`Rejected::TooMuchMoney`] beyond [`MAX`] in either direction.
    pub fn minus(self, other: Kopecks) -> Result<Kopecks, Rejected> {
        within(i128::from(self.0) - i128::from(other.0))
    }

    /// This times `numerator / denominator`, rounded to the kopeck, half away from zero.
    ///
    /// # Errors
    /// [`Rejected::TooMuchMoney`] beyond [`MAX`], or for a denominator of zero.
    pub fn times(self, numerator: u64, denominator: u64) -> Result<Kopecks, Rejected> {
        let product = i128::from(self.0) * i128::from(numerator);
        let denominator = i128::from(denominator);
        if denominator == 0 {
            return Err(Rejected::TooMuchMoney);
        }
        let half = if product < 0 { -denominator } else { denominator };
        within((product * 2 + half) / (denominator * 2))
    }

    /// The sum of all.
    ///
    /// # Errors
    /// [`Rejected::TooMuchMoney`] beyond [`MAX`].
    pub fn total(parts: impl IntoIterator<Item = Kopecks>) -> Result<Kopecks, Rejected> {
        parts.into_iter().try_fold(Kopecks::ZERO, Kopecks::plus)
    }

    /// Refuses what is negative or beyond [`MAX`].
    ///
    /// # Errors
    /// [`Rejected::TooMuchMoney`], [`Rejected::NegativeMoney`].
    pub fn checked(self) -> Result<Kopecks, Rejected> {
        if self.0 < 0 { Err(Rejected::NegativeMoney) } else { within(i128::from(self.0)) }
    }
}

fn within(kopecks: i128) -> Result<Kopecks, Rejected> {
    match i64::try_from(kopecks) {
        Ok(kopecks) if kopecks.abs() <= MAX.0 => Ok(Kopecks(kopecks)),
        Ok(_) | Err(_) => Err(Rejected::TooMuchMoney),
    }
}

impl std::ops::Neg for Kopecks {
    type Output = Kopecks;
    fn neg(self) -> Kopecks {
        Kopecks(self.0.saturating_neg())
    }
}

impl Sum for Kopecks {
    fn sum<I: Iterator<Item = Kopecks>>(parts: I) -> Kopecks {
        Kopecks(parts.fold(0, |sum, part| sum.saturating_add(part.0)))
    }
}

impl fmt::Display for Kopecks {
    /// Roubles and kopecks: `-12,05`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{},{:02}", self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100)
    }
}

/// Which way a sum is rounded to a multiple of the step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RoundingWay {
    /// To the nearest; a half goes up.
    #[default]
    Nearest,
    /// In the client's favour.
    Down,
    /// In the office's favour.
    Up,
}

/// How the total of a trip is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Rounding {
    /// To a multiple of this; 1 leaves every sum as it is.
    pub step: Kopecks,
    /// Which way.
    pub way: RoundingWay,
}

impl Default for Rounding {
    /// To whole roubles, the nearest.
    fn default() -> Self {
        Rounding { step: Kopecks(100), way: RoundingWay::Nearest }
    }
}

impl Rounding {
    /// Rounds a sum that is not negative.
    ///
    /// # Errors
    /// [`Rejected::TooMuchMoney`] when rounding up leaves what a sum may be.
    pub fn round(self, sum: Kopecks) -> Result<Kopecks, Rejected> {
        let step = i128::from(self.step.0.max(1));
        let sum = i128::from(sum.0);
        let added = match self.way {
            RoundingWay::Nearest => step / 2,
            RoundingWay::Down => 0,
            RoundingWay::Up => step - 1,
        };
        within((sum + added).div_euclid(step) * step)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_share_is_rounded_to_the_nearest_kopeck_and_halves_go_away_from_zero() {
        assert_eq!(Kopecks(2000).times(7_451, 1000), Ok(Kopecks(14_902)));
        assert_eq!(Kopecks(1).times(1, 2), Ok(Kopecks(1)));
        assert_eq!(Kopecks(-1).times(1, 2), Ok(Kopecks(-1)));
        assert_eq!(Kopecks(1).times(49, 100), Ok(Kopecks(0)));
        assert_eq!(Kopecks(5).times(1, 0), Err(Rejected::TooMuchMoney));
    }

    #[test]
    fn sums_are_written_in_roubles() {
        assert_eq!(Kopecks(-5).to_string(), "-0,05");
        assert_eq!(Kopecks(123_450).to_string(), "1234,50");
    }

    #[test]
    fn no_sum_leaves_the_limits_unnoticed() {
        assert_eq!(MAX.plus(Kopecks(1)), Err(Rejected::TooMuchMoney));
        assert_eq!((-MAX).minus(Kopecks(1)), Err(Rejected::TooMuchMoney));
        assert_eq!(MAX.times(u64::MAX, 1), Err(Rejected::TooMuchMoney));
        assert_eq!(Kopecks(i64::MIN).checked(), Err(Rejected::NegativeMoney));
        assert_eq!(Rounding { step: Kopecks(3), way: RoundingWay::Up }.round(MAX), Err(Rejected::TooMuchMoney));
    }

    proptest! {
        #[test]
        fn rounding_moves_a_sum_by_less_than_a_step(sum in 0i64..1_000_000_000, step in 1i64..100_000) {
            for way in [RoundingWay::Nearest, RoundingWay::Down, RoundingWay::Up] {
                let rounded = Rounding { step: Kopecks(step), way }.round(Kopecks(sum)).unwrap().0;
                prop_assert_eq!(rounded % step, 0);
                prop_assert!((rounded - sum).abs() < step);
                prop_assert!(way != RoundingWay::Down || rounded <= sum);
                prop_assert!(way != RoundingWay::Up || rounded >= sum);
            }
        }
    }
}
