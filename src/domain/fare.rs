//! From a trip to money: the fare line by line, as a client could check it, and out of what it is paid.

use serde::{Deserialize, Serialize};

use super::language::Language;
use super::money::Kopecks;
use super::rejected::{Problem, Rejected};
use super::tariff::{ONE, Tariff, Terms};
use super::taximeter::Trip;

/// What one line of a fare is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// For coming at all; once.
    Boarding,
    /// Metres inside the city, priced by the kilometre.
    DistanceInside,
    /// Metres outside, priced by the kilometre.
    DistanceOutside,
    /// Seconds of the trip, priced by the minute.
    Time,
    /// Seconds that the car waited at the address, priced by the minute.
    Waiting,
    /// Up to the minimum; once.
    Minimum,
    /// Night coefficient, thousandths of the sum so far.
    Night,
    /// Demand coefficient, thousandths of the sum so far.
    Demand,
    /// To a round sum; once.
    Rounding,
    /// An agreed price; once.
    Fixed,
}

/// One line of a fare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
pub struct Line {
    /// What for.
    pub kind: LineKind,
    /// How much of it: metres, seconds, thousandths or 1.
    pub quantity: u64,
    /// So much of the quantity is free.
    pub free: u64,
    /// For a kilometre, a minute, or once; for a coefficient what it is applied to.
    pub price: Kopecks,
    /// What it comes to; only a coefficient below one and rounding can be below zero.
    pub amount: Kopecks,
}

impl Line {
    fn once(kind: LineKind, amount: Kopecks) -> Line {
        Line { kind, quantity: 1, free: 0, price: amount, amount }
    }

    fn new(kind: LineKind, quantity: u64, free: u64, price: Kopecks) -> Result<Line, Rejected> {
        let mut line = Line { kind, quantity, free: free.min(quantity), price, amount: Kopecks::ZERO };
        line.amount = line.reckoned()?;
        Ok(line)
    }

    /// What the line comes to by its quantity and price.
    ///
    /// # Errors
    /// [`Rejected::TooMuchMoney`].
    pub fn reckoned(&self) -> Result<Kopecks, Rejected> {
        let charged = self.quantity.saturating_sub(self.free);
        match self.kind {
            LineKind::DistanceInside | LineKind::DistanceOutside => self.price.times(charged, 1000),
            LineKind::Time | LineKind::Waiting => self.price.times(charged, 60),
            LineKind::Night | LineKind::Demand => self.price.times(charged, u64::from(ONE))?.minus(self.price),
            LineKind::Boarding | LineKind::Minimum | LineKind::Rounding | LineKind::Fixed => Ok(self.price),
        }
    }

    /// The line as people read it: «Расстояние по городу: 7,451 км × 20,00 ₽ = 149,02 ₽».
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let (name, rouble) = (self.kind.words(language), language.pick("₽", "RUB"));
        let amount = format!("{} {rouble}", self.amount);
        let measure = |of: &dyn Fn(u64) -> String| {
            let quantity = of(self.quantity);
            let free = match self.free {
                0 => String::new(),
                free => format!(" ({} {})", language.pick("бесплатно", "free"), of(free)),
            };
            format!("{name}: {quantity}{free} × {} {rouble} = {amount}", self.price)
        };
        match self.kind {
            LineKind::DistanceInside | LineKind::DistanceOutside => {
                measure(&|metres| format!("{} {}", thousandths(metres), language.pick("км", "km")))
            }
            LineKind::Time | LineKind::Waiting => {
                let (minute, second) = (language.pick("мин", "min"), language.pick("с", "s"));
                measure(&|seconds| format!("{} {minute} {} {second}", seconds / 60, seconds % 60))
            }
            LineKind::Night | LineKind::Demand => {
                let (price, more) = (self.price, language.pick("прибавляет", "adds"));
                format!("{name}: {price} {rouble} × {} {more} {amount}", thousandths(self.quantity))
            }
            LineKind::Boarding | LineKind::Minimum | LineKind::Rounding | LineKind::Fixed => {
                format!("{name}: {amount}")
            }
        }
    }
}

