//! The taximeter: from the points of a satellite receiver to distance and time.
//!
//! All arithmetic is on whole numbers, so the same points give the same millimetre on every machine, and the fare can be
//! reckoned again to the kopeck from the points that were stored.
//!
//! A receiver errs in three ways, and each has its rule ([`Rules`]):
//! - it trembles while the car stands: a step shorter than `min_step_m` is not a movement, the car stands where it was;
//! - it jumps: a point that could only be reached faster than `max_speed_kmh` is put aside. When `confirm_points` of
//!   them in a row agree with each other, it was the place before that was wrong: the track goes on from the new place
//!   and the leap between them is not charged;
//! - it is silent (tunnel, no network): across a gap the straight line is charged, times `bridge_permille`, unless that
//!   would be faster than a car can be, and then it is a jump.

mod distance;
mod zone;

use serde::{Deserialize, Serialize};

use super::address::GeoPoint;
use super::rejected::{Problem, Rejected};
use super::time::Wall;

pub use distance::distance_mm;
pub use zone::Zone;

/// Where the car was at a moment, as its receiver told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TrackPoint {
    /// When, by the receiver.
    pub at: Wall,
    /// Where.
    pub place: GeoPoint,
    /// Within how many metres; none when the receiver did not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy_m: Option<u32>,
}

/// What is believed of a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// A point less certain than this is not looked at.
    pub max_accuracy_m: u32,
    /// No car is faster.
    pub max_speed_kmh: u32,
    /// A shorter step is the receiver's trembling.
    pub min_step_m: u32,
    /// Slower than this between two steps, the car stood.
    pub standing_speed_kmh: u32,
    /// A silence longer than this is a gap.
    pub gap_s: u32,
    /// What a straight line across a gap is multiplied with, in thousandths.
    pub bridge_permille: u32,
    /// So many agreeing points in a row overrule the place before.
    pub confirm_points: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            max_accuracy_m: 100,
            max_speed_kmh: 200,
            min_step_m: 15,
            standing_speed_kmh: 5,
            gap_s: 30,
            bridge_permille: 1000,
            confirm_points: 3,
        }
    }
}

impl Rules {
    /// Refuses rules that could not hold.
    ///
    /// # Errors
    /// [`Rejected::Field`].
    pub fn check(&self) -> Result<(), Rejected> {
        for (field, fits) in [
            ("max_accuracy_m", self.max_accuracy_m >= 1),
            ("max_speed_kmh", (1..=400).contains(&self.max_speed_kmh)),
            ("min_step_m", self.min_step_m <= 1000),
            ("standing_speed_kmh", self.standing_speed_kmh <= self.max_speed_kmh),
            ("gap_s", self.gap_s >= 1),
            ("bridge_permille", self.bridge_permille <= 3000),
            ("confirm_points", (1..=100).contains(&self.confirm_points)),
        ] {
            if !fits {
                return Err(Rejected::Field { field, problem: Problem::OutOfRange });
            }
        }
        Ok(())
    }
}

/// What was measured of a trip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Trip {
    /// Millimetres inside the city.
    pub inside_mm: u64,
    /// Millimetres outside.
    pub outside_mm: u64,
    /// From start to stop, milliseconds.
    pub duration_ms: u64,
    /// Of that the car stood, milliseconds.
    pub standing_ms: u64,
    /// Of the distance, millimetres across gaps.
    pub bridged_mm: u64,
    /// Points that counted.
    pub used: u32,
    /// Points that were put aside: uncertain, twice, outside the trip, or jumps.
    pub dropped: u32,
}

impl Trip {
    /// A trip as it is expected, for an estimate.
    #[must_use]
    pub fn expected(inside_m: u32, outside_m: u32, duration_s: u32) -> Trip {
        Trip {
            inside_mm: u64::from(inside_m) * 1000,
            outside_mm: u64::from(outside_m) * 1000,
            duration_ms: u64::from(duration_s) * 1000,
            ..Trip::default()
        }
    }
}

/// Measures a trip between two moments. The points may come in any order and more than once.
#[must_use]
pub fn measure(points: &[TrackPoint], start: Wall, stop: Wall, rules: &Rules, zone: &Zone) -> Trip {
    let mut sorted: Vec<TrackPoint> = points.to_vec();
    sorted.sort_unstable();
    let mut meter = Taximeter::new(start, *rules, zone.clone());
    for point in &sorted {
        if point.at <= stop {
            meter.add(point);
        } else {
            meter.trip.dropped = meter.trip.dropped.saturating_add(1);
        }
    }
    meter.stopped(stop)
}

/// A taximeter that runs: points in the order of their times. What comes late is not counted here; [`measure`] over all
/// stored points at the end has the last word.
#[derive(Clone, Debug)]
pub struct Taximeter {
    start: Wall,
    rules: Rules,
    zone: Zone,
    trip: Trip,
    /// The last place that is believed, and the moment of it.
    anchor: Option<TrackPoint>,
    /// The last moment at which the car was still believed to be at the anchor.
    seen: Wall,
    /// A run of points that agree with each other but not with the anchor.
    strays: Vec<TrackPoint>,
}

