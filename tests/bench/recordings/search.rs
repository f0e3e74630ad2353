//! A journal of two years with a recording of every talk: how fast one of them is found, on both databases.

use std::time::Instant;

use perezvon::domain::client::{Create as Card, Detail};
use perezvon::domain::fare::Payment;
use perezvon::domain::ids::{OrderId, PurposeId};
use perezvon::domain::order::{Create, Standing, Wanted};
use perezvon::domain::time::Wall;
use perezvon::engine::ids::AgentId;
use perezvon::engine::view::Disposition;
use perezvon::shell::demo::Office;
use perezvon::shell::store::Store;
use perezvon::shell::store::author::Author;
use perezvon::shell::store::recording_search::RecordingFilter;
use perezvon::shell::store::recordings::RecordingState;

use crate::databases::{on_both, statements};

/// Recordings of one client.
const OF_CLIENT: u64 = 10;
/// Cards that are written at once.
const BATCH: u64 = 2_000;
/// Searches that are timed.
const SEARCHES: u64 = 600;
/// From one call to the next, and when the first came.
const EVERY_MS: u64 = 63_000;
const FIRST: u64 = 1_735_700_000_000;
/// Those that are written in one statement.
const PORTION: u64 = 50_000;

/// Measures both databases; PostgreSQL only where one is named.
pub fn measure(recordings: u64) {
    on_both(async |database, url| run(database, url, recordings).await);
}

async fn run(database: &str, url: &str, recordings: u64) {
    let store = Store::open(url).await.expect("the database opens");
    let office = Office::new(1, 3_000);
    let clients = (recordings / OF_CLIENT).max(1);
    let began = Instant::now();
    for first in (0..clients).step_by(usize::try_from(BATCH).unwrap()) {
        let cards = (first..clients.min(first + BATCH)).map(|number| office.client(number)).collect();
        store.import_clients(cards, &Author::engine(), Wall(1)).await.expect("the cards are written");
    }
    statements(url, &journal(recordings)).await;
    if database == "postgres" {
        // What its own upkeep does by itself, sooner or later.
        statements(url, &["VACUUM ANALYZE".to_owned()]).await;
    }
    let orders = orders(&store, &office, clients).await;
    println!("# {database}: {recordings} recordings written in {:.1} s", began.elapsed().as_secs_f64());
    search(&store, database, &office, clients, recordings, &orders).await;
    store.close().await;
}

