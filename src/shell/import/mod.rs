//! Files that an administrator brings along: tables (CSV) and maps (OpenStreetMap). Nothing wrong in a file stops the
//! reading: every bad line is told with its number.

pub(super) mod osm;
pub(super) mod streets;
pub(super) mod table;

/// A line that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{why}", if *line > 0 { format!("line {line}: ") } else { String::new() })]
pub(super) struct BadLine {
    /// From 1, the header included; 0 where lines mean nothing.
    pub(super) line: u64,
    /// What is wrong with it.
    pub(super) why: String,
}
