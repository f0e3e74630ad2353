//! The tables that the journal fills, and how a row that is there already is brought up to date. Facts may come twice,
//! late or in another order, so each column has a rule by which any order of writing leads to the same row. The same
//! rule joins changes in memory and in the database: a batch is folded first, then written as a few statements.

use std::fmt::Write as _;

use super::many::insert_of;
use super::schema::Dialect;
use super::sql::Sql;

/// A value of a column.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub(super) enum Value {
    /// Not known.
    #[default]
    Null,
    /// Number, moment, span or flag.
    Int(i64),
    /// Text.
    Text(String),
}

/// How a column of a row that is there is brought up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Part of the key.
    Key,
    /// Set when the row is made, never changed.
    Fixed,
    /// Whoever knows it first is right.
    First,
    /// The smallest.
    Least,
    /// Of whoever has the greater (or the same) value in the named column.
    Latest(&'static str),
    /// A guess until the named column is known.
    Until(&'static str),
    /// The end of a call: `LOST` is a guess, any other disposition replaces it and stays.
    End,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Int,
    Text,
}

struct Column {
    name: &'static str,
    kind: Kind,
    rule: Rule,
}

const fn int(name: &'static str, rule: Rule) -> Column {
    Column { name, kind: Kind::Int, rule }
}

const fn text(name: &'static str, rule: Rule) -> Column {
    Column { name, kind: Kind::Text, rule }
}

/// A table of the journal, in the order of writing: what is referred to comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Table {
    Calls,
    Legs,
    Offers,
    CallNotes,
    AgentState,
    AgentStatusLog,
}

static CALLS: [Column; 24] = [
    int("id", Rule::Key),
    int("node", Rule::First),
    text("channel", Rule::First),
    text("recording", Rule::First),
    text("number", Rule::First),
    text("number_rev", Rule::First),
    text("dialled", Rule::First),
    int("by_fallback", Rule::First),
    int("outgoing", Rule::First),
    int("arrived_at", Rule::Until("channel")),
    text("queue", Rule::Latest("requeued_at")),
    int("priority", Rule::Latest("requeued_at")),
    int("queued_at", Rule::Least),
    int("requeued_at", Rule::Latest("requeued_at")),
    int("told_at", Rule::First),
    int("told_ms", Rule::First),
    int("bridged_at", Rule::Least),
    int("agent", Rule::Latest("agent_at")),
    int("agent_at", Rule::Latest("agent_at")),
    int("ended_at", Rule::End),
    int("cause", Rule::End),
    int("waited_ms", Rule::End),
    int("talked_ms", Rule::End),
    text("disposition", Rule::End),
];
static LEGS: [Column; 11] = [
    int("call", Rule::Key),
    int("leg", Rule::Key),
    text("channel", Rule::First),
    int("agent", Rule::First),
    text("number", Rule::First),
    int("started_at", Rule::First),
    int("answered_at", Rule::First),
    int("ended_at", Rule::First),
    int("cause", Rule::First),
    int("wrapped_at", Rule::Least),
    int("talked_at", Rule::Least),
];
static OFFERS: [Column; 7] = [
    int("call", Rule::Key),
    int("offer", Rule::Key),
    int("agent", Rule::First),
    int("made_at", Rule::First),
    int("ringing_at", Rule::First),
    int("ended_at", Rule::First),
    text("outcome", Rule::First),
];
static CALL_NOTES: [Column; 7] = [
    int("call", Rule::Key),
    int("at", Rule::Key),
    int("digest", Rule::Key),
    text("what", Rule::Fixed),
    text("detail", Rule::Fixed),
    text("actor_kind", Rule::Fixed),
    text("actor_name", Rule::Fixed),
];
static AGENT_STATE: [Column; 6] = [
    int("agent", Rule::Key),
    text("status", Rule::Latest("status_at")),
    text("reason", Rule::Latest("status_at")),
    int("status_at", Rule::Latest("status_at")),
    int("calls_taken", Rule::Latest("idle_at")),
    int("idle_at", Rule::Latest("idle_at")),
];
static AGENT_STATUS_LOG: [Column; 6] = [
    int("agent", Rule::Key),
    int("at", Rule::Key),
    text("status", Rule::Key),
    text("reason", Rule::Key),
    text("actor_kind", Rule::Fixed),
    text("actor_name", Rule::Fixed),
];

/// A row of a table: what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) table: Table,
    values: Vec<Value>,
}

impl AsRef<[Value]> for Row {
    fn as_ref(&self) -> &[Value] {
        &self.values
    }
}

impl Table {
    /// All of them, in the order of writing.
    pub(super) const ALL: [Table; 6] =
        [Table::Calls, Table::Legs, Table::Offers, Table::CallNotes, Table::AgentState, Table::AgentStatusLog];

    fn columns(self) -> &'static [Column] {
        match self {
            Table::Calls => &CALLS,
            Table::Legs => &LEGS,
            Table::Offers => &OFFERS,
            Table::CallNotes => &CALL_NOTES,
            Table::AgentState => &AGENT_STATE,
            Table::AgentStatusLog => &AGENT_STATUS_LOG,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Table::Calls => "calls",
            Table::Legs => "legs",
            Table::Offers => "offers",
            Table::CallNotes => "call_notes",
            Table::AgentState => "agent_state",
            Table::AgentStatusLog => "agent_status_log",
        }
    }

    fn place(self, name: &str) -> Option<usize> {
        self.columns().iter().position(|column| column.name == name)
    }

    /// A row of which nothing is known yet.
    pub(super) fn row(self) -> Row {
        Row { table: self, values: vec![Value::Null; self.columns().len()] }
    }
}