/// Statements that write calls, legs, contacts, recordings and marks.
fn journal(recordings: u64) -> Vec<String> {
    let mut statements: Vec<_> = (1..=12)
        .map(|purpose| {
            format!(
                "INSERT INTO purposes (id, name, is_default, retired, body, version, created_at, changed_at) \
                 VALUES ({purpose}, 'purpose {purpose}', 0, 0, '{{}}', 1, 1, 1)"
            )
        })
        .collect();
    for first in (0..recordings).step_by(usize::try_from(PORTION).unwrap()) {
        let last = recordings.min(first + PORTION);
        let numbers = format!(
            "WITH RECURSIVE n(n) AS (SELECT CAST({first} AS BIGINT) UNION ALL SELECT n + 1 FROM n WHERE n + 1 < {last})"
        );
        let at = format!("({FIRST} + n * {EVERY_MS})");
        // Looks like chance, and is the same each time.
        let chance = |of: u64, salt: u64| format!("((n + {salt}) * 2654435761 % 4294967291 / 1009 % {of})");
        // A talk of some minutes; every 200th is long.
        let talked = format!(
            "(CASE WHEN {} = 0 THEN 1200000 + n % 900000 ELSE 15000 + {} END)",
            chance(200, 1),
            chance(240_000, 2)
        );
        let agent = format!("(1 + {})", chance(40, 3));
        let (ended, purpose) = (chance(100, 4), chance(36, 5));
        statements.push(format!(
            "{numbers} INSERT INTO calls (id, node, recording, number, number_rev, dialled, by_fallback, arrived_at, queue, \
             queued_at, bridged_at, agent, ended_at, disposition, cause, waited_ms, talked_ms) \
             SELECT {at} * 1048576, 0, 'perezvon/' || n, p.number, p.number_rev, '100', 0, {at}, 'main', {at}, {at} + 9000, \
             {agent}, {at} + 9000 + {talked}, CASE WHEN {ended} = 9 THEN 'ENDED' WHEN {ended} < 60 THEN 'COMPLETECALLER' \
             ELSE 'COMPLETEAGENT' END, 16, 9000, {talked} \
             FROM n JOIN client_phones p ON p.id = 1 + n * 7919 % (SELECT MAX(id) FROM client_phones)"
        ));
        statements.push(format!(
            "{numbers} INSERT INTO legs (call, leg, agent, answered_at, ended_at, talked_at) \
             SELECT {at} * 1048576, 1, {agent}, {at}, {at} + {talked}, {at} FROM n"
        ));
        statements.push(format!(
            "{numbers} INSERT INTO contacts (version, kind, state, purpose, client, phone, description, comment, in_call, \
             outcome, call, created_at, changed_at, ended_at) SELECT 1, 'call_in', 'done', \
             CASE WHEN {purpose} < 12 THEN 1 + {purpose} END, p.client, p.number, '', '', 0, '', {at} * 1048576, {at}, {at}, {at} \
             FROM n JOIN client_phones p ON p.id = 1 + n * 7919 % (SELECT MAX(id) FROM client_phones)"
        ));
        statements.push(format!(
            "{numbers} INSERT INTO recordings (call, node, name, path, sha256, bytes, duration_ms, channels, left_rms, \
             right_rms, state, problem, started_at, stored_at) SELECT {at} * 1048576, 0, 'perezvon/' || n, \
             '2025/01/01/' || n || '.wav', '00', 1, {talked}, 2, 900, 900, CASE WHEN n % 5000 = 7 THEN 'silent' ELSE 'stored' END, \
             '', {at}, {at} FROM n"
        ));
    }
    // What was said: words on every third, every fiftieth and every five-thousandth talk.
    for (word, of) in [("заказ", 3), ("жалоб", 50), ("проку", 5_000)] {
        statements.push(format!(
            "INSERT INTO transcript_index (word, call, recording) SELECT '{word}', call, id FROM recordings WHERE id % {of} = 0"
        ));
    }
    statements.push(
        "INSERT INTO recording_marks (recording, call, at_ms, kind, text, author, author_name, created_at, changed_at) \
         SELECT id, call, 1000, CASE WHEN id % 4 = 0 THEN 'complaint' ELSE 'note' END, '', 'user:1', 'olga', 1, 1 \
         FROM recordings WHERE id % 150 < 2"
            .to_owned(),
    );
    statements
}

/// Orders of some clients, in the last days of the journal.
async fn orders(store: &Store, office: &Office, clients: u64) -> Vec<OrderId> {
    let mut orders = Vec::new();
    for number in 0..40 {
        let new = Create {
            client: None,
            standing: Standing::default(),
            phone: phone(&office.client(number * 1_009 % clients)),
            passenger: String::new(),
            from: perezvon::domain::address::Address::street("улица Мира", "1"),
            to: Vec::new(),
            wanted: Wanted::Now,
            tariff: None,
            payment: Payment::Cash,
            comment: String::new(),
            estimate: None,
        };
        let at = Wall(i64::try_from(FIRST).unwrap());
        orders.push(store.create_order(new, &Author::engine(), at).await.expect("the order is taken").id);
    }
    orders
}

fn phone(card: &Card) -> String {
    let known = card.details.iter().find_map(|detail| match detail {
        Detail::Phones(known) => known.first().map(|phone| phone.number.clone()),
        _ => None,
    });
    known.unwrap_or_default()
}

fn name(card: &Card) -> String {
    let known = card.details.iter().find_map(|detail| match detail {
        Detail::Name(known) => Some(known.full()),
        _ => None,
    });
    known.unwrap_or_else(|| "Иван".to_owned())
}

