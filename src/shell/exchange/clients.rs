//! Cards as a table.

use std::collections::BTreeMap;
use std::io::Read;

use crate::domain::address::Address;
use crate::domain::client::{self, CardPhone, Create, Dates, Detail, Kind, Name};
use crate::domain::group::Group;
use crate::domain::ids::{GroupId, TariffId};
use crate::domain::phone::Phone;
use crate::domain::tariff::Tariff;
use crate::domain::time::Date;
use crate::engine::time::Wall;
use crate::shell::store::Store;
use crate::shell::store::author::{Author, ChangeError};
use crate::shell::store::breather::Breather;
use crate::shell::store::client_list::ClientFilter;
use crate::shell::store::clients::ClientRow;

use super::{Cells, Column, ExchangeError, Fault, Names, Part, Report, Sheet, Wish, Writer};

/// The columns, in the order of an export.
const COLUMNS: &[Column] = &[
    ("code", &["код", "номер карточки", "id"]),
    ("phone", &["телефон", "номер", "tel"]),
    ("more_phones", &["другие телефоны", "доп телефоны", "ещё телефоны"]),
    ("surname", &["фамилия"]),
    ("name", &["имя"]),
    ("patronymic", &["отчество"]),
    ("company", &["компания", "организация", "фирма"]),
    ("city", &["город"]),
    ("street", &["улица"]),
    ("house", &["дом"]),
    ("entrance", &["подъезд"]),
    ("address_comment", &["комментарий к адресу"]),
    ("email", &["e-mail", "почта"]),
    ("note", &["примечание", "заметка"]),
    ("birthday", &["день рождения", "дата рождения"]),
    ("tags", &["метки", "теги"]),
    ("conflict", &["конфликтность"]),
    ("tariff", &["тариф"]),
    ("group", &["группа"]),
];

/// The domain's fields that have another name here.
const FIELDS: &[(&str, &str)] = &[("phones", "phone"), ("dates", "birthday"), ("address", "street")];

/// Between several numbers or tags in one cell.
const BETWEEN: [char; 4] = [',', ';', '|', '\n'];

struct New {
    line: u64,
    card: Create,
    code: String,
    numbers: Vec<String>,
}

/// Reads a table and makes the cards of those who have none: neither of the code nor of any of the numbers.
///
/// # Errors
/// When the database does not answer; what was written until then stays, and is known the next time.
pub async fn import(
    store: &Store,
    from: impl Read,
    wish: Wish,
    author: &Author,
    now: Wall,
) -> Result<Report, ExchangeError> {
    let (tariffs, groups) = (Names::read::<Tariff>(store).await?, Names::read::<Group>(store).await?);
    let mut report = Report::default();
    let mut news = read(from, &mut report, &tariffs, &groups, author, now);
    let codes: Vec<String> = news.iter().map(|new| new.code.clone()).collect();
    let numbers: Vec<String> = news.iter().flat_map(|new| new.numbers.clone()).collect();
    let taken = store.taken_by_clients(&codes, &numbers).await?;
    let read = news.len();
    news.retain(|new| !taken.codes.contains(&new.code) && new.numbers.iter().all(|n| !taken.numbers.contains(n)));
    report.known = (read - news.len()) as u64;
    report.new = news.len() as u64;
    report.done = wish.writes(&report);
    if !report.done {
        return Ok(report);
    }
    report.new = 0;
    let mut breather = Breather::default();
    for New { line, card, code: _, numbers: _ } in news {
        breather.give_way().await;
        match store.create_client(card, author, now).await {
            Ok(_) => report.new += 1,
            // Somebody called a moment ago and has a card now.
            Err(ChangeError::Store(crate::shell::store::StoreError::Taken(_))) => report.known += 1,
            Err(ChangeError::Store(error)) => return Err(error.into()),
            Err(error @ (ChangeError::Rejected(_) | ChangeError::Stale { .. })) => {
                report.faults.push(Fault { line, column: String::new(), why: error.to_string() });
            }
        }
    }
    Ok(report)
}

fn read(from: impl Read, report: &mut Report, tariffs: &Names, groups: &Names, author: &Author, now: Wall) -> Vec<New> {
    let mut news = Vec::new();
    let mut sheet = match Sheet::open(from, COLUMNS, report) {
        Ok(sheet) => sheet,
        Err(bad) => {
            report.faults.push(bad.into());
            return news;
        }
    };
    if !sheet.places.contains_key("phone") && !sheet.places.contains_key("code") {
        let why = "there is no column phone («телефон») and no column code («код»): name one in the header".to_owned();
        report.faults.push(Fault { line: 1, column: String::new(), why });
        return news;
    }
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    sheet.each(report, |cells| {
        let card = card(cells, tariffs, groups)?;
        let (made, _) =
            client::create(card.clone(), &author.by, now).map_err(|rejected| cells.refused(&rejected, FIELDS))?;
        let numbers: Vec<String> = made.phones.into_iter().map(|phone| phone.number).collect();
        for key in std::iter::once(&made.code).chain(&numbers) {
            if let Some(first) = seen.get(key).filter(|first| **first != cells.line.number) {
                let column = if *key == made.code && !numbers.contains(key) { "code" } else { "phone" };
                return Err(cells.fault(column, format!("{key} is in line {first} already: join the two lines")));
            }
        }
        for key in std::iter::once(&made.code).chain(&numbers) {
            seen.insert(key.clone(), cells.line.number);
        }
        news.push(New { line: cells.line.number, card, code: made.code, numbers });
        Ok(())
    });
    news
}

