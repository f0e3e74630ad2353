//! Recordings found by whatever is remembered of the talk, the newest first, among very many.
//!
//! Ids of calls grow with time, so every wish has an index that gives its calls in the order of the list. A search counts
//! a few rows of each wish, walks through the index of the rarest one, and looks at the others call by call until the
//! page is full: what a page costs depends on the page, not on the archive.

use super::calls::ends_with;
use super::change::{call_key, reversed};
use super::page::{Place, with_one_more};
use super::recordings::{RecordingRow, RecordingState, SELECT, recording};
use super::transcripts::stems;
use super::{Columns as _, Dialect, Page, Result, Sql, Store};
use crate::domain::ids::{ClientId, OrderId, PurposeId};
use crate::domain::phone::Phone;
use crate::engine::ids::{AgentId, CallId};
use crate::engine::time::Wall;
use crate::engine::view::Disposition;

/// Rows of each wish that are counted to know which is the rarest.
const COUNTED: i64 = 10_000;
/// A span of lengths has no order of time: all its rows are read and put in order, if they are no more than these.
const SORTED: i64 = COUNTED;
/// Cards that are looked at for a name, the likeliest,
const NAMED: u32 = 100;
/// and for the middle of a number.
const NUMBERED: u32 = 300;
/// So many last digits find numbers by an index; more are looked for wherever they stand.
const SHORTEST: usize = 3;
/// Words that were said, of a search.
const MOST_SAID: usize = 8;
/// How far a call's number may be from the call's arrival: the clock may have been set in between.
const SLACK_MS: i64 = 86_400_000;
/// Calls belong to an order that were made so long before it was taken,
const BEFORE_ORDER_MS: i64 = 600_000;
/// and so long after it ended.
const AFTER_ORDER_MS: i64 = 3_600_000;

/// Which recordings to list; what is not given does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordingFilter {
    /// The call arrived at this moment or later.
    pub from: Option<Wall>,
    /// The call arrived before this moment.
    pub to: Option<Wall>,
    /// The caller's number in any form, its last digits, or four digits of it at least wherever they stand.
    pub number: Option<String>,
    /// A part of the client's name, or whatever else the card is found by.
    pub name: Option<String>,
    /// This agent talked.
    pub agent: Option<AgentId>,
    /// This agent talked last.
    pub last_agent: Option<AgentId>,
    /// Is so.
    pub state: Option<RecordingState>,
    /// The call ended so.
    pub disposition: Option<Disposition>,
    /// At least so long, milliseconds.
    pub length_from: Option<i64>,
    /// At most so long, milliseconds.
    pub length_to: Option<i64>,
    /// A call of the order's client while the order was open, or one that a contact links with it.
    pub order: Option<OrderId>,
    /// The client came for this.
    pub purpose: Option<PurposeId>,
    /// Has a mark of this kind.
    pub mark: Option<String>,
    /// All these words were said, in whatever order and with whatever endings.
    pub text: Option<String>,
}

