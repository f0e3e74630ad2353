//! What every text from outside must fulfil before it is kept.

use super::rejected::{Problem, Rejected};

/// Names, streets, labels: characters.
pub const SHORT: usize = 120;
/// Notes, comments, reasons: characters.
pub const LONG: usize = 2000;

/// Checks a text of one or more lines: not longer than `max` characters and without control characters other than
/// line ends and tabs (PostgreSQL refuses NUL, terminals and CSV readers obey others).
pub(super) fn check(field: &'static str, text: &str, max: usize) -> Result<(), Rejected> {
    if text.chars().count() > max {
        return Err(Rejected::Field { field, problem: Problem::TooLong { max } });
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(Rejected::Field { field, problem: Problem::ControlCharacter });
    }
    Ok(())
}

/// Checks a text that must say something.
pub(super) fn check_some(field: &'static str, text: &str, max: usize) -> Result<(), Rejected> {
    if text.trim().is_empty() {
        return Err(Rejected::Field { field, problem: Problem::Empty });
    }
    check(field, text, max)
}

/// Checks how many there are.
pub(super) fn check_count(field: &'static str, count: usize, max: usize) -> Result<(), Rejected> {
    if count > max { Err(Rejected::Field { field, problem: Problem::TooMany { max } }) } else { Ok(()) }
}