impl LineKind {
    fn words(self, language: Language) -> &'static str {
        match self {
            LineKind::Boarding => language.pick("Посадка", "Boarding"),
            LineKind::DistanceInside => language.pick("Расстояние по городу", "Distance in the city"),
            LineKind::DistanceOutside => language.pick("Расстояние за городом", "Distance out of town"),
            LineKind::Time => language.pick("Время в пути", "Time of the trip"),
            LineKind::Waiting => language.pick("Ожидание", "Waiting"),
            LineKind::Minimum => language.pick("До минимальной стоимости", "Up to the minimum"),
            LineKind::Night => language.pick("Ночной коэффициент", "Night coefficient"),
            LineKind::Demand => language.pick("Коэффициент спроса", "Demand coefficient"),
            LineKind::Rounding => language.pick("Округление", "Rounding"),
            LineKind::Fixed => language.pick("Договорная стоимость", "Agreed price"),
        }
    }
}

fn thousandths(number: u64) -> String {
    format!("{},{:03}", number / 1000, number % 1000)
}

/// What a trip costs, before anybody's discount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
pub struct Fare {
    /// Line by line; they add up to the total.
    pub lines: Vec<Line>,
    /// What is to be paid; never below zero.
    pub total: Kopecks,
    /// Metres travelled, as the client is told; none for an agreed price.
    pub distance_m: Option<u64>,
    /// Seconds of the trip; none for an agreed price.
    pub duration_s: Option<u64>,
}

impl Fare {
    /// An agreed price.
    ///
    /// # Errors
    /// [`Rejected::NegativeMoney`], [`Rejected::TooMuchMoney`].
    pub fn fixed(price: Kopecks) -> Result<Fare, Rejected> {
        let total = price.checked()?;
        Ok(Fare { lines: vec![Line::once(LineKind::Fixed, total)], total, distance_m: None, duration_s: None })
    }

    /// Whether each line is reckoned right and all add up to the total.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.total >= Kopecks::ZERO
            && self.lines.iter().all(|line| line.reckoned() == Ok(line.amount))
            && Kopecks::total(self.lines.iter().map(|line| line.amount)) == Ok(self.total)
    }
}

/// All that a fare follows from, so that it can be reckoned again after years, whatever the tariff is then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
pub struct Calculation {
    /// The tariff as it was.
    pub tariff: Tariff,
    /// Time of day and demand.
    pub terms: Terms,
    /// What the taximeter measured, or what is expected for an estimate.
    pub trip: Trip,
    /// How long the car waited at the address, milliseconds, the free time included.
    pub waited_ms: u64,
}

impl Calculation {
    /// The fare. Boarding, distance, time and waiting, each part rounded to the kopeck; raised to the minimum; times the
    /// night and then the demand coefficient; rounded as the tariff says. Part of a metre or second is not charged.
    ///
    /// # Errors
    /// [`Rejected::TooMuchMoney`]; whatever [`Tariff::check`] refuses.
    pub fn fare(&self) -> Result<Fare, Rejected> {
        let Calculation { tariff, terms, trip, waited_ms } = self;
        tariff.check()?;
        let (inside, outside) = (trip.inside_mm / 1000, trip.outside_mm / 1000);
        let duration = trip.duration_ms / 1000;
        let free_inside = u64::from(tariff.included_m).min(inside);
        let free_outside = u64::from(tariff.included_m) - free_inside;
        let mut lines = vec![
            Line::once(LineKind::Boarding, tariff.boarding),
            Line::new(LineKind::DistanceInside, inside, free_inside, tariff.per_km_inside)?,
            Line::new(LineKind::DistanceOutside, outside, free_outside, tariff.per_km_outside)?,
            Line::new(LineKind::Time, duration, u64::from(tariff.included_s), tariff.per_minute)?,
            Line::new(
                LineKind::Waiting,
                waited_ms / 1000,
                u64::from(tariff.free_waiting_s),
                tariff.per_waiting_minute,
            )?,
        ];
        lines.retain(|line| line.quantity > 0 && line.price != Kopecks::ZERO);
        let mut sum = Kopecks::total(lines.iter().map(|line| line.amount))?;
        if sum < tariff.minimum {
            sum = add(&mut lines, sum, Line::once(LineKind::Minimum, tariff.minimum.minus(sum)?))?;
        }
        let coefficients =
            [(LineKind::Night, tariff.night_permille(terms)), (LineKind::Demand, tariff.demand_permille(terms))];
        for (kind, permille) in coefficients {
            let line = Line::new(kind, u64::from(permille), 0, sum)?;
            sum = add(&mut lines, sum, line)?;
        }
        let rounding = tariff.rounding.round(sum)?.minus(sum)?;
        let total = add(&mut lines, sum, Line::once(LineKind::Rounding, rounding))?;
        Ok(Fare { lines, total, distance_m: Some(inside + outside), duration_s: Some(duration) })
    }
}