/// What is wished of a recording `r` and its call `c`.
enum Wish {
    Number(String),
    NumberPart { digits: String, clients: Vec<i64> },
    Hidden,
    Clients(Vec<i64>),
    Order { order: i64, clients: Vec<i64>, phone: String, from: i64, to: i64 },
    Agent(i64),
    LastAgent(i64),
    State(&'static str),
    Disposition(&'static str),
    Length { from: i64, to: i64 },
    Purpose(i64),
    Mark(String),
    Said(String),
}

/// The calls of the time that is asked for.
#[derive(Clone, Copy, Default)]
struct Span {
    from: Option<i64>,
    to: Option<i64>,
}

impl Span {
    fn of(filter: &RecordingFilter, after: Option<Place>) -> Span {
        let key = |at: i64| call_key(CallId(u64::try_from(at).unwrap_or(0).min(u64::from(u32::MAX) << 11) << 20));
        let after = after.map(|place| place.at.saturating_add(1));
        let to = filter.to.map(|at| key(at.0.saturating_add(SLACK_MS)));
        Span {
            from: filter.from.map(|at| key(at.0.saturating_sub(SLACK_MS))),
            to: [after, to].into_iter().flatten().min(),
        }
    }

    fn narrow(self, sql: &mut Sql, column: &str) {
        for (bound, sign) in [(self.from, ">="), (self.to, "<")] {
            if let Some(bound) = bound {
                sql.push(&format!(" AND {column} {sign} "));
                sql.push_value(bound);
            }
        }
    }
}

impl Wish {
    /// Where its calls stand in the order of time, or few enough of them: the table as `l`, and its column of calls.
    fn source(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Wish::Number(_) | Wish::Disposition(_) => Some(("calls l", "l.id")),
            Wish::NumberPart { digits, .. } if digits.len() < SHORTEST => None,
            Wish::NumberPart { .. } | Wish::Clients(_) | Wish::Order { .. } => Some(("", "l.call")),
            Wish::Agent(_) => Some(("legs l", "l.call")),
            Wish::Purpose(_) => Some(("contacts l", "l.call")),
            Wish::Mark(_) => Some(("recording_marks l", "l.call")),
            Wish::Said(_) => Some(("transcript_index l", "l.call")),
            Wish::State(_) | Wish::Length { .. } => Some(("recordings l", "l.call")),
            Wish::Hidden | Wish::LastAgent(_) => None,
        }
    }

    /// Up to how many rows it may lead.
    fn most(&self) -> i64 {
        if matches!(self, Wish::Length { .. }) { SORTED } else { i64::MAX }
    }

    /// ` FROM … WHERE …` of its calls in that span, with more tables behind its own.
    fn lead(&self, sql: &mut Sql, joined: &str, span: Span) {
        let Some((table, call)) = self.source() else { return };
        sql.push(" FROM ");
        match self {
            Wish::NumberPart { digits, clients } => {
                sql.push("(SELECT e.id AS call FROM calls e WHERE ");
                ends_with(sql, "e.number_rev", digits);
                span.narrow(sql, "e.id");
                if !clients.is_empty() {
                    sql.push(" UNION ");
                    calls_of(sql, clients, span);
                }
                sql.push(&format!(") l{joined} WHERE 1 = 1"));
            }
            Wish::Clients(clients) => {
                sql.push("(");
                calls_of(sql, clients, span);
                sql.push(&format!(") l{joined} WHERE 1 = 1"));
            }
            Wish::Order { order, clients, phone, from, to } => {
                sql.push("(SELECT k.call AS call FROM contact_references f JOIN contacts k ON k.id = f.contact WHERE ");
                sql.push("k.call IS NOT NULL AND f.document = 'order' AND f.number = ");
                sql.push_value(order.to_string());
                span.narrow(sql, "k.call");
                sql.push(" UNION SELECT p.id AS call FROM calls p WHERE p.number_rev = ");
                sql.push_value(reversed(phone));
                sql.push(" AND p.number <> '' AND p.arrived_at >= ");
                sql.push_value(*from);
                sql.push(" AND p.arrived_at < ");
                sql.push_value(*to);
                if !clients.is_empty() {
                    sql.push(" UNION ");
                    let key = |at: i64| u64::try_from(at).map_or(0, |at| call_key(CallId(at << 20)));
                    calls_of(sql, clients, Span { from: Some(key(*from)), to: Some(key(*to)) });
                }
                sql.push(&format!(") l{joined} WHERE 1 = 1"));
            }
            Wish::Number(_)
            | Wish::Hidden
            | Wish::Agent(_)
            | Wish::LastAgent(_)
            | Wish::State(_)
            | Wish::Disposition(_)
            | Wish::Length { .. }
            | Wish::Purpose(_)
            | Wish::Mark(_)
            | Wish::Said(_) => {
                sql.push(&format!("{table}{joined} WHERE "));
                self.of_lead(sql);
            }
        }
        span.narrow(sql, call);
    }

    /// Its condition on `l`.
    fn of_lead(&self, sql: &mut Sql) {
        match self {
            Wish::Number(number) => equals(sql, "l.number_rev", reversed(number)),
            Wish::Disposition(word) => equals(sql, "l.disposition", (*word).to_owned()),
            Wish::Agent(agent) => equals(sql, "l.talked_at IS NOT NULL AND l.agent", *agent),
            Wish::Purpose(purpose) => equals(sql, "l.call IS NOT NULL AND l.purpose", *purpose),
            Wish::Mark(kind) => equals(sql, "l.kind", kind.clone()),
            Wish::Said(word) => equals(sql, "l.word", word.clone()),
            Wish::State(state) => equals(sql, "l.state", (*state).to_owned()),
            Wish::Length { from, to } => between(sql, "l.duration_ms", *from, *to),
            Wish::NumberPart { .. } | Wish::Hidden | Wish::Clients(_) | Wish::Order { .. } | Wish::LastAgent(_) => {
                sql.push("1 = 1")
            }
        }
    }

    /// Of a lead that has a call more than once: the first row alone. Asked of `r`, that is after what costs less.
    fn once(&self) -> &'static str {
        match self {
            Wish::Agent(_) => {
                " AND NOT EXISTS (SELECT 1 FROM legs o WHERE o.call = r.call AND o.leg < l.leg \
                 AND +o.agent = l.agent AND o.talked_at IS NOT NULL)"
            }
            Wish::Mark(_) => {
                " AND r.id = l.recording AND NOT EXISTS (SELECT 1 FROM recording_marks o \
                 WHERE o.recording = r.id AND o.kind || '' = l.kind AND o.id < l.id)"
            }
            Wish::State(_) | Wish::Length { .. } => " AND r.id = l.id",
            Wish::Said(_) => " AND r.id = l.recording",
            Wish::Number(_)
            | Wish::NumberPart { .. }
            | Wish::Hidden
            | Wish::Clients(_)
            | Wish::Order { .. }
            | Wish::LastAgent(_)
            | Wish::Disposition(_)
            | Wish::Purpose(_) => "",
        }
    }

