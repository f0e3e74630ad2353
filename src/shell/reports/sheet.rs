//! A table as a file for spreadsheets: CSV with the API's names, or XLSX with headings for people and typed cells.

use chrono::NaiveDate;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use crate::speech::Language;

use super::line::ReportLine;
use super::{CallReport, ReportName};

/// What a cell holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing is known.
    Empty,
    /// Text.
    Text(String),
    /// A number.
    Count(i64),
    /// Thousandths of a whole.
    Share(i64),
    /// Hundredths.
    Hundredths(i64),
    /// A span in seconds.
    Seconds(i64),
    /// A day.
    Day(NaiveDate),
}

/// A column's headings: the API's name, and in Russian and English for people.
#[derive(Clone, Debug)]
pub struct Head {
    /// The API's name.
    pub name: String,
    /// For people.
    pub russian: String,
    /// For people.
    pub english: String,
}

impl Head {
    /// With these headings.
    #[must_use]
    pub fn new(name: &str, russian: &str, english: &str) -> Head {
        Head { name: name.to_owned(), russian: russian.to_owned(), english: english.to_owned() }
    }
}

/// A table.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// Name of the sheet, in Russian and English; at most 31 letters.
    pub title: [&'static str; 2],
    /// The columns.
    pub heads: Vec<Head>,
    /// The rows; each as long as `heads`.
    pub rows: Vec<Vec<Cell>>,
}

/// The table could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// As CSV.
    #[error("the table could not be written as CSV: {0}")]
    Csv(#[from] csv::Error),
    /// As XLSX.
    #[error("the table could not be written as XLSX: {0}")]
    Xlsx(#[from] XlsxError),
}

impl Sheet {
    /// As CSV in UTF-8, the first line has the names of the API.
    ///
    /// # Errors
    /// Never in practice: it is written to memory.
    pub fn csv(&self) -> Result<Vec<u8>, SheetError> {
        let mut table = csv::Writer::from_writer(Vec::new());
        table.write_record(self.heads.iter().map(|head| harmless(&head.name)))?;
        for row in &self.rows {
            table.write_record(row.iter().map(plain))?;
        }
        Ok(table.into_inner().map_err(|error| csv::Error::from(error.into_error()))?)
    }

    /// As a workbook of one sheet.
    ///
    /// # Errors
    /// More rows than a sheet can hold.
    pub fn xlsx(&self, language: Language) -> Result<Vec<u8>, SheetError> {
        let mut book = Workbook::new();
        let [russian, english] = self.title;
        let sheet = book.add_worksheet();
        sheet.set_name(match language {
            Language::Ru => russian,
            Language::En => english,
        })?;
        let bold = Format::new().set_bold().set_text_wrap();
        for (column, head) in (0..).zip(&self.heads) {
            let text = match language {
                Language::Ru => &head.russian,
                Language::En => &head.english,
            };
            sheet.write_string_with_format(0, column, text, &bold)?;
            sheet.set_column_width(column, if column == 0 { 22.0 } else { 13.0 })?;
        }
        sheet.set_freeze_panes(1, 1)?;
        let formats = Formats::new(language);
        for (line, row) in (1..).zip(&self.rows) {
            for (column, cell) in (0..).zip(row) {
                formats.write(sheet, line, column, cell)?;
            }
        }
        Ok(book.save_to_buffer()?)
    }
}

/// A spreadsheet must not take a name for a formula.
fn harmless(text: &str) -> &str {
    text.trim_start_matches(['=', '+', '-', '@', '\t', '\r'])
}

fn plain(cell: &Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) => harmless(text).to_owned(),
        Cell::Count(number) | Cell::Seconds(number) => number.to_string(),
        Cell::Share(part) => format!("{}.{}", part / 10, part % 10),
        Cell::Hundredths(part) => format!("{}.{:02}", part / 100, part % 100),
        Cell::Day(day) => day.to_string(),
    }
}