async fn search(store: &Store, database: &str, office: &Office, clients: u64, recordings: u64, orders: &[OrderId]) {
    let (mut times, mut missed, mut slowest) = (Vec::new(), 0, (0.0, String::new()));
    for number in 0..SEARCHES {
        let card = office.client(number * 7_919 % clients);
        let filter = query(&card, number, recordings, orders);
        let began = Instant::now();
        let page = store.list_recordings(&filter, None, 50).await.expect("the search answers");
        let mut took = vec![began.elapsed()];
        if let (0, Some(next)) = (number % 3, &page.next) {
            let began = Instant::now();
            store.list_recordings(&filter, Some(next), 50).await.expect("the next page comes");
            took.push(began.elapsed());
        }
        missed += u32::from(page.items.is_empty());
        for took in took {
            let ms = took.as_secs_f64() * 1e3;
            times.push((ms, number % KINDS));
            if ms > slowest.0 {
                slowest = (ms, format!("{filter:?}"));
            }
        }
    }
    for kind in 0..KINDS {
        let of_kind: Vec<_> = times.iter().filter(|(_, of)| *of == kind).map(|(ms, _)| *ms).collect();
        let most = of_kind.iter().copied().fold(0.0, f64::max);
        println!(
            "# {database}: kind {kind}: {:.1} ms on average, {most:.1} at most",
            of_kind.iter().sum::<f64>() / of_kind.len() as f64
        );
    }
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].0;
    println!("search.recordings.{database}.p50 {:.2} ms", at(50));
    println!("search.recordings.{database}.p95 {:.2} ms", at(95));
    println!(
        "# {database}: {recordings} recordings, {} pages, {missed} searches found nothing, the slowest {:.1} ms: {}",
        times.len(),
        slowest.0,
        slowest.1
    );
}

/// Kinds of searches below.
const KINDS: u64 = 20;

/// What a supervisor asks for.
fn query(card: &Card, number: u64, recordings: u64, orders: &[OrderId]) -> RecordingFilter {
    let none = RecordingFilter::default;
    let (phone, name) = (phone(card), name(card));
    let word = |most: usize| Some(name.chars().take(most).collect::<String>());
    let surname = name.split(' ').next().map(str::to_owned);
    let digits = |from: usize, to: usize| phone.get(from..to).map(str::to_owned);
    let agent = Some(AgentId(u32::try_from(number % 40 + 1).unwrap()));
    let purpose = Some(PurposeId(i64::try_from(number % 12 + 1).unwrap()));
    let at = |of_thousand: u64| Some(Wall(i64::try_from(FIRST + recordings * EVERY_MS / 1000 * of_thousand).unwrap()));
    let place = number * 37 % 950;
    match number % KINDS {
        0 => RecordingFilter { number: Some(phone), ..none() },
        1 => RecordingFilter { number: digits(8, 12), ..none() },
        2 => RecordingFilter { number: digits(5, 10), ..none() },
        3 => RecordingFilter { name: surname, ..none() },
        4 => RecordingFilter { name: word(4), agent, ..none() },
        5 => RecordingFilter { agent, ..none() },
        6 => RecordingFilter { agent, from: at(place), to: at(place + 40), ..none() },
        7 => RecordingFilter { length_from: Some(1_200_000), ..none() },
        8 => RecordingFilter {
            agent,
            length_from: Some(60_000),
            length_to: Some(120_000),
            disposition: Some(Disposition::CompleteAgent),
            ..none()
        },
        9 => RecordingFilter { disposition: Some(Disposition::Ended), ..none() },
        10 => RecordingFilter { purpose, ..none() },
        11 => RecordingFilter { purpose, agent, length_from: Some(180_000), ..none() },
        12 => RecordingFilter { mark: Some("complaint".to_owned()), ..none() },
        13 => RecordingFilter { mark: Some("note".to_owned()), agent, ..none() },
        14 => RecordingFilter { order: orders.get(number as usize % orders.len()).copied(), ..none() },
        15 => RecordingFilter {
            disposition: Some(Disposition::CompleteCaller),
            from: at(place),
            to: at(place + 2),
            ..none()
        },
        16 => RecordingFilter { state: Some(RecordingState::Silent), length_to: Some(60_000), ..none() },
        17 => RecordingFilter { agent, length_from: Some(1_200_000), ..none() },
        18 => RecordingFilter {
            text: Some(["жалобы заказ", "заказы", "прокурору", "жалоба"][number as usize / 20 % 4].to_owned()),
            ..none()
        },
        _ => none(),
    }
}