    /// Its condition on `r` and `c`, which keeps the databases from other ways than the one that was chosen.
    fn probe(&self, sql: &mut Sql) {
        sql.push(" AND ");
        match self {
            Wish::Number(number) => equals(sql, "c.number", number.clone()),
            Wish::NumberPart { digits, .. } if digits.len() <= SHORTEST => {
                sql.push("c.number LIKE ");
                sql.push_value(format!("%{digits}"));
            }
            Wish::NumberPart { digits, .. } => {
                sql.push("(c.number LIKE ");
                sql.push_value(format!("%{digits}%"));
                if let Some(rest) = digits.strip_prefix('8') {
                    // «8 900 …» is typed for «+7 900 …».
                    sql.push(" OR c.number LIKE ");
                    sql.push_value(format!("+7{rest}%"));
                }
                sql.push(")");
            }
            Wish::Hidden => sql.push("c.number = '' AND c.erased_at IS NULL"),
            Wish::Clients(clients) => {
                sql.push("r.call IN (");
                calls_of(sql, clients, Span::default());
                sql.push(")");
            }
            Wish::Order { .. } => {
                sql.push("r.call IN (SELECT l.call");
                self.lead(sql, "", Span::default());
                sql.push(")");
            }
            Wish::Agent(agent) => {
                sql.push("EXISTS (SELECT 1 FROM legs o WHERE o.talked_at IS NOT NULL AND o.call = r.call AND ");
                equals(sql, "+o.agent", *agent);
                sql.push(")");
            }
            Wish::LastAgent(agent) => equals(sql, "c.agent", *agent),
            Wish::State(state) => equals(sql, "r.state || ''", (*state).to_owned()),
            Wish::Disposition(word) => equals(sql, "c.disposition", (*word).to_owned()),
            Wish::Length { from, to } => between(sql, "+r.duration_ms", *from, *to),
            Wish::Purpose(purpose) => {
                sql.push("EXISTS (SELECT 1 FROM contacts k WHERE k.call = r.call AND ");
                equals(sql, "+k.purpose", *purpose);
                sql.push(")");
            }
            Wish::Mark(kind) => {
                sql.push("EXISTS (SELECT 1 FROM recording_marks k WHERE k.recording = r.id AND ");
                equals(sql, "k.kind || ''", kind.clone());
                sql.push(")");
            }
            Wish::Said(word) => {
                sql.push("EXISTS (SELECT 1 FROM transcript_index k WHERE k.call = r.call AND k.recording = r.id AND ");
                equals(sql, "k.word", word.clone());
                sql.push(")");
            }
        }
    }