struct Formats {
    count: Format,
    share: Format,
    hundredths: Format,
    span: Format,
    day: Format,
}

impl Formats {
    fn new(language: Language) -> Formats {
        let day = match language {
            Language::Ru => "dd.mm.yyyy",
            Language::En => "yyyy-mm-dd",
        };
        Formats {
            count: Format::new().set_num_format("#,##0"),
            share: Format::new().set_num_format("0.0%"),
            hundredths: Format::new().set_num_format("0.00"),
            span: Format::new().set_num_format("[h]:mm:ss"),
            day: Format::new().set_num_format(day),
        }
    }

    fn write(&self, sheet: &mut Worksheet, row: u32, column: u16, cell: &Cell) -> Result<(), XlsxError> {
        // Whole numbers of these sizes are exact in a spreadsheet's numbers.
        #[allow(clippy::cast_precision_loss)]
        let (number, format) = match cell {
            Cell::Empty => return Ok(()),
            Cell::Text(text) => {
                // Longer text than a cell may hold is refused.
                let text: String = text.chars().take(32_000).collect();
                return sheet.write_string(row, column, text).map(|_| ());
            }
            Cell::Day(day) => {
                let date = ExcelDateTime::parse_from_str(&day.to_string())?;
                return sheet.write_datetime_with_format(row, column, &date, &self.day).map(|_| ());
            }
            Cell::Count(number) => (*number as f64, &self.count),
            Cell::Share(part) => (*part as f64 / 1000.0, &self.share),
            Cell::Hundredths(part) => (*part as f64 / 100.0, &self.hundredths),
            // A spreadsheet reckons in days; it cannot show a negative time.
            Cell::Seconds(seconds) if *seconds < 0 => (*seconds as f64, &self.count),
            Cell::Seconds(seconds) => (*seconds as f64 / 86_400.0, &self.span),
        };
        sheet.write_number_with_format(row, column, number, format).map(|_| ())
    }
}

type Reading = fn(&ReportLine) -> Cell;

fn seconds(value: Option<i64>) -> Cell {
    value.map_or(Cell::Empty, Cell::Seconds)
}

fn share(value: Option<i64>) -> Cell {
    value.map_or(Cell::Empty, Cell::Share)
}

fn count(value: Option<i64>) -> Cell {
    value.map_or(Cell::Empty, Cell::Count)
}

const COLUMNS: [(&str, &str, &str, Reading); 26] = [
    ("calls", "Звонков", "Calls", |line| Cell::Count(line.calls)),
    ("queued", "Встали в очередь", "Entered a queue", |line| Cell::Count(line.queued)),
    ("answered", "Отвечено", "Answered", |line| Cell::Count(line.answered)),
    ("abandoned", "Не дождались", "Abandoned", |line| Cell::Count(line.abandoned)),
    ("service_level_percent", "Уровень сервиса", "Service level", |line| share(line.service_level)),
    ("abandonment_percent", "Доля потерь", "Abandonment", |line| share(line.abandonment)),
    ("average_wait_s", "Среднее ожидание", "Average speed of answer", |line| {
        seconds(line.average_wait_s)
    }),
    ("longest_wait_s", "Дольше всех ждали", "Longest wait", |line| Cell::Seconds(line.longest_wait_s)),
    ("average_talk_s", "Средний разговор", "Average talk", |line| seconds(line.average_talk_s)),
    ("by_robot", "Ответил робот", "By the robot alone", |line| Cell::Count(line.by_robot)),
    ("robot_share_percent", "Доля робота", "Share of the robot", |line| share(line.robot_share)),
    ("kept_places", "Выбрали перезвон", "Chose a callback", |line| Cell::Count(line.kept_places)),
    ("callbacks_delivered", "Дозвонились клиентам", "Callbacks delivered", |line| {
        count(line.callbacks_delivered)
    }),
    ("outgoing", "Исходящих", "Outgoing", |line| Cell::Count(line.outgoing)),
    ("ready_s", "На линии", "At work", |line| seconds(line.ready_s)),
    ("occupancy_percent", "Занятость", "Occupancy", |line| share(line.occupancy)),
    ("short_abandoned", "Сразу положили трубку", "Short abandons", |line| {
        Cell::Count(line.short_abandoned)
    }),
    ("average_wrap_up_s", "Средняя обработка после", "Average after-call work", |line| {
        seconds(line.average_wrap_up_s)
    }),
    ("average_handling_s", "Среднее обслуживание", "Average handling time", |line| {
        seconds(line.average_handling_s)
    }),
    ("told", "Слышали оценку ожидания", "Were told a wait", |line| Cell::Count(line.told)),
    ("estimate_error_s", "Ошибка оценки", "Error of the told wait", |line| seconds(line.estimate_error_s)),
    ("estimate_bias_s", "Смещение оценки, с", "Bias of the told wait, s", |line| {
        count(line.estimate_bias_s)
    }),
    ("idle_s", "Ждали звонка", "Idle", |line| seconds(line.idle_s)),
    ("paused_s", "На паузе", "In pause", |line| seconds(line.paused_s)),
    ("talk_s", "Говорили", "Talking", |line| seconds(line.talk_s)),
    ("wrap_up_s", "Обработка после разговора", "After-call work", |line| {
        seconds(line.wrap_up_s)
    }),
];

