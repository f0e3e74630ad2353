//! The header `Range`: one part of a file (RFC 9110, section 14).

use axum::http::HeaderValue;

/// What is to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it: no range, or one that we need not understand.
    Whole,
    /// These bytes.
    Some { from: u64, length: u64 },
    /// The range lies outside.
    Nothing,
}

/// Reads the header for a file of this size. Several ranges at once are answered with the whole, as the RFC allows.
pub(super) fn wanted(header: Option<&HeaderValue>, size: u64) -> Part {
    let text = header.and_then(|value| value.to_str().ok()).and_then(|text| text.trim().strip_prefix("bytes="));
    let Some((first, last)) = text.filter(|text| !text.contains(',')).and_then(|text| text.split_once('-')) else {
        return Part::Whole;
    };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let (from, end) = match (first.trim(), last.trim()) {
        ("", suffix) => match number(suffix) {
            Some(0) => return Part::Nothing,
            Some(suffix) => (size.saturating_sub(suffix), size),
            None => return Part::Whole,
        },
        (first, "") => match number(first) {
            Some(from) => (from, size),
            None => return Part::Whole,
        },
        (first, last) => match (number(first), number(last)) {
            (Some(from), Some(last)) if from <= last => (from, last.saturating_add(1).min(size)),
            _ => return Part::Whole,
        },
    };
    if from < end { Part::Some { from, length: end - from } } else { Part::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_rfc_says() {
        let part = |from, length| Part::Some { from, length };
        for (text, expected) in [
            ("bytes=0-99", part(0, 100)),
            ("bytes=900-", part(900, 100)),
            ("bytes=-100", part(900, 100)),
            ("bytes=-5000", part(0, 1000)),
            ("bytes=999-5000", part(999, 1)),
            ("bytes=1000-", Part::Nothing),
            ("bytes=5000-6000", Part::Nothing),
            ("bytes=-0", Part::Nothing),
            ("bytes=5-1", Part::Whole),
            ("bytes=0-1,5-6", Part::Whole),
            ("bytes=a-b", Part::Whole),
            ("bytes=", Part::Whole),
            ("lines=1-2", Part::Whole),
            ("bytes=0-18446744073709551615", part(0, 1000)),
            ("bytes=99999999999999999999-", Part::Whole),
        ] {
            assert_eq!(wanted(Some(&HeaderValue::from_static(text)), 1000), expected, "{text}");
        }
        assert_eq!(wanted(None, 1000), Part::Whole);
        assert_eq!(wanted(Some(&HeaderValue::from_static("bytes=0-")), 0), Part::Nothing);
    }
}
