//! Clients and orders as tables (CSV), in and out; and all that is known of one client, for that client.
//!
//! A table is UTF-8 with `;`, `,` or tab, and a header with names of columns in any order; what is exported can be imported
//! again. Importing checks the whole table first and lists everything that is wrong with it; only then something is
//! written, each line in a transaction of its own. A table that was imported half-way is imported again: what is there
//! already is passed over.

pub mod clients;
pub mod orders;
pub mod personal;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::Read;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::language::Language;
use crate::domain::rejected::Rejected;
use crate::domain::search::fold;
use crate::shell::store::catalogue::Listed;
use crate::shell::store::{Store, StoreError};

use super::import::BadLine;
use super::import::table::{Line, Table};

/// Lines of one table at most.
pub const MOST_LINES: usize = 1_000_000;

/// Something that is wrong with a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema, thiserror::Error)]
#[error("line {line}{}: {why}", if column.is_empty() { String::new() } else { format!(", {column}") })]
pub struct Fault {
    /// Which line, from 1, the header included.
    pub line: u64,
    /// Which column; empty when it is the whole line.
    pub column: String,
    /// What is wrong, and what to do.
    pub why: String,
}

impl From<BadLine> for Fault {
    fn from(bad: BadLine) -> Fault {
        Fault { line: bad.line, column: String::new(), why: bad.why }
    }
}

/// What is to be done with a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Check only.
    pub dry_run: bool,
    /// Write the good lines of a table that has bad ones.
    pub skip_bad: bool,
}

impl Wish {
    fn writes(self, report: &Report) -> bool {
        !self.dry_run && (self.skip_bad || report.faults.is_empty())
    }
}

/// What came of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Report {
    /// Lines without the header.
    pub lines: u64,
    /// Of these, good and not known yet: they were written, or would be.
    pub new: u64,
    /// Of these, there already, and left as they are.
    pub known: u64,
    /// What is wrong.
    pub faults: Vec<Fault>,
    /// Columns of the table that nothing is made of; a slip of the pen in a header shows here.
    pub ignored_columns: Vec<String>,
    /// Something may have been written.
    pub done: bool,
}

/// Why nothing could be done.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The table cannot be written as CSV.
    #[error("the table cannot be written: {0}")]
    Write(#[from] csv::Error),
}

