//! A store full of generated clients: how fast one of them is found, and how many changes of orders it takes a second.

use std::time::Instant;

use perezvon::domain::address::{Address, Car};
use perezvon::domain::client::{Create as Card, Detail, Kind};
use perezvon::domain::fare::Payment;
use perezvon::domain::hint::Kind as Street;
use perezvon::domain::ids::ClientId;
use perezvon::domain::money::Kopecks;
use perezvon::domain::order::{Command, Create, Driver, Standing, Wanted};
use perezvon::domain::time::Wall;
use perezvon::shell::demo::Office;
use perezvon::shell::store::Store;
use perezvon::shell::store::author::Author;
use perezvon::shell::store::orders::{FinishPrice, OrderChange};

use crate::databases::{on_both, statements};

/// Cards that are written at once.
const BATCH: u64 = 2_000;
/// Searches that are timed.
const SEARCHES: u64 = 800;
/// Desks that work at once.
const DESKS: u64 = 8;
/// Orders of each desk.
const ORDERS: u64 = 100;
const NOW: Wall = Wall(1_800_000_000_000);

/// Measures both databases; PostgreSQL only where one is named.
pub fn measure(clients: u64) {
    on_both(async |database, url| run(database, url, clients).await);
}

async fn run(database: &str, url: &str, clients: u64) {
    let store = Store::open(url).await.expect("the database opens");
    let office = Office::new(1, 3_000);
    let began = Instant::now();
    let mut ids = Vec::new();
    for first in (0..clients).step_by(usize::try_from(BATCH).unwrap()) {
        let cards = (first..clients.min(first + BATCH)).map(|number| office.client(number)).collect();
        ids.extend(store.import_clients(cards, &Author::engine(), NOW).await.expect("the cards are written"));
    }
    let took = began.elapsed();
    println!("# {database}: {clients} clients written in {:.1} s", took.as_secs_f64());
    if database == "postgres" {
        // What its own upkeep does by itself, sooner or later.
        statements(url, &["VACUUM ANALYZE".to_owned()]).await;
    }
    search(&store, database, &office, clients).await;
    orders(&store, database, &ids).await;
    println!("space.clients.{database} {:.0} MiB", store.space().await.expect("the size").used as f64 / 1_048_576.0);
    store.close().await;
}

async fn search(store: &Store, database: &str, office: &Office, clients: u64) {
    let queries: Vec<_> = (0..SEARCHES).map(|number| query(&office.client(number * 7_919 % clients), number)).collect();
    let mut times = Vec::new();
    let (mut missed, mut slowest) = (0, (0.0, String::new()));
    for query in &queries {
        let began = Instant::now();
        let found = store.search_clients(query, 20).await.expect("the search answers");
        let ms = began.elapsed().as_secs_f64() * 1e3;
        times.push(ms);
        if ms > slowest.0 {
            slowest = (ms, query.clone());
        }
        missed += u32::from(found.is_empty() && !query.starts_with("нетта"));
    }
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    println!("search.clients.{database}.p50 {:.2} ms", at(50));
    println!("search.clients.{database}.p95 {:.2} ms", at(95));
    println!(
        "# {database}: {clients} clients, {SEARCHES} searches, {missed} found nobody, the slowest {:.1} ms: {}",
        slowest.0, slowest.1
    );
    let began = Instant::now();
    let mut desks = tokio::task::JoinSet::new();
    for desk in 0..DESKS {
        let store = store.clone();
        let queries: Vec<_> =
            queries.iter().skip(usize::try_from(desk).unwrap()).step_by(DESKS as usize).cloned().collect();
        desks.spawn(async move {
            for query in queries {
                store.search_clients(&query, 20).await.expect("the search answers");
            }
        });
    }
    while let Some(desk) = desks.join_next().await {
        desk.expect("the desk did its searches");
    }
    println!("search.clients_per_second.{database} {:.0} 1/s", SEARCHES as f64 / began.elapsed().as_secs_f64());
}