/// Adds a line that changes the sum; a line that does not is nothing to show.
fn add(lines: &mut Vec<Line>, sum: Kopecks, line: Line) -> Result<Kopecks, Rejected> {
    if line.amount != Kopecks::ZERO {
        lines.push(line);
    }
    sum.plus(line.amount)
}

/// How an order is to be paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Payment {
    /// All to the driver.
    #[default]
    Cash,
    /// Bonuses first, then the account; what they do not cover, to the driver.
    Account,
    /// Bonuses first; the rest to the driver.
    Bonus,
}

impl Payment {
    /// As it stands in JSON and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Payment::Cash => "cash",
            Payment::Account => "account",
            Payment::Bonus => "bonus",
        }
    }

    /// Reads [`as_str`](Payment::as_str).
    #[must_use]
    pub fn parse(text: &str) -> Option<Payment> {
        [Payment::Cash, Payment::Account, Payment::Bonus].into_iter().find(|payment| payment.as_str() == text)
    }
}

/// What a client pays less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Discount {
    /// So much off each trip.
    Fixed {
        /// How much.
        amount: Kopecks,
    },
    /// A share of each trip, at most 1000 thousandths.
    Percent {
        /// Thousandths: 50 is five per cent.
        #[cfg_attr(feature = "shell", schema(maximum = 1000))]
        permille: u32,
    },
}

impl Discount {
    /// Refuses what is no discount.
    ///
    /// # Errors
    /// [`Rejected::Field`].
    pub fn check(self) -> Result<(), Rejected> {
        let fits = match self {
            Discount::Fixed { amount } => amount.checked().is_ok(),
            Discount::Percent { permille } => permille <= ONE,
        };
        if fits { Ok(()) } else { Err(Rejected::Field { field: "discount", problem: Problem::OutOfRange }) }
    }

    /// How much it takes off this price; never more than the price.
    #[must_use]
    pub fn off(self, price: Kopecks) -> Kopecks {
        let off = match self {
            Discount::Fixed { amount } => amount,
            Discount::Percent { permille } => price.times(u64::from(permille), u64::from(ONE)).unwrap_or(price),
        };
        off.clamp(Kopecks::ZERO, price.max(Kopecks::ZERO))
    }
}

/// What a client has to pay with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Funds {
    /// Bonuses.
    pub bonus: Kopecks,
    /// Largest share of the price, less the discount, that bonuses may pay, thousandths.
    pub bonus_share_permille: u32,
    /// What can be taken from the account, credit included.
    pub account: Kopecks,
}

/// Out of what a trip is paid. The parts add up to the price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
pub struct Settlement {
    /// What is to be paid.
    pub price: Kopecks,
    /// Not paid at all, first.
    pub discount: Kopecks,
    /// From the bonus account, second.
    pub bonus: Kopecks,
    /// From the account, third.
    pub account: Kopecks,
    /// To the driver: what is left.
    pub cash: Kopecks,
}

impl Settlement {
    /// Divides a price: discount, then bonus, then account, then cash; none below zero.
    ///
    /// # Errors
    /// [`Rejected::NegativeMoney`], [`Rejected::TooMuchMoney`] for a price that is none.
    pub fn of(
        price: Kopecks,
        discount: Option<Discount>,
        payment: Payment,
        funds: &Funds,
    ) -> Result<Settlement, Rejected> {
        let price = price.checked()?;
        let discount = discount.map_or(Kopecks::ZERO, |discount| discount.off(price));
        let left = price.minus(discount)?;
        let (bonus, account) = match payment {
            Payment::Cash => (Kopecks::ZERO, Kopecks::ZERO),
            Payment::Bonus => (funds.bonus, Kopecks::ZERO),
            Payment::Account => (funds.bonus, funds.account),
        };
        let largest = left.times(u64::from(funds.bonus_share_permille.min(ONE)), u64::from(ONE))?;
        let bonus = bonus.clamp(Kopecks::ZERO, largest);
        let left = left.minus(bonus)?;
        let account = account.clamp(Kopecks::ZERO, left);
        Ok(Settlement { price, discount, bonus, account, cash: left.minus(account)? })
    }

    /// Whether the parts add up and none is below zero.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        let parts = [self.discount, self.bonus, self.account, self.cash];
        parts.iter().all(|part| *part >= Kopecks::ZERO) && Kopecks::total(parts) == Ok(self.price)
    }

    /// What was paid in money: what bonuses are accrued for.
    #[must_use]
    pub fn paid(&self) -> Kopecks {
        Kopecks(self.account.0.saturating_add(self.cash.0))
    }
}

#[cfg(test)]
mod tests;
