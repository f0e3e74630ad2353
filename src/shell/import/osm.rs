//! Streets out of an OpenStreetMap extract in XML (`.osm`). The binary form is turned into it, with nothing but what is
//! read here, by `osmium tags-filter -R region.osm.pbf w/highway nwr/addr:street -o streets.osm`.
//!
//! A street is known by its own line on the map (a way with the tags `highway` and `name`), which does not say in which
//! town it lies, or by a house in it (`addr:street`), which does (`addr:city`, `addr:place`).

use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::BadLine;

/// A street as the map names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::shell) struct Named {
    /// Which element: `way 4711`.
    pub(in crate::shell) element: String,
    pub(in crate::shell) street: String,
    /// Empty when the map does not say.
    pub(in crate::shell) settlement: String,
}

/// What is known of the element being read.
#[derive(Default)]
struct Element {
    what: String,
    way: bool,
    highway: String,
    name: String,
    street: String,
    city: String,
}

/// Values of `highway` that are no streets, though they have names.
const NO_STREETS: [&str; 8] =
    ["bus_stop", "platform", "services", "rest_area", "proposed", "construction", "raceway", "abandoned"];

/// Reads a map; hands on each naming of a street.
///
/// # Errors
/// Where the file is no XML, or is cut off.
pub(in crate::shell) fn read(from: impl BufRead, mut named: impl FnMut(Named)) -> Result<(), BadLine> {
    let mut reader = Reader::from_reader(from);
    let (mut buffer, mut element, mut seen) = (Vec::new(), None, false);
    loop {
        let event = reader.read_event_into(&mut buffer);
        let at = |why: String| BadLine { line: 0, why: format!("at byte {}: {why}", reader.buffer_position()) };
        match event.map_err(|error| at(error.to_string()))? {
            Event::Start(tag) if tag.name().as_ref() == b"osm" => seen = true,
            Event::Start(tag) if matches!(tag.name().as_ref(), b"node" | b"way" | b"relation") => {
                element = Some(Element::begin(&tag).map_err(at)?);
            }
            Event::Empty(tag) if tag.name().as_ref() == b"tag" => {
                if let Some(element) = &mut element {
                    element.note(&tag).map_err(at)?;
                }
            }
            Event::End(tag) if matches!(tag.name().as_ref(), b"node" | b"way" | b"relation") => {
                element.take().and_then(Element::street).into_iter().for_each(&mut named);
            }
            Event::End(tag) if tag.name().as_ref() == b"osm" => return Ok(()),
            Event::Eof if seen => return Err(at("the file is cut off before </osm>".to_owned())),
            Event::Eof => return Err(at("this is no OpenStreetMap file: there is no <osm> in it".to_owned())),
            _ => {}
        }
        buffer.clear();
    }
}

impl Element {
    fn begin(tag: &BytesStart<'_>) -> Result<Element, String> {
        let kind = String::from_utf8_lossy(tag.name().as_ref()).into_owned();
        let id = attribute(tag, "id")?;
        Ok(Element { way: kind == "way", what: format!("{kind} {id}"), ..Element::default() })
    }

    fn note(&mut self, tag: &BytesStart<'_>) -> Result<(), String> {
        let field = match attribute(tag, "k")?.as_str() {
            "highway" => &mut self.highway,
            "name" => &mut self.name,
            "addr:street" => &mut self.street,
            "addr:city" => &mut self.city,
            "addr:place" if self.city.is_empty() => &mut self.city,
            _ => return Ok(()),
        };
        *field = attribute(tag, "v")?;
        Ok(())
    }

    fn street(self) -> Option<Named> {
        let named = |street, settlement| Some(Named { element: self.what, street, settlement });
        if !self.street.is_empty() {
            return named(self.street, self.city);
        }
        let is_street = self.way && !self.highway.is_empty() && !NO_STREETS.contains(&self.highway.as_str());
        if is_street && !self.name.is_empty() { named(self.name, self.city) } else { None }
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Result<String, String> {
    match tag.try_get_attribute(name).map_err(|error| error.to_string())? {
        Some(attribute) => {
            let text = std::str::from_utf8(&attribute.value).map_err(|error| error.to_string())?;
            Ok(quick_xml::escape::unescape(text).map_err(|error| error.to_string())?.into_owned())
        }
        None => Ok(String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<osm version="0.6" generator="by hand">
  <node id="1" lat="55.0" lon="37.0"/>
  <node id="2" lat="55.0" lon="37.1"><tag k="highway" v="bus_stop"/><tag k="name" v="Рынок"/></node>
  <node id="3" lat="55.0" lon="37.1"><tag k="addr:street" v="Полевая улица"/><tag k="addr:place" v="Дальнее"/></node>
  <way id="10"><nd ref="1"/><nd ref="2"/><tag k="highway" v="residential"/><tag k="name" v="улица Ленина"/></way>
  <way id="11"><nd ref="1"/><tag k="name" v="Школа &quot;Радуга&quot;"/><tag k="building" v="yes"/></way>
  <way id="12"><tag k="highway" v="platform"/><tag k="name" v="Вокзал"/></way>
  <relation id="20"><tag k="addr:city" v="Примерск"/><tag k="addr:street" v="проспект &quot;Мира&quot;"/></relation>
</osm>"#;

    fn names(map: &str) -> (Vec<String>, Option<String>) {
        let mut names = Vec::new();
        let end = read(map.as_bytes(), |named| {
            names.push(format!("{}: {}, {}", named.element, named.street, named.settlement));
        });
        (names, end.err().map(|bad| bad.why))
    }

    #[test]
    fn streets_are_read_from_ways_and_from_houses() {
        let wanted =
            ["node 3: Полевая улица, Дальнее", "way 10: улица Ленина, ", "relation 20: проспект \"Мира\", Примерск"];
        assert_eq!(names(MAP), (wanted.map(str::to_owned).to_vec(), None));
    }

    #[test]
    fn what_is_no_map_or_is_cut_off_is_told() {
        assert!(names("").1.unwrap().contains("no OpenStreetMap file"));
        assert!(names("<html></html>").1.unwrap().contains("no OpenStreetMap file"));
        assert!(names("street;city\nЛенина;\n").1.is_some());
        for end in [60, 500, MAP.len() - 7] {
            let cut = MAP.get(..(end..).find(|at| MAP.is_char_boundary(*at)).unwrap()).unwrap();
            assert!(names(cut).1.is_some(), "{cut}");
        }
    }
}
