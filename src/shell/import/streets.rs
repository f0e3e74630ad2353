//! Reads streets out of a file: CSV, or a map.

use std::collections::BTreeSet;
use std::io::{BufReader, Read};

use crate::domain::hint::{MOST_STREETS, Street};

use super::table::Table;
use super::{BadLine, osm};

/// The column with the street, its kind within or apart.
const STREET: [&str; 6] = ["street", "улица", "name", "название", "наименование", "addr:street"];
/// The column with the city, town or village.
const SETTLEMENT: [&str; 7] =
    ["settlement", "city", "город", "населённый пункт", "нас. пункт", "нас пункт", "addr:city"];
/// The column with the kind, when it stands apart.
const KIND: [&str; 4] = ["kind", "type", "тип", "вид"];

/// What a file holds.
#[derive(Debug, Default)]
pub(in crate::shell) struct Streets {
    /// Each once.
    pub(in crate::shell) streets: Vec<Street>,
    /// Lines or elements that name a street.
    pub(in crate::shell) read: u64,
    /// What cannot be used.
    pub(in crate::shell) bad: Vec<BadLine>,
    known: BTreeSet<String>,
}

impl Streets {
    /// Reads a table. Streets without a settlement of their own get this one.
    pub(in crate::shell) fn from_csv(from: impl Read, settlement: &str) -> Streets {
        let mut streets = Streets::default();
        let mut table = match Table::open(from) {
            Ok(table) => table,
            Err(bad) => return Streets { bad: vec![bad], ..streets },
        };
        let (street, own, kind) = (table.column(&STREET), table.column(&SETTLEMENT), table.column(&KIND));
        if street.is_none() {
            let why = format!("no column has one of the names {}", STREET.join(", "));
            return Streets { bad: vec![BadLine { line: 1, why }], ..streets };
        }
        while let Some(line) = table.next_line() {
            match line {
                Ok(line) => {
                    let own = Some(line.get(own)).filter(|own| !own.is_empty()).unwrap_or(settlement);
                    let text = format!("{} {}", line.get(kind), line.get(street));
                    streets.add(&text, own, |why| BadLine { line: line.number, why });
                }
                Err(bad) => streets.bad.push(bad),
            }
        }
        streets
    }

    /// Reads a map. Streets of which it does not tell the settlement get this one.
    pub(in crate::shell) fn from_osm(from: impl Read, settlement: &str) -> Streets {
        let mut streets = Streets::default();
        let read = osm::read(BufReader::new(from), |named| {
            let own = if named.settlement.is_empty() { settlement } else { named.settlement.as_str() };
            streets.add(&named.street, own, |why| BadLine { line: 0, why: format!("{}: {why}", named.element) });
        });
        streets.bad.extend(read.err());
        streets
    }

    fn add(&mut self, text: &str, settlement: &str, bad: impl Fn(String) -> BadLine) {
        self.read += 1;
        match Street::read(text, settlement) {
            Ok(_) if self.streets.len() >= MOST_STREETS => {
                if self.streets.len() == MOST_STREETS && self.bad.last().is_none_or(|bad| !bad.why.contains("too many"))
                {
                    self.bad.push(bad(format!("too many streets: at most {MOST_STREETS} are taken")));
                }
            }
            Ok(street) => {
                if self.known.insert(street.key()) {
                    self.streets.push(street);
                }
            }
            Err(error) => self.bad.push(bad(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(streets: &Streets) -> Vec<String> {
        streets.streets.iter().map(|street| format!("{}, {}", street.title(), street.settlement)).collect()
    }

    #[test]
    fn a_table_is_read_with_the_kind_apart_or_within() {
        let text =
            "Город;Тип;Улица\nПримерск;ул;Ленина\n;пр-т;Мира\nПримерск;;ул. Ленина\nДальнее;;Садовая\n;;\n;ул;\u{1}\n";
        let streets = Streets::from_csv(text.as_bytes(), "Главный");
        assert_eq!(titles(&streets), ["улица Ленина, Примерск", "проспект Мира, Главный", "Садовая улица, Дальнее"]);
        assert_eq!(streets.read, 6);
        let bad: Vec<String> = streets.bad.iter().map(ToString::to_string).collect();
        assert_eq!(bad[0], "line 6: the street has no name");
        assert!(bad[1].starts_with("line 7: ") && bad.len() == 2, "{bad:?}");
    }

    #[test]
    fn a_table_without_streets_is_told() {
        let streets = Streets::from_csv("a;b\n1;2\n".as_bytes(), "");
        assert!(streets.bad[0].to_string().contains("line 1: no column"), "{:?}", streets.bad);
    }

    #[test]
    fn a_map_is_read_and_each_street_is_there_once() {
        let map = "<osm><way id='1'><tag k='highway' v='primary'/><tag k='name' v='улица Ленина'/></way>\
            <node id='2'><tag k='addr:street' v='ул. Ленина'/><tag k='addr:city' v='Примерск'/></node>\
            <node id='3'><tag k='addr:street' v='—'/></node></osm>";
        let streets = Streets::from_osm(map.as_bytes(), "Примерск");
        assert_eq!(titles(&streets), ["улица Ленина, Примерск"]);
        assert_eq!((streets.read, streets.bad.len()), (3, 1));
        assert!(streets.bad[0].to_string().contains("node 3: the street has no name"), "{:?}", streets.bad);
    }
}