/// What a dispatcher types: it depends on what is known of the client.
fn query(card: &Card, kind: u64) -> String {
    let (mut name, mut phone, mut address, mut plate, mut company) = (String::new(), String::new(), None, None, None);
    for detail in &card.details {
        match detail {
            Detail::Name(known) => name = known.full(),
            Detail::Phones(known) => phone = known.first().map(|phone| phone.number.clone()).unwrap_or_default(),
            Detail::Address(Some(known)) => address = Some(format!("{} {}", known.street, known.house)),
            Detail::Cars(cars) => plate = cars.first().map(|car| car.car.plate.clone()),
            Detail::Kind(Kind::Corporate { company: known }) => company = Some(known.clone()),
            _ => {}
        }
    }
    let word = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    let surname = name.split(' ').next().unwrap_or_default().to_owned();
    let middle = |text: &str| text.chars().skip(2).collect::<String>();
    match kind % 16 {
        0 => format!("8 {} {}", &phone[2..5], &phone[5..]),
        1 => phone[5..].to_owned(),
        2 => phone[8..].to_owned(),
        3 => surname,
        4 => name,
        5 => word(&name, 3),
        6 => word(&name, 5),
        7 => plate.unwrap_or(phone),
        8 => address.unwrap_or(name),
        9 => company.unwrap_or_else(|| perezvon::domain::search::other_layout(&surname)),
        10 => format!("{} {}", word(&surname, 4), word(name.split(' ').nth(1).unwrap_or_default(), 3)),
        11 => middle(&surname),
        12 => phone[6..10].to_owned(),
        13 => format!("{} {}", word(name.split(' ').nth(1).unwrap_or_default(), 3), word(&surname, 3)),
        14 => match address {
            Some(address) => {
                let address = address.to_lowercase();
                let told = address.split(' ').filter(|word| !Street::shown_words().any(|kind| kind == *word));
                told.collect::<Vec<_>>().join(" ")
            }
            None => surname,
        },
        _ => format!("нетта{kind}ких"),
    }
}

async fn orders(store: &Store, database: &str, clients: &[ClientId]) {
    let began = Instant::now();
    let mut desks = tokio::task::JoinSet::new();
    for desk in 0..DESKS {
        let (store, clients) = (store.clone(), clients.to_vec());
        desks.spawn(async move {
            for number in 0..ORDERS {
                let client = clients[usize::try_from((desk * ORDERS + number) * 104_729).unwrap() % clients.len()];
                one_order(&store, client).await;
            }
        });
    }
    while let Some(desk) = desks.join_next().await {
        desk.expect("the desk did its orders");
    }
    let changes = (DESKS * ORDERS * 5) as f64;
    println!("orders.changes_per_second.{database} {:.0} 1/s", changes / began.elapsed().as_secs_f64());
}

/// From the first word to the last kopeck: five changes.
async fn one_order(store: &Store, client: ClientId) {
    let by = Author::engine();
    let new = Create {
        client: Some(client),
        standing: Standing::default(),
        phone: String::new(),
        passenger: String::new(),
        from: Address::street("улица Мира", "1"),
        to: vec![Address::street("Вокзал", "")],
        wanted: Wanted::Now,
        tariff: None,
        payment: Payment::Cash,
        comment: String::new(),
        estimate: None,
    };
    let id = store.create_order(new, &by, NOW).await.expect("the order is taken").id;
    let car = Car { plate: "А123ВС77".into(), callsign: "31".into(), ..Car::default() };
    for change in [
        OrderChange::Command(Command::Assign { car, driver: Driver::default(), eta_minutes: 7 }),
        OrderChange::Command(Command::Arrive),
        OrderChange::Command(Command::Start),
        OrderChange::Finish(FinishPrice::Fixed(Kopecks::roubles(300))),
    ] {
        store.change_order(id, change, &by, NOW).await.expect("the order is changed");
    }
}