/// A column: its name, and other names that it may have in a table.
type Column = (&'static str, &'static [&'static str]);

/// A table with known columns.
struct Sheet<R> {
    table: Table<R>,
    places: BTreeMap<&'static str, usize>,
}

impl<R: Read> Sheet<R> {
    fn open(from: R, columns: &'static [Column], report: &mut Report) -> Result<Sheet<R>, BadLine> {
        let table = Table::open(from)?;
        let names = |(name, others): &Column| std::iter::once(*name).chain(others.iter().copied()).collect::<Vec<_>>();
        let places: BTreeMap<_, _> =
            columns.iter().filter_map(|column| Some((column.0, table.column(&names(column))?))).collect();
        let known: Vec<String> = columns.iter().flat_map(names).map(fold).collect();
        report.ignored_columns =
            table.columns().iter().filter(|name| !name.is_empty() && !known.contains(name)).cloned().collect();
        Ok(Sheet { table, places })
    }

    /// Every line, read by `take`; what is wrong goes to the report.
    fn each(&mut self, report: &mut Report, mut take: impl FnMut(&Cells<'_>) -> Result<(), Fault>) {
        while let Some(line) = self.table.next_line() {
            report.lines += 1;
            if report.lines > MOST_LINES as u64 {
                let why = format!("a table has at most {MOST_LINES} lines: divide it");
                report.faults.push(Fault { line: report.lines, column: String::new(), why });
                return;
            }
            let taken = match line {
                Ok(line) => take(&Cells { line: &line, places: &self.places }),
                Err(bad) => Err(bad.into()),
            };
            report.faults.extend(taken.err());
        }
    }
}

/// The cells of a line.
struct Cells<'a> {
    line: &'a Line,
    places: &'a BTreeMap<&'static str, usize>,
}

impl Cells<'_> {
    /// The text of a column, without what [`guarded`] puts before it.
    fn text(&self, column: &'static str) -> String {
        let text = self.line.get(self.places.get(column).copied());
        text.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(text).to_owned()
    }

    fn fault(&self, column: &str, why: impl Into<String>) -> Fault {
        Fault { line: self.line.number, column: column.to_owned(), why: why.into() }
    }

    /// A column that a function reads; none when it is empty.
    fn parsed<T>(
        &self,
        column: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
        advice: &str,
    ) -> Result<Option<T>, Fault> {
        let text = self.text(column);
        if text.is_empty() {
            return Ok(None);
        }
        let read = read(&text).ok_or_else(|| self.fault(column, format!("{text:?} cannot be read: {advice}")))?;
        Ok(Some(read))
    }

    /// A refusal of the domain, told of the column that it is about.
    fn refused(&self, rejected: &Rejected, columns: &[(&str, &str)]) -> Fault {
        let column = if let Rejected::Field { field, problem: _ } = rejected {
            columns.iter().find(|(name, _)| name == field).map_or(*field, |(_, column)| *column)
        } else {
            ""
        };
        self.fault(column, rejected.text(Language::En))
    }
}

/// Names of a list of the office (tariffs, groups), in any letter case, with their numbers.
struct Names(BTreeMap<String, i64>);

impl Names {
    async fn read<T: Listed>(store: &Store) -> Result<Names, StoreError> {
        let items = store.list_items::<T>().await?;
        let offered = items.into_iter().filter(|item| !item.retired);
        Ok(Names(offered.map(|item| (fold(&item.value.name()), item.id)).collect()))
    }

    fn find(&self, cells: &Cells<'_>, column: &'static str) -> Result<Option<i64>, Fault> {
        let all = self.0.keys().cloned().collect::<Vec<_>>().join(", ");
        cells.parsed(column, |text| self.0.get(&fold(text)).copied(), &format!("there is {all}"))
    }

    /// Names by number, the retired ones too, for export.
    async fn by_number<T: Listed>(store: &Store) -> Result<BTreeMap<i64, String>, StoreError> {
        let items = store.list_items::<T>().await?;
        Ok(items.into_iter().map(|item| (item.id, item.value.name().to_owned())).collect())
    }
}

/// Would a spreadsheet take it for a formula? A number with its sign is none.
fn is_formula(text: &str) -> bool {
    let rest = text.strip_prefix(['+', '-']);
    let number = rest.is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '.' || c == ','));
    !number && text.starts_with(['=', '+', '-', '@', '\t'])
}

/// Text that a spreadsheet will not run: names and notes are what strangers said (CSV injection, OWASP).
fn guarded(text: String) -> String {
    if is_formula(&text) { format!("'{text}") } else { text }
}

/// Writes tables as spreadsheets of Russian offices read them: `;`, and a mark that it is UTF-8.
struct Writer(csv::Writer<Vec<u8>>);

impl Writer {
    fn new(first: bool, header: &[Column]) -> Result<Writer, csv::Error> {
        let start = if first { "\u{feff}".as_bytes().to_vec() } else { Vec::new() };
        let mut writer = Writer(csv::WriterBuilder::new().delimiter(b';').from_writer(start));
        if first {
            writer.0.write_record(header.iter().map(|(name, _)| *name))?;
        }
        Ok(writer)
    }

    fn line(&mut self, cells: impl IntoIterator<Item = String>) -> Result<(), csv::Error> {
        self.0.write_record(cells.into_iter().map(guarded))
    }

    fn done(self) -> Result<Vec<u8>, csv::Error> {
        self.0.into_inner().map_err(|error| csv::Error::from(error.into_error()))
    }
}

/// A part of an export.
pub struct Part {
    /// CSV; the first part begins with the header.
    pub bytes: Vec<u8>,
    /// Where the next part begins; none after the last.
    pub next: Option<String>,
}

/// A moment as tables write it: RFC 3339, UTC.
fn moment(at: crate::engine::time::Wall) -> String {
    let at = chrono::DateTime::from_timestamp_millis(at.0).unwrap_or_default();
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