impl Row {
    /// Sets a column. Answers `None` when the table has no such column or its kind is another.
    pub(super) fn try_with(mut self, name: &str, value: Value) -> Option<Row> {
        let place = self.table.place(name)?;
        let fits = match (self.table.columns().get(place)?.kind, &value) {
            (_, Value::Null) | (Kind::Int, Value::Int(_)) | (Kind::Text, Value::Text(_)) => true,
            (Kind::Int, Value::Text(_)) | (Kind::Text, Value::Int(_)) => false,
        };
        *self.values.get_mut(place)? = value;
        fits.then_some(self)
    }

    fn with(self, name: &'static str, value: Value) -> Row {
        let table = self.table;
        self.try_with(name, value).unwrap_or_else(|| {
            // Names are written in this folder and every one is reached by a test.
            debug_assert!(false, "{table:?} has no column {name} of this kind");
            table.row()
        })
    }

    /// Sets a number.
    pub(super) fn int(self, name: &'static str, value: impl Into<Option<i64>>) -> Row {
        let value = value.into().map_or(Value::Null, Value::Int);
        self.with(name, value)
    }

    /// Sets a text. PostgreSQL cannot store the NUL character, which a caller may send.
    pub(super) fn text(self, name: &'static str, value: &str) -> Row {
        let value = if value.contains('\0') { value.replace('\0', "") } else { value.to_owned() };
        self.with(name, Value::Text(value))
    }

    /// What is known of a column.
    pub(super) fn get(&self, name: &str) -> &Value {
        self.table.place(name).and_then(|place| self.values.get(place)).unwrap_or(&Value::Null)
    }

    /// The columns that are known, for the spill file.
    pub(super) fn known(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.table
            .columns()
            .iter()
            .map(|column| column.name)
            .zip(&self.values)
            .filter(|(_, value)| **value != Value::Null)
    }

    /// The key, under which a batch joins changes of one row.
    pub(super) fn key(&self) -> Vec<Value> {
        let keys = self.table.columns().iter().zip(&self.values).filter(|(column, _)| column.rule == Rule::Key);
        keys.map(|(_, value)| value.clone()).collect()
    }

    /// Brings this row up to date with a later one of the same key, as [`upsert`] does in the database.
    pub(super) fn join(&mut self, new: Row) {
        debug_assert_eq!(self.table, new.table);
        let takes: Vec<bool> = (0..self.values.len())
            .zip(self.table.columns())
            .map(|(place, column)| column.rule.takes_new(self, &new, place))
            .collect();
        for ((here, there), take) in self.values.iter_mut().zip(new.values).zip(takes) {
            if take {
                *here = there;
            }
        }
    }
}

impl Rule {
    fn takes_new(self, old: &Row, new: &Row, place: usize) -> bool {
        let is = old.values.get(place).unwrap_or(&Value::Null);
        let comes = new.values.get(place).unwrap_or(&Value::Null);
        match self {
            Rule::Key | Rule::Fixed => false,
            Rule::First => *is == Value::Null,
            Rule::Least => *is == Value::Null || (*comes != Value::Null && comes < is),
            Rule::Latest(stamp) => *new.get(stamp) != Value::Null && new.get(stamp) >= old.get(stamp),
            Rule::Until(known) => *old.get(known) == Value::Null,
            Rule::End => match old.get("disposition") {
                Value::Null => true,
                Value::Text(word) if word == LOST => *new.get("disposition") != Value::Null,
                Value::Text(_) | Value::Int(_) => false,
            },
        }
    }

    /// When the database takes the new value, as SQL.
    fn condition(self, table: &str, column: &str) -> Option<String> {
        match self {
            Rule::Key | Rule::Fixed => None,
            Rule::First => Some(format!("{table}.{column} IS NULL")),
            Rule::Least => Some(format!("{table}.{column} IS NULL OR excluded.{column} < {table}.{column}")),
            Rule::Latest(stamp) => Some(format!(
                "excluded.{stamp} IS NOT NULL AND ({table}.{stamp} IS NULL OR excluded.{stamp} >= {table}.{stamp})"
            )),
            Rule::Until(known) => Some(format!("{table}.{known} IS NULL")),
            Rule::End => Some(format!(
                "{table}.disposition IS NULL OR ({table}.disposition = '{LOST}' AND excluded.disposition IS NOT NULL)"
            )),
        }
    }
}

const LOST: &str = "LOST";

/// The statement that writes these rows of one table, each key once.
pub(super) fn upsert(table: Table, rows: &[Row], dialect: Dialect) -> Sql {
    let names: Vec<&str> = table.columns().iter().map(|column| column.name).collect();
    let mut sql = insert_of(dialect, table.name(), &names.join(", "), rows);
    sql.push(&conflict(table));
    sql
}

fn conflict(table: Table) -> String {
    let columns = table.columns();
    let keys: Vec<&str> = columns.iter().filter(|column| column.rule == Rule::Key).map(|column| column.name).collect();
    let mut text = format!(" ON CONFLICT ({}) DO ", keys.join(", "));
    let mut changes = 0;
    for column in columns {
        if let Some(condition) = column.rule.condition(table.name(), column.name) {
            let (table, name) = (table.name(), column.name);
            text.push_str(if changes == 0 { "UPDATE SET " } else { ", " });
            changes += 1;
            // Writing into a String cannot fail.
            let _ = write!(text, "{name} = CASE WHEN {condition} THEN excluded.{name} ELSE {table}.{name} END");
        }
    }
    if changes == 0 {
        text.push_str("NOTHING");
    }
    text
}