impl CallReport {
    /// As a table, the total last.
    #[must_use]
    pub fn sheet(&self) -> Sheet {
        let (title, russian, english) = match self.name {
            ReportName::Hours => (["По часам суток", "By hour of the day"], "Час", "Hour"),
            ReportName::Days => (["По дням", "By day"], "День", "Day"),
            ReportName::Queues => (["По очередям", "By queue"], "Очередь", "Queue"),
            ReportName::Agents => (["По диспетчерам", "By agent"], "Диспетчер", "Agent"),
            ReportName::Purposes => (["По целям обращений", "By purpose"], "Цель", "Purpose"),
        };
        let mut heads = vec![Head::new("key", russian, english)];
        heads.extend(COLUMNS.iter().map(|(name, russian, english, _)| Head::new(name, russian, english)));
        let row = |line: &ReportLine| {
            let key = match self.name {
                ReportName::Hours => line.key.parse().map_or(Cell::Empty, Cell::Count),
                ReportName::Days => line.key.parse().map_or(Cell::Empty, Cell::Day),
                ReportName::Queues | ReportName::Agents | ReportName::Purposes => Cell::Text(line.key.clone()),
            };
            std::iter::once(key).chain(COLUMNS.iter().map(|(_, _, _, read)| read(line))).collect()
        };
        Sheet { title, heads, rows: self.items.iter().chain([&self.total]).map(row).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Sheet {
        Sheet {
            title: ["Лист", "Sheet"],
            heads: vec![Head::new("key", "Ключ", "Key"), Head::new("part", "Доля", "Share")],
            rows: vec![
                vec![Cell::Text("=1+1".into()), Cell::Share(667)],
                vec![Cell::Day(NaiveDate::from_ymd_opt(2026, 1, 5).unwrap()), Cell::Seconds(3_661)],
                vec![Cell::Hundredths(405), Cell::Empty],
            ],
        }
    }

    #[test]
    fn as_csv_it_has_the_names_of_the_api_and_no_formulas() {
        let text = String::from_utf8(sheet().csv().unwrap()).unwrap();
        assert_eq!(text, "key,part\n1+1,66.7\n2026-01-05,3661\n4.05,\n");
    }

    #[test]
    fn as_a_workbook_it_is_a_zip_of_some_size() {
        for language in [Language::Ru, Language::En] {
            let book = sheet().xlsx(language).unwrap();
            assert!(book.starts_with(b"PK\x03\x04") && book.len() > 3_000, "{}", book.len());
        }
    }
}
