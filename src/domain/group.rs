//! Groups of clients: what holds for all who are in one, unless their own card says otherwise.

use serde::{Deserialize, Serialize};

use super::fare::Discount;
use super::ids::TariffId;
use super::limit::{self, SHORT};
use super::money::Kopecks;
use super::rejected::{Problem, Rejected};
use super::tariff::ONE;

/// A group of clients. One group of an office is the default: who is in none is in that one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Group {
    /// As people know it.
    pub name: String,
    /// The tariff for new orders.
    pub tariff: Option<TariffId>,
    /// What its clients pay less.
    pub discount: Option<Discount>,
    /// Bonuses for each trip: thousandths of what was paid in money.
    #[cfg_attr(feature = "shell", schema(maximum = 1000))]
    pub bonus_permille: u32,
    /// Largest share of a price that bonuses may pay, thousandths.
    #[cfg_attr(feature = "shell", schema(maximum = 1000))]
    pub bonus_share_permille: u32,
    /// How far below zero its clients' accounts may go.
    pub credit: Kopecks,
    /// Bonuses for whoever brought a new client of this group, with that client's first trip.
    pub referral_bonus: Kopecks,
    /// Added to the priority of a call in the queue, -100 to 100.
    #[cfg_attr(feature = "shell", schema(minimum = -100, maximum = 100))]
    pub priority: i16,
}

impl Default for Group {
    fn default() -> Self {
        Group {
            name: String::new(),
            tariff: None,
            discount: None,
            bonus_permille: 0,
            bonus_share_permille: ONE,
            credit: Kopecks::ZERO,
            referral_bonus: Kopecks::ZERO,
            priority: 0,
        }
    }
}

impl Group {
    /// Refuses a group that could not hold.
    ///
    /// # Errors
    /// [`Rejected::Field`] and those of money.
    pub fn check(&self) -> Result<(), Rejected> {
        limit::check_some("name", &self.name, SHORT)?;
        self.discount.map_or(Ok(()), Discount::check)?;
        for (field, fits) in [
            ("bonus_permille", self.bonus_permille <= ONE),
            ("bonus_share_permille", self.bonus_share_permille <= ONE),
            ("credit", self.credit.checked().is_ok()),
            ("referral_bonus", self.referral_bonus.checked().is_ok()),
            ("priority", self.priority.unsigned_abs() <= 100),
        ] {
            if !fits {
                return Err(Rejected::Field { field, problem: Problem::OutOfRange });
            }
        }
        Ok(())
    }

    /// The bonus for a trip that was paid with so much money.
    #[must_use]
    pub fn bonus_for(&self, paid: Kopecks) -> Kopecks {
        paid.times(u64::from(self.bonus_permille.min(ONE)), u64::from(ONE)).unwrap_or(Kopecks::ZERO).max(Kopecks::ZERO)
    }
}
