//! `perezvon demo-data`: an office to try things out with.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use crate::domain::fare::Discount;
use crate::domain::group::Group;
use crate::domain::history::{ActorKind, By, Source};
use crate::domain::money::{Kopecks, Rounding};
use crate::domain::tariff::{Night, Tariff};
use crate::engine::event::Actor;
use crate::engine::time::Wall;
use crate::shell::clock;
use crate::shell::demo::{MOST_CLIENTS, Office, Step, Story};
use crate::shell::store::author::{Author, ChangeError};
use crate::shell::store::breather::Breather;
use crate::shell::store::orders::{FinishPrice, OrderChange};
use crate::shell::store::{Store, StoreError};

/// Before the first order of a client, so long ago the card was made: longer than any order.
const REGISTERED_AGO_MS: i64 = 100 * 86_400_000;

/// Fill the database with a made-up office: streets, tariffs, clients, orders. The same seed gives the same office, and
/// running it twice adds nothing
#[derive(Args)]
pub(super) struct DemoData {
    /// How many clients, with what they have ordered
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(..=MOST_CLIENTS))]
    clients: u64,
    /// How many streets, about
    #[arg(long, value_name = "N", default_value_t = 1000)]
    streets: usize,
    /// Another number gives another office
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

impl DemoData {
    pub(super) async fn run(self, store: &Store) -> anyhow::Result<ExitCode> {
        let now = clock::wall();
        let office = Office::new(self.seed, self.streets);
        let author = Author {
            by: By::new(ActorKind::Office, "demo-data", Source::Import),
            actor: Actor::Program("demo-data".to_owned()),
            address: String::new(),
        };
        let streets = store.add_streets(office.streets(), now).await?;
        catalogue(store, &author, now).await?;
        let (mut clients, mut orders) = (0_u64, 0_u64);
        let mut breather = Breather::default();
        for number in 0..self.clients {
            breather.give_way().await;
            let made = Wall(now.0 - REGISTERED_AGO_MS);
            match store.create_client(office.client(number), &author, made).await {
                Ok(_) => clients += 1,
                // There since the last time, and so are the orders.
                Err(ChangeError::Store(StoreError::Taken(_))) => continue,
                Err(error) => return Err(error).with_context(|| format!("client {number} of the demo office")),
            }
            for story in office.stories(number, now) {
                breather.give_way().await;
                tell(store, story, &author).await.with_context(|| format!("an order of demo client {number}"))?;
                orders += 1;
            }
        }
        super::print(&format!("{streets} streets, {clients} clients and {orders} orders added"))?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn tell(store: &Store, story: Story, author: &Author) -> anyhow::Result<()> {
    let id = store.create_order(story.order, author, story.taken).await?.id;
    for (at, step) in story.steps {
        let change = match step {
            Step::Change(command) => OrderChange::Command(command),
            Step::Finish(price) => OrderChange::Finish(FinishPrice::Fixed(price)),
        };
        store.change_order(id, change, author, at).await?;
    }
    Ok(())
}

/// Two tariffs and two groups, unless the office has its own.
async fn catalogue(store: &Store, author: &Author, now: Wall) -> anyhow::Result<()> {
    if store.default_item::<Tariff>().await?.is_none() {
        let standard = Tariff {
            name: "Стандарт".to_owned(),
            boarding: Kopecks(10_000),
            included_m: 2_000,
            per_km_inside: Kopecks(2_000),
            per_km_outside: Kopecks(2_800),
            per_minute: Kopecks(600),
            per_waiting_minute: Kopecks(800),
            free_waiting_s: 300,
            minimum: Kopecks(15_000),
            night: Some(Night { from_minute: 23 * 60, to_minute: 6 * 60, permille: 1_200 }),
            max_demand_permille: 2_000,
            rounding: Rounding { step: Kopecks(1_000), ..Rounding::default() },
            ..Tariff::default()
        };
        let comfort = Tariff {
            name: "Комфорт".to_owned(),
            boarding: Kopecks(15_000),
            per_km_inside: Kopecks(2_800),
            minimum: Kopecks(22_000),
            ..standard.clone()
        };
        for tariff in [standard, comfort] {
            store.add_item(tariff, author, now).await.context("a tariff of the demo office")?;
        }
    }
    if store.default_item::<Group>().await?.is_none() {
        let all = Group { name: "Все клиенты".to_owned(), bonus_permille: 30, ..Group::default() };
        let regular = Group {
            name: "Постоянные".to_owned(),
            discount: Some(Discount::Percent { permille: 50 }),
            bonus_permille: 50,
            priority: 10,
            ..Group::default()
        };
        for group in [all, regular] {
            store.add_item(group, author, now).await.context("a group of the demo office")?;
        }
    }
    Ok(())
}
