//! CSV as offices have it: UTF-8, `;`, `,` or tab, a header with names of columns in any order and letter case.

use std::io::{self, BufRead, BufReader, Chain, Read};

use csv::{ErrorKind, ReaderBuilder, StringRecord};

use crate::domain::search::fold;

use super::BadLine;

/// The header is within so many bytes.
const HEADER: usize = 64 * 1024;

/// A table, read line by line.
pub(in crate::shell) struct Table<R> {
    reader: csv::Reader<LineEnds<R>>,
    columns: Vec<String>,
    ended: bool,
}

/// A line of a table.
pub(in crate::shell) struct Line {
    /// From 1, the header included.
    pub(in crate::shell) number: u64,
    fields: StringRecord,
}

impl Line {
    /// The text of a column, without spaces around it; empty when there is no such column.
    pub(in crate::shell) fn get(&self, column: Option<usize>) -> &str {
        column.and_then(|column| self.fields.get(column)).unwrap_or_default().trim()
    }
}

impl<R: Read> Table<R> {
    /// Reads the header and finds out the delimiter.
    ///
    /// # Errors
    /// When there is no header, or it is no UTF-8.
    pub(in crate::shell) fn open(from: R) -> Result<Table<R>, BadLine> {
        let mut from = BufReader::with_capacity(HEADER, from);
        let bad = |why: String| BadLine { line: 1, why };
        let start = from.fill_buf().map_err(|cause| bad(format!("it cannot be read: {cause}")))?;
        let delimiter = delimiter(start.split(|byte| *byte == b'\n').next().unwrap_or_default());
        let mut reader =
            ReaderBuilder::new().delimiter(delimiter).flexible(false).from_reader(LineEnds(from.chain(b"\n")));
        let header = reader.headers().map_err(|error| bad(reason(&error)))?;
        let columns: Vec<String> = header.iter().map(fold).collect();
        if columns.iter().all(String::is_empty) {
            return Err(bad("there is no header with the names of the columns".to_owned()));
        }
        Ok(Table { reader, columns, ended: false })
    }

    /// The names of the columns, folded.
    pub(in crate::shell) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The place of the column that has one of these names.
    pub(in crate::shell) fn column(&self, names: &[&str]) -> Option<usize> {
        self.columns.iter().position(|column| names.iter().any(|name| fold(name) == *column))
    }

    /// The next line, good or bad.
    pub(in crate::shell) fn next_line(&mut self) -> Option<Result<Line, BadLine>> {
        if self.ended {
            return None;
        }
        let mut fields = StringRecord::new();
        let read = self.reader.read_record(&mut fields);
        // The reader tells where it stands, which is behind the line; where it began may have been an empty one.
        let within = fields.iter().map(|field| field.matches('\n').count()).sum::<usize>();
        let number = self.reader.position().line().saturating_sub(1 + u64::try_from(within).unwrap_or(0));
        match read {
            Ok(true) => Some(Ok(Line { number, fields })),
            Ok(false) => None,
            Err(error) => {
                // What cannot be read at all cannot be read further.
                self.ended = error.is_io_error();
                Some(Err(BadLine { line: number, why: reason(&error) }))
            }
        }
    }
}

/// Lines that all end in `\n` alone, the last one too: `\r\n` is counted as a line only when the next one is read.
struct LineEnds<R>(Chain<BufReader<R>, &'static [u8]>);

impl<R: Read> Read for LineEnds<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.0.read(buffer)?;
            let bytes = buffer.get_mut(..read).unwrap_or_default();
            let mut kept = 0;
            for at in 0..bytes.len() {
                if bytes.get(at) != Some(&b'\r') {
                    bytes.swap(kept, at);
                    kept += 1;
                }
            }
            if kept > 0 || read == 0 {
                return Ok(kept);
            }
        }
    }
}

fn reason(error: &csv::Error) -> String {
    match error.kind() {
        ErrorKind::Utf8 { .. } => "it is not UTF-8: save the file as «CSV UTF-8»".to_owned(),
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {len} fields, the header has {expected_len}: is a quote or a delimiter missing?")
        }
        ErrorKind::Io(cause) => format!("the file cannot be read: {cause}"),
        _ => error.to_string(),
    }
}

/// The one that is in the header most often.
fn delimiter(header: &[u8]) -> u8 {
    let count = |delimiter: &u8| header.iter().filter(|byte| *byte == delimiter).count();
    [b',', b'\t', b';'].into_iter().max_by_key(count).unwrap_or(b';')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> (Vec<String>, Vec<String>) {
        let mut table = Table::open(text).unwrap();
        let (street, town) = (table.column(&["street", "Улица"]), table.column(&["город"]));
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        while let Some(line) = table.next_line() {
            match line {
                Ok(line) => good.push(format!("{} {}/{}", line.number, line.get(street), line.get(town))),
                Err(line) => bad.push(line.to_string()),
            }
        }
        (good, bad)
    }

    #[test]
    fn any_usual_delimiter_and_order_of_columns_is_read() {
        let wanted = vec!["2 Ленина/Примерск".to_owned(), "3 Мира/".to_owned()];
        for text in [
            "\u{feff}Улица;Город\nЛенина;Примерск\nМира;\n",
            "город,УЛИЦА\r\nПримерск, Ленина \r\n,Мира\r\n",
            "street\tx\tгород\nЛенина\t\t\"Примерск\"\nМира\t\t\n",
        ] {
            assert_eq!(read(text.as_bytes()), (wanted.clone(), vec![]), "{text}");
        }
        assert_eq!(read("street\nЛенина\n\nМира".as_bytes()).0, ["2 Ленина/", "4 Мира/"]);
        assert_eq!(read("street,x\r\n\"Ле\r\nнина\",\r\n\r\nМира,".as_bytes()).0, ["2 Ле\nнина/", "5 Мира/"]);
    }

    #[test]
    fn every_bad_line_is_told_and_the_rest_is_read() {
        let (good, bad) = read(b"street;x\nA;1\nB\n\xd0\xff;2\nC;3;4\nD;5\n");
        assert_eq!(good, ["2 A/", "6 D/"]);
        assert_eq!(bad.len(), 3, "{bad:?}");
        for (line, word) in bad.iter().zip(["line 3: it has 1 fields", "line 4: it is not UTF-8", "line 5: it has 3"]) {
            assert!(line.starts_with(word), "{line}");
        }
    }

    #[test]
    fn without_a_header_nothing_is_read() {
        for text in [&b""[..], b"\n\n", b"\xff;\xfe\n"] {
            assert_eq!(Table::open(text).err().map(|bad| bad.line), Some(1));
        }
    }
}