/// How one point is reached from another.
enum Step {
    /// Too fast for a car.
    Jump,
    /// Within the receiver's trembling.
    Tremble,
    /// So many millimetres.
    Move(u64),
}

impl Taximeter {
    /// Starts.
    #[must_use]
    pub fn new(start: Wall, rules: Rules, zone: Zone) -> Taximeter {
        Taximeter { start, rules, zone, trip: Trip::default(), anchor: None, seen: start, strays: Vec::new() }
    }

    /// One more point.
    pub fn add(&mut self, point: &TrackPoint) {
        let uncertain = point.accuracy_m.is_some_and(|metres| metres > self.rules.max_accuracy_m);
        let latest = self.strays.last().map(|stray| stray.at).or(self.anchor.map(|_| self.seen));
        let late = point.at < self.start || latest.is_some_and(|latest| point.at <= latest);
        if uncertain || late || point.place.check("place").is_err() {
            self.trip.dropped = self.trip.dropped.saturating_add(1);
        } else if self.follow(point) {
            self.dismiss_strays();
        } else {
            self.stray(point);
        }
    }

    /// What is measured when it stops at that moment.
    #[must_use]
    pub fn stopped(mut self, stop: Wall) -> Trip {
        self.dismiss_strays();
        self.trip.duration_ms = millis(stop, self.start);
        self.trip.standing_ms = self.trip.standing_ms.min(self.trip.duration_ms);
        self.trip
    }

    /// What is measured so far.
    #[must_use]
    pub fn so_far(&self, now: Wall) -> Trip {
        self.clone().stopped(now)
    }

    /// Goes on to this point; false when no car could.
    fn follow(&mut self, point: &TrackPoint) -> bool {
        let step = self.anchor.map(|anchor| (anchor, self.step(&anchor, self.seen, point)));
        match step {
            None => {
                self.anchor = Some(*point);
                self.seen = point.at;
            }
            Some((_, Step::Jump)) => return false,
            Some((_, Step::Tremble)) => {
                // The car was still at the anchor at that moment.
                self.trip.standing_ms = self.trip.standing_ms.saturating_add(millis(point.at, self.seen));
                self.seen = point.at;
            }
            Some((anchor, Step::Move(mm))) => self.go(&anchor, point, mm),
        }
        self.trip.used = self.trip.used.saturating_add(1);
        true
    }

    fn step(&self, from: &TrackPoint, left_at: Wall, to: &TrackPoint) -> Step {
        let mm = distance_mm(from.place, to.place);
        // A car that was seen trembling at the anchor left it after that, so it is the shorter time that counts. One
        // trembling step of way may lie behind it by then.
        let ms = millis(to.at, left_at);
        let tremble = u64::from(self.rules.min_step_m) * 1000;
        // km/h * ms / 3.6 = mm
        let reach = u64::from(self.rules.max_speed_kmh).saturating_mul(ms).saturating_mul(10) / 36;
        if mm < tremble {
            Step::Tremble
        } else if mm > reach.saturating_add(tremble) {
            Step::Jump
        } else {
            Step::Move(mm)
        }
    }

    fn go(&mut self, anchor: &TrackPoint, point: &TrackPoint, mm: u64) {
        let ms = millis(point.at, self.seen);
        let mut charged = mm;
        if ms > u64::from(self.rules.gap_s) * 1000 {
            charged = mm.saturating_mul(u64::from(self.rules.bridge_permille)) / 1000;
            self.trip.bridged_mm = self.trip.bridged_mm.saturating_add(charged);
        }
        if mm.saturating_mul(36) < u64::from(self.rules.standing_speed_kmh).saturating_mul(ms).saturating_mul(10) {
            self.trip.standing_ms = self.trip.standing_ms.saturating_add(ms);
        }
        let part = if self.zone.is_inside(anchor.place) { &mut self.trip.inside_mm } else { &mut self.trip.outside_mm };
        *part = part.saturating_add(charged);
        self.anchor = Some(*point);
        self.seen = point.at;
    }

    /// Puts a point aside; enough of them that agree with each other begin the track anew.
    fn stray(&mut self, point: &TrackPoint) {
        let agrees = self.strays.last().is_some_and(|last| match self.step(last, last.at, point) {
            Step::Jump => false,
            Step::Tremble | Step::Move(_) => true,
        });
        if !agrees {
            self.dismiss_strays();
        }
        self.strays.push(*point);
        if self.strays.len() < usize::try_from(self.rules.confirm_points).unwrap_or(usize::MAX) {
            return;
        }
        self.anchor = None;
        for point in std::mem::take(&mut self.strays) {
            // Each agrees with the one before it, but not always with where the run first stood still.
            if !self.follow(&point) {
                self.trip.dropped = self.trip.dropped.saturating_add(1);
            }
        }
    }

    fn dismiss_strays(&mut self) {
        let count = u32::try_from(self.strays.len()).unwrap_or(u32::MAX);
        self.trip.dropped = self.trip.dropped.saturating_add(count);
        self.strays.clear();
    }
}

fn millis(later: Wall, earlier: Wall) -> u64 {
    u64::try_from(later.since(earlier).as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
