//! Days on which the staff should think of a client.

use serde::{Deserialize, Serialize};

use super::super::time::Date;
use super::Client;

/// Why a client is to be thought of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reason {
    /// Birthday.
    Birthday,
    /// Another day of the card's.
    Named {
        /// As the card calls it.
        label: String,
    },
    /// So many years a client.
    Anniversary,
    /// New Year.
    NewYear,
}

/// A task for the staff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
pub struct Attention {
    /// Why.
    pub reason: Reason,
    /// When.
    pub on: Date,
    /// How many years it is since the first time.
    pub years: u32,
}

/// The days of a client from `today` on, `days` of them with today, by date. `registered` is the day the card was made.
#[must_use]
pub fn attention(client: &Client, registered: Date, today: Date, days: u16) -> Vec<Attention> {
    if client.merged_into.is_some() || client.erased_at.is_some() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut look = |reason: &Reason, first: Date| {
        for year in [today.year(), today.year().saturating_add(1)] {
            let on = first.in_year(year);
            let ahead = on.days() - today.days();
            let years = u32::try_from(i64::from(on.year()) - i64::from(first.year())).unwrap_or(0);
            if (0..i64::from(days)).contains(&ahead) && years > 0 {
                found.push(Attention { reason: reason.clone(), on, years });
            }
        }
    };
    if let Some(birthday) = client.dates.birthday {
        look(&Reason::Birthday, birthday);
    }
    for named in &client.dates.others {
        look(&Reason::Named { label: named.label.clone() }, named.date);
    }
    look(&Reason::Anniversary, registered);
    if let Some(first) = Date::new(registered.year(), 1, 1) {
        look(&Reason::NewYear, first);
    }
    found.sort_by_key(|attention| attention.on);
    found.dedup();
    found
}