fn card(cells: &Cells<'_>, tariffs: &Names, groups: &Names) -> Result<Create, Fault> {
    let mut details = Vec::new();
    let mut numbers = Vec::new();
    for column in ["phone", "more_phones"] {
        let text = cells.text(column);
        for number in text.split(BETWEEN).map(str::trim).filter(|part| !part.is_empty()) {
            let number = Phone::entered("phones", number).map_err(|_| {
                let advice = "write the whole number, such as +7 900 123-45-67";
                cells.fault(column, format!("{number:?} is no telephone number: {advice}"))
            })?;
            numbers.push(CardPhone { number: number.as_str().to_owned(), ..CardPhone::default() });
        }
    }
    details.push(Detail::Phones(numbers));
    let name = Name { surname: cells.text("surname"), name: cells.text("name"), patronymic: cells.text("patronymic") };
    details.push(Detail::Name(name));
    let company = cells.text("company");
    if !company.is_empty() {
        details.push(Detail::Kind(Kind::Corporate { company }));
    }
    let address = Address {
        city: cells.text("city"),
        street: cells.text("street"),
        house: cells.text("house"),
        entrance: cells.text("entrance"),
        comment: cells.text("address_comment"),
        point: None,
    };
    if !address.is_empty() {
        details.push(Detail::Address(Some(address)));
    }
    details.push(Detail::Email(cells.text("email")));
    details.push(Detail::Note(cells.text("note")));
    let birthday = cells.parsed("birthday", date, "write it as 1985-12-31 or 31.12.1985")?;
    details.push(Detail::Dates(Dates { birthday, ..Dates::default() }));
    let tags = cells.text("tags");
    let tags = tags.split(BETWEEN).map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned);
    details.push(Detail::Tags(tags.collect()));
    if let Some(level) = cells.parsed("conflict", |text| text.parse().ok(), "write 0, 1, 2 or 3")? {
        details.push(Detail::Conflict(level));
    }
    details.push(Detail::Tariff(tariffs.find(cells, "tariff")?.map(TariffId)));
    details.push(Detail::Group(groups.find(cells, "group")?.map(GroupId)));
    let code = Some(cells.text("code")).filter(|code| !code.is_empty());
    Ok(Create { code, details, referred_by: None })
}

fn date(text: &str) -> Option<Date> {
    text.parse().ok().or_else(|| {
        let mut parts = text.split('.');
        let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
        let day = Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
        parts.next().is_none().then_some(day)
    })
}

/// A part of all cards as a table, the newest first; without those that were merged into others or erased.
///
/// # Errors
/// [`StoreError::BadCursor`](crate::shell::store::StoreError::BadCursor), or when the database does not answer.
pub async fn export(store: &Store, cursor: Option<&str>) -> Result<Part, ExchangeError> {
    let (tariffs, groups) = (Names::by_number::<Tariff>(store).await?, Names::by_number::<Group>(store).await?);
    let page = store.list_clients(&ClientFilter::default(), cursor, 500).await?;
    let mut writer = Writer::new(cursor.is_none(), COLUMNS)?;
    for row in page.items {
        let tariff = row.card.tariff.and_then(|id| tariffs.get(&id.0)).cloned().unwrap_or_default();
        let group = row.card.group.and_then(|id| groups.get(&id.0)).cloned().unwrap_or_default();
        writer.line(cells(row, tariff, group))?;
    }
    Ok(Part { bytes: writer.done()?, next: page.next })
}

/// In the order of [`COLUMNS`].
fn cells(row: ClientRow, tariff: String, group: String) -> [String; 19] {
    let card = row.card;
    let address = card.address.unwrap_or_default();
    let more: Vec<String> = card.phones.iter().skip(1).map(|phone| phone.number.clone()).collect();
    let phone = card.phones.first().map(|phone| phone.number.clone()).unwrap_or_default();
    let company = match card.kind {
        Kind::Personal => String::new(),
        Kind::Corporate { company } => company,
    };
    [
        card.code,
        phone,
        more.join(", "),
        card.name.surname,
        card.name.name,
        card.name.patronymic,
        company,
        address.city,
        address.street,
        address.house,
        address.entrance,
        address.comment,
        card.email,
        card.note,
        card.dates.birthday.map(|day| day.to_string()).unwrap_or_default(),
        card.tags.into_iter().collect::<Vec<_>>().join(", "),
        card.conflict.to_string(),
        tariff,
        group,
    ]
}
