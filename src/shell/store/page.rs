//! Pages of long lists, newest first. A cursor names the last row of the page before, so rows that come in meanwhile
//! neither repeat nor hide any.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::{Result, StoreError};

/// Rows on a page at most.
pub(super) const MOST: u32 = 500;

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, newest first.
    pub items: Vec<T>,
    /// Where the next page begins; none after the last.
    pub next: Option<String>,
}

/// A place in a list ordered by a moment and an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) at: i64,
    pub(super) id: i64,
}

impl Place {
    pub(super) fn cursor(self) -> String {
        URL_SAFE_NO_PAD.encode(format!("1.{:x}.{:x}", self.at, self.id))
    }

    /// Reads a cursor; none for the first page.
    pub(super) fn parse(cursor: Option<&str>) -> Result<Option<Place>> {
        cursor.map(|text| read(text).ok_or(StoreError::BadCursor)).transpose()
    }
}

fn read(text: &str) -> Option<Place> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let mut parts = std::str::from_utf8(&bytes).ok()?.split('.');
    let mut hex = || u64::from_str_radix(parts.next()?, 16).ok().map(u64::cast_signed);
    let (version, at, id) = (hex()?, hex()?, hex()?);
    (version == 1).then_some(Place { at, id })
}

/// How many rows to ask for: one more than wanted tells whether there is a next page.
pub(super) fn with_one_more(limit: u32) -> i64 {
    i64::from(limit.clamp(1, MOST)) + 1
}

impl<T> Page<T> {
    /// Cuts what [`with_one_more`] asked for.
    pub(super) fn cut(mut items: Vec<T>, limit: u32, place: impl Fn(&T) -> Place) -> Page<T> {
        let limit = usize::try_from(limit.clamp(1, MOST)).unwrap_or(1);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(|item| place(item).cursor()) } else { None };
        Page { items, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back() {
        for place in [Place { at: 1_800_000_000_000, id: 7 }, Place { at: -1, id: i64::MIN }] {
            assert_eq!(Place::parse(Some(&place.cursor())).unwrap(), Some(place));
        }
        assert_eq!(Place::parse(None).unwrap(), None);
    }

    #[test]
    fn a_made_up_cursor_is_refused() {
        for text in ["", "x", "MQ", "1.2.3", "я", "Mi4xLjE"] {
            assert!(matches!(Place::parse(Some(text)), Err(StoreError::BadCursor)), "{text}");
        }
    }
}
