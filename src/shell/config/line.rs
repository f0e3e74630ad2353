//! In which line of the file a key stands.

use toml::de::{DeTable, DeValue};

/// The line, from 1, of `menu.list[0].keys.1` and the like; of the nearest section above it when the key itself is not
/// written.
pub(super) fn line_of(text: &str, key: &str) -> Option<usize> {
    let tree = DeTable::parse(text).ok()?;
    let mut found = None;
    let mut table = Some(tree.get_ref());
    let mut list = None;
    for part in key.split(['.', '[']) {
        let next = if let Some(index) = part.strip_suffix(']') {
            let elements: &toml::de::DeArray<'_> = list?;
            index.parse::<usize>().ok().and_then(|index| elements.get(index))
        } else {
            table.and_then(|table| table.get(part))
        };
        let Some(value) = next else { break };
        found = Some(value.span().start);
        (table, list) = match value.get_ref() {
            DeValue::Table(inner) => (Some(inner), None),
            DeValue::Array(elements) => (None, Some(elements)),
            _ => (None, None),
        };
    }
    let before = text.get(..found?)?;
    Some(before.bytes().filter(|byte| *byte == b'\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_in_its_line() {
        let text = "[office]\nlanguage = 'ru'\n\n[[menu.list]]\nname = 'a'\n[[menu.list]]\nname = 'b'\nkeys = { 1 = 'x',\n 2 = 'y' }\n";
        for (key, line) in [
            ("office.language", 2),
            ("menu.list[0].name", 5),
            ("menu.list[1].name", 7),
            ("menu.list[1].keys.1", 8),
            ("menu.list[1].keys.2", 9),
            ("menu.list[1].say", 6),
        ] {
            assert_eq!(line_of(text, key), Some(line), "{key}");
        }
        assert_eq!(line_of(text, "sms.x"), None);
        assert_eq!(line_of("[", "a"), None);
    }
}