    /// An index has its calls in the order of time.
    fn is_in_order(&self) -> bool {
        match self {
            Wish::Agent(_)
            | Wish::State(_)
            | Wish::Disposition(_)
            | Wish::Purpose(_)
            | Wish::Mark(_)
            | Wish::Said(_) => true,
            Wish::Number(_)
            | Wish::NumberPart { .. }
            | Wish::Hidden
            | Wish::Clients(_)
            | Wish::Order { .. }
            | Wish::LastAgent(_)
            | Wish::Length { .. } => false,
        }
    }

    /// Asks something of `c`.
    fn is_of_calls(&self) -> bool {
        matches!(
            self,
            Wish::Number(_) | Wish::NumberPart { .. } | Wish::Hidden | Wish::LastAgent(_) | Wish::Disposition(_)
        )
    }

    /// Its lead has calls that it is not about: a client may have several numbers.
    fn is_coarse(&self) -> bool {
        matches!(self, Wish::NumberPart { .. })
    }

    /// Nothing can answer it.
    fn is_vain(&self) -> bool {
        matches!(self, Wish::Clients(clients) if clients.is_empty())
    }
}

fn equals<T>(sql: &mut Sql, column: &str, value: T)
where
    T: 'static + sqlx::encode::Encode<'static, sqlx::Any> + sqlx::types::Type<sqlx::Any>,
{
    sql.push(&format!("{column} = "));
    sql.push_value(value);
}

fn between(sql: &mut Sql, column: &str, from: i64, to: i64) {
    sql.push(&format!("{column} >= "));
    sql.push_value(from);
    sql.push(&format!(" AND {column} <= "));
    sql.push_value(to);
}

/// The calls of these cards, with the numbers that they had at the time.
fn calls_of(sql: &mut Sql, clients: &[i64], span: Span) {
    sql.push(
        "SELECT b.id AS call FROM client_phones p CROSS JOIN calls b WHERE b.number_rev = p.number_rev \
         AND b.arrived_at >= p.since AND (p.until IS NULL OR b.arrived_at < p.until) AND p.client IN ",
    );
    sql.push_list(clients.iter().copied());
    span.narrow(sql, "b.id");
}

