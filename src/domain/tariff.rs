//! Tariffs: what a trip costs, before anybody's discount.

use serde::{Deserialize, Serialize};

use super::limit::{self, SHORT};
use super::money::{Kopecks, Rounding};
use super::rejected::{Problem, Rejected};
use super::time::{DAY_MINUTES, Wall, minute_of_day};

/// A coefficient of one.
pub const ONE: u32 = 1000;

/// The hours in which the night coefficient holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Night {
    /// First minute of the day, by the office's clock, 0 to 1439.
    #[cfg_attr(feature = "shell", schema(maximum = 1439))]
    pub from_minute: u16,
    /// First minute that is day again; before `from_minute` when the night goes over midnight.
    #[cfg_attr(feature = "shell", schema(maximum = 1439))]
    pub to_minute: u16,
    /// Coefficient in thousandths: 1200 is one fifth more.
    #[cfg_attr(feature = "shell", schema(maximum = 100_000))]
    pub permille: u32,
}

impl Night {
    /// Whether a trip that starts at that minute of the day is a night trip.
    #[must_use]
    pub fn holds(self, minute: u16) -> bool {
        if self.from_minute <= self.to_minute {
            (self.from_minute..self.to_minute).contains(&minute)
        } else {
            minute >= self.from_minute || minute < self.to_minute
        }
    }
}

/// What a trip costs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Tariff {
    /// As people know it.
    pub name: String,
    /// For coming at all («посадка»).
    pub boarding: Kopecks,
    /// So many metres are paid with the boarding.
    #[cfg_attr(feature = "shell", schema(maximum = 10_000_000))]
    pub included_m: u32,
    /// So many seconds of the trip are paid with the boarding.
    #[cfg_attr(feature = "shell", schema(maximum = 864_000))]
    pub included_s: u32,
    /// For a kilometre inside the city.
    pub per_km_inside: Kopecks,
    /// For a kilometre outside.
    pub per_km_outside: Kopecks,
    /// For a minute of the trip.
    pub per_minute: Kopecks,
    /// For a minute that the car waits for the client at the address.
    pub per_waiting_minute: Kopecks,
    /// So many seconds it waits for nothing.
    #[cfg_attr(feature = "shell", schema(maximum = 864_000))]
    pub free_waiting_s: u32,
    /// No trip costs less, before the coefficients.
    pub minimum: Kopecks,
    /// More, or less, at night.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub night: Option<Night>,
    /// The largest demand coefficient, in thousandths; 0 or 1000 when demand changes nothing.
    #[cfg_attr(feature = "shell", schema(maximum = 100_000))]
    pub max_demand_permille: u32,
    /// How the total is rounded.
    pub rounding: Rounding,
}

/// What a price depends on besides the trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// When the trip started: decides on day and night.
    pub started_at: Wall,
    /// How far the office's clock is ahead of UTC.
    #[cfg_attr(feature = "shell", schema(minimum = -1440, maximum = 1440))]
    pub utc_offset_minutes: i32,
    /// How much more is asked because many want a car, in thousandths.
    #[cfg_attr(feature = "shell", schema(maximum = 100_000))]
    pub demand_permille: u32,
}

/// No price of a unit is larger.
const MAX_PRICE: Kopecks = Kopecks(100_000_000);
const MAX_PERMILLE: u32 = 100_000;
const MAX_SECONDS: u32 = 864_000;
const MAX_METRES: u32 = 10_000_000;

impl Tariff {
    /// Refuses a tariff by which nobody could reckon.
    ///
    /// # Errors
    /// [`Rejected::Field`], [`Rejected::NegativeMoney`].
    pub fn check(&self) -> Result<(), Rejected> {
        limit::check_some("name", &self.name, SHORT)?;
        let prices = [
            ("boarding", self.boarding),
            ("per_km_inside", self.per_km_inside),
            ("per_km_outside", self.per_km_outside),
            ("per_minute", self.per_minute),
            ("per_waiting_minute", self.per_waiting_minute),
            ("minimum", self.minimum),
        ];
        for (field, price) in prices {
            range(field, price >= Kopecks::ZERO && price <= MAX_PRICE)?;
        }
        range("included_m", self.included_m <= MAX_METRES)?;
        range("included_s", self.included_s <= MAX_SECONDS)?;
        range("free_waiting_s", self.free_waiting_s <= MAX_SECONDS)?;
        range("max_demand_permille", self.max_demand_permille <= MAX_PERMILLE)?;
        range("rounding.step", self.rounding.step >= Kopecks(1) && self.rounding.step <= MAX_PRICE)?;
        if let Some(night) = self.night {
            range("night.from_minute", night.from_minute < DAY_MINUTES)?;
            range("night.to_minute", night.to_minute < DAY_MINUTES)?;
            range("night.permille", night.permille <= MAX_PERMILLE)?;
        }
        Ok(())
    }

    /// Whole minutes that a car waits for nothing; none where waiting costs nothing anyway, or from the first minute on.
    #[must_use]
    pub fn free_minutes(&self) -> Option<u32> {
        Some(self.free_waiting_s / 60).filter(|minutes| *minutes > 0 && self.per_waiting_minute.0 > 0)
    }

    /// The night coefficient of a trip with these terms, in thousandths.
    #[must_use]
    pub fn night_permille(&self, terms: &Terms) -> u32 {
        let minute = minute_of_day(terms.started_at, terms.utc_offset_minutes);
        self.night.filter(|night| night.holds(minute)).map_or(ONE, |night| night.permille)
    }

    /// The demand coefficient, in thousandths: never below one, never above what the tariff allows.
    #[must_use]
    pub fn demand_permille(&self, terms: &Terms) -> u32 {
        terms.demand_permille.clamp(ONE, self.max_demand_permille.max(ONE))
    }
}

fn range(field: &'static str, fits: bool) -> Result<(), Rejected> {
    if fits { Ok(()) } else { Err(Rejected::Field { field, problem: Problem::OutOfRange }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_may_go_over_midnight() {
        let night = Night { from_minute: 23 * 60, to_minute: 6 * 60, permille: 1200 };
        assert!(night.holds(23 * 60) && night.holds(0) && night.holds(359));
        assert!(!night.holds(360) && !night.holds(22 * 60 + 59));
        let early = Night { from_minute: 60, to_minute: 300, permille: 1200 };
        assert!(early.holds(60) && early.holds(299) && !early.holds(300) && !early.holds(59));
    }

    #[test]
    fn demand_stays_between_one_and_what_the_tariff_allows() {
        let mut tariff = Tariff { max_demand_permille: 2000, ..Tariff::default() };
        let terms = |demand_permille| Terms { started_at: Wall(0), utc_offset_minutes: 0, demand_permille };
        assert_eq!(tariff.demand_permille(&terms(3000)), 2000);
        assert_eq!(tariff.demand_permille(&terms(500)), 1000);
        tariff.max_demand_permille = 0;
        assert_eq!(tariff.demand_permille(&terms(3000)), 1000);
    }

    #[test]
    fn a_tariff_with_a_price_below_zero_or_without_a_name_is_refused() {
        let mut tariff = Tariff { name: "Эконом".into(), ..Tariff::default() };
        assert_eq!(tariff.check(), Ok(()));
        tariff.per_minute = Kopecks(-1);
        assert_eq!(tariff.check(), Err(Rejected::Field { field: "per_minute", problem: Problem::OutOfRange }));
        tariff.per_minute = Kopecks(0);
        tariff.name = " ".into();
        assert_eq!(tariff.check(), Err(Rejected::Field { field: "name", problem: Problem::Empty }));
    }
}
