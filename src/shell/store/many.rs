//! Statements for many values or rows, which go to the database as one JSON value: however many there are, the text is
//! the same, so that it is prepared once, and one statement takes them all.

use serde::{Serialize, Serializer};

use super::schema::Dialect;
use super::sql::Sql;
use super::table::Value;

/// A row, by the names of its columns.
struct Record<'a> {
    columns: &'a str,
    values: &'a [Value],
}

/// Between the names of columns.
const COMMA: &str = ", ";

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let known = self.columns.split(COMMA).zip(self.values).filter(|(_, value)| **value != Value::Null);
        // What is not there is read as NULL.
        serializer.collect_map(known)
    }
}

/// Adds rows to a table of ours, in their order. A conflict clause or RETURNING may follow.
pub(super) fn insert_of(dialect: Dialect, table: &str, columns: &str, rows: &[impl AsRef<[Value]>]) -> Sql {
    let records = records(dialect, table, columns);
    // Without a WHERE before it, SQLite would take ON CONFLICT for the condition of a join.
    let text = format!("INSERT INTO {table} ({columns}) SELECT {columns} FROM {records} WHERE true");
    Sql::new(text).with_records(columns, rows)
}

/// What stands after FROM: `$1`, given [`with_records`](Sql::with_records), as rows `r` with the types of this table.
pub(super) fn records(dialect: Dialect, table: &str, columns: &str) -> String {
    match dialect {
        Dialect::Sqlite => {
            let read: Vec<String> = columns.split(COMMA).map(|name| format!("value ->> '{name}' AS {name}")).collect();
            format!("(SELECT {} FROM json_each($1)) AS r", read.join(COMMA))
        }
        Dialect::Postgres => format!("json_populate_recordset(CAST(NULL AS {table}), CAST($1 AS json)) AS r"),
    }
}

/// A set for IN: the texts in `$1`, given [`with_json`](Sql::with_json).
pub(super) fn texts(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "(SELECT value FROM json_each($1))",
        Dialect::Postgres => "(SELECT json_array_elements_text(CAST($1 AS json)))",
    }
}

/// A set for IN: the numbers in `$1`, given [`with_json`](Sql::with_json).
pub(super) fn numbers(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => texts(dialect),
        Dialect::Postgres => "(SELECT CAST(json_array_elements_text(CAST($1 AS json)) AS BIGINT))",
    }
}

impl Sql {
    /// The value of the next `$n`: rows with these columns.
    #[must_use]
    pub(super) fn with_records(self, columns: &str, rows: &[impl AsRef<[Value]>]) -> Sql {
        let rows: Vec<Record> = rows.iter().map(|row| Record { columns, values: row.as_ref() }).collect();
        self.with_json(&rows)
    }
}