impl Store {
    /// A page of recordings, the newest calls first.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`](super::StoreError::BadCursor), or when the database does not answer.
    pub async fn list_recordings(
        &self,
        filter: &RecordingFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<RecordingRow>> {
        let after = Place::parse(cursor)?;
        let span = Span::of(filter, after);
        let wishes = self.wishes(filter).await?;
        if wishes.iter().any(Wish::is_vain) {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let lead = self.rarest(&wishes, span).await?;
        let places = self.places(filter, &wishes, lead, span, after, limit).await?;
        let page = Page::cut(places, limit, |place| *place);
        let items = self.recordings_in_order(&page.items).await?;
        Ok(Page { items, next: page.next })
    }

    async fn wishes(&self, filter: &RecordingFilter) -> Result<Vec<Wish>> {
        let mut wishes = Vec::new();
        if let Some(number) = &filter.number {
            wishes.push(self.number_wish(number).await?);
        }
        if let Some(name) = &filter.name {
            let clients = self.search_clients(name, NAMED).await?;
            wishes.push(Wish::Clients(self.with_merged(clients.iter().map(|client| client.id)).await?));
        }
        if let Some(order) = filter.order {
            wishes.push(self.order_wish(order).await?);
        }
        wishes
            .extend(filter.text.as_deref().map(stems).unwrap_or_default().into_iter().take(MOST_SAID).map(Wish::Said));
        wishes.extend(filter.mark.clone().map(Wish::Mark));
        wishes.extend(filter.purpose.map(|purpose| Wish::Purpose(purpose.0)));
        wishes.extend(filter.agent.map(|agent| Wish::Agent(i64::from(agent.0))));
        wishes.extend(filter.last_agent.map(|agent| Wish::LastAgent(i64::from(agent.0))));
        wishes.extend(filter.disposition.map(|disposition| Wish::Disposition(disposition.as_str())));
        wishes.extend(filter.state.map(|state| Wish::State(state.as_str())));
        if filter.length_from.is_some() || filter.length_to.is_some() {
            let (from, to) = (filter.length_from.unwrap_or(0), filter.length_to.unwrap_or(i64::MAX));
            wishes.push(Wish::Length { from, to });
        }
        Ok(wishes)
    }

    async fn number_wish(&self, number: &str) -> Result<Wish> {
        Ok(match Phone::parse(number) {
            // Ten digits with the country code: a whole Russian number, in whatever form it was typed.
            Phone::Full(whole) if whole.len() == 12 || number.trim_start().starts_with('+') => Wish::Number(whole),
            Phone::Hidden => Wish::Hidden,
            Phone::Internal(_) | Phone::Full(_) => {
                let digits: String = number.chars().filter(char::is_ascii_digit).collect();
                let clients = self.clients_with_digits(number, NUMBERED).await?;
                Wish::NumberPart { digits, clients: self.with_merged(clients.into_iter()).await? }
            }
        })
    }

    /// These cards, and those that were merged into them.
    async fn with_merged(&self, clients: impl Iterator<Item = ClientId>) -> Result<Vec<i64>> {
        let mut all: Vec<i64> = clients.map(|client| client.0).collect();
        if !all.is_empty() {
            let mut sql = Sql::new("SELECT id FROM clients WHERE root IN ");
            sql.push_list(all.iter().copied());
            for row in self.rows(sql).await? {
                all.push(row.int("id")?);
            }
            all.sort_unstable();
            all.dedup();
        }
        Ok(all)
    }

    async fn order_wish(&self, order: OrderId) -> Result<Wish> {
        let sql = Sql::new("SELECT client, phone, created_at, ended_at FROM orders WHERE id = $1").with(order.0);
        // Of an order that is not known a contact may still tell: it may be another system's.
        let unknown = Wish::Order { order: order.0, clients: Vec::new(), phone: String::new(), from: 0, to: 0 };
        let Some(row) = self.row(sql).await? else { return Ok(unknown) };
        let clients = self.with_merged(row.int_opt("client")?.map(ClientId).into_iter()).await?;
        let (created, ended) = (row.int("created_at")?, row.int_opt("ended_at")?);
        Ok(Wish::Order {
            order: order.0,
            clients,
            phone: row.text("phone")?,
            from: created.saturating_sub(BEFORE_ORDER_MS).max(0),
            to: ended.map_or(i64::MAX >> 21, |at| at.saturating_add(AFTER_ORDER_MS)),
        })
    }

    /// Which of the wishes leads; none: the archive itself is walked through.
    async fn rarest(&self, wishes: &[Wish], span: Span) -> Result<Option<usize>> {
        let leads: Vec<_> = wishes.iter().enumerate().filter(|(_, wish)| wish.source().is_some()).collect();
        match leads.as_slice() {
            [] => return Ok(None),
            [(at, one)] if one.most() == i64::MAX => return Ok(Some(*at)),
            _ => {}
        }
        let mut sql = Sql::new("");
        for (place, (at, wish)) in leads.iter().enumerate() {
            sql.push(if place == 0 { "" } else { " UNION ALL " });
            sql.push(&format!("SELECT {at} AS wish, COUNT(*) AS n FROM (SELECT 1 AS one"));
            wish.lead(&mut sql, "", span);
            sql.push(&format!(" LIMIT {COUNTED}) x{at}"));
        }
        let mut counted = Vec::with_capacity(leads.len());
        for row in self.rows(sql).await? {
            let (at, rows): (usize, i64) = (row.small("wish")?, row.int("n")?);
            if wishes.get(at).is_some_and(|wish| rows < wish.most()) {
                counted.push((rows, at));
            }
        }
        Ok(counted.into_iter().min().map(|(_, at)| at))
    }

    /// Where the recordings of a page and one more stand.
    async fn places(
        &self,
        filter: &RecordingFilter,
        wishes: &[Wish],
        lead: Option<usize>,
        span: Span,
        after: Option<Place>,
        limit: u32,
    ) -> Result<Vec<Place>> {
        let mut sql = Sql::new("SELECT r.id AS id, r.call AS call");
        let leading = lead.and_then(|at| wishes.get(at)).and_then(|wish| Some((wish, wish.source()?.1)));
        let of_calls = wishes.iter().any(Wish::is_of_calls);
        let [recordings, calls] = self.joins(leading);
        let calls = if of_calls { calls.as_str() } else { "" };
        if let Some((wish, call)) = leading {
            wish.lead(&mut sql, &format!("{recordings}{calls}"), span);
            sql.push(&format!(" AND r.call = {call}"));
            sql.push(wish.once());
        } else {
            sql.push(&format!(" FROM recordings r{calls} WHERE 1 = 1"));
            span.narrow(&mut sql, "r.call");
        }
        sql.push(if of_calls { " AND c.id = r.call" } else { "" });
        for (at, wish) in wishes.iter().enumerate() {
            if Some(at) != lead || wish.is_coarse() {
                wish.probe(&mut sql);
            }
        }
        for (bound, sign) in [(filter.from, ">="), (filter.to, "<")] {
            if let Some(bound) = bound {
                sql.push(&format!(" AND +r.started_at {sign} "));
                sql.push_value(bound.0);
            }
        }
        if let Some(place) = after {
            sql.push(" AND (r.call < ");
            sql.push_value(place.at);
            sql.push(" OR r.id < ");
            sql.push_value(place.id);
            sql.push(")");
        }
        let order = leading.map_or("r.call", |(_, call)| call);
        // Where no index has the order, none is to be looked for: all of the lead is read, and put in order.
        let few = if leading.is_some_and(|(wish, _)| !wish.is_in_order()) { " + 0" } else { "" };
        sql.push(&format!(" ORDER BY {order}{few} DESC, r.id DESC LIMIT "));
        sql.push_value(with_one_more(limit));
        let rows = match self.dialect() {
            Dialect::Sqlite => self.rows(sql).await?,
            Dialect::Postgres => self.rows_by_index(sql).await?,
        };
        rows.iter().map(|row| Ok(Place { at: row.int("call")?, id: row.int("id")? })).collect()
    }

    /// Joins the recordings of the lead's calls, and those calls: one after another as they are written. SQLite keeps that
    /// order; PostgreSQL has no choice where the inner side names the outer one and nothing may be pulled out of it.
    fn joins(&self, leading: Option<(&Wish, &str)>) -> [String; 2] {
        let of_calls = " CROSS JOIN LATERAL (SELECT id, number, agent, disposition, erased_at FROM calls WHERE id = r.call OFFSET 0) c";
        let call = leading.map_or("r.call", |(_, call)| call);
        match self.dialect() {
            Dialect::Postgres if matches!(leading, Some((Wish::State(_) | Wish::Length { .. }, _))) => {
                // The lead's row is the recording.
                let same = " CROSS JOIN LATERAL (SELECT l.id, l.call, l.duration_ms, l.state, l.started_at) r";
                [same.to_owned(), of_calls.to_owned()]
            }
            Dialect::Sqlite => [" CROSS JOIN recordings r".to_owned(), " CROSS JOIN calls c".to_owned()],
            Dialect::Postgres => [
                format!(
                    " CROSS JOIN LATERAL (SELECT id, call, duration_ms, state, started_at FROM recordings WHERE call = {call} \
                     OFFSET 0) r"
                ),
                of_calls.to_owned(),
            ],
        }
    }

    async fn recordings_in_order(&self, places: &[Place]) -> Result<Vec<RecordingRow>> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let mut sql = Sql::new(format!("{SELECT} AND r.id IN "));
        sql.push_list(places.iter().map(|place| place.id));
        sql.push(" ORDER BY r.call DESC, r.id DESC");
        self.rows(sql).await?.iter().map(recording).collect()
    }
}

#[cfg(test)]
mod tests;
