//! How the network counts a text: in the 7-bit default alphabet of GSM with its extension table, or in UCS-2 (3GPP TS
//! 23.038, sections 6.2.1 and 6.2.3), 140 octets a message; of a longer text each part gives six octets to the header
//! that joins them (3GPP TS 23.040, section 9.2.3.24.1).

/// The default alphabet in the order of its codes; ESC stands where the extension table is entered.
const ALPHABET: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1b}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§\
     ¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// What stands behind ESC: two places each.
const EXTENSION: [(u8, char); 10] = [
    (0x0a, '\u{c}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2f, '\\'),
    (0x3c, '['),
    (0x3d, '~'),
    (0x3e, ']'),
    (0x40, '|'),
    (0x65, '€'),
];
const ESCAPE: u8 = 0x1b;

/// How a text is written on the air.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Seven bits a sign: Latin and some Greek.
    Gsm7,
    /// Sixteen bits a sign: everything else, Russian with it.
    Ucs2,
}

impl Encoding {
    /// The narrowest that holds the text.
    #[must_use]
    pub fn of(text: &str) -> Encoding {
        if text.chars().all(|sign| code(sign).is_some()) { Encoding::Gsm7 } else { Encoding::Ucs2 }
    }

    /// Places of one message, and of one part of several.
    #[must_use]
    pub fn places(self) -> (usize, usize) {
        match self {
            Encoding::Gsm7 => (160, 153),
            Encoding::Ucs2 => (70, 67),
        }
    }

    /// Places that a sign takes.
    fn cost(self, sign: char) -> usize {
        match (self, code(sign)) {
            (Encoding::Gsm7, Some(Code::Extended(_))) => 2,
            (Encoding::Gsm7, Some(Code::Plain(_)) | None) => 1,
            (Encoding::Ucs2, _) => sign.len_utf16(),
        }
    }

    /// As octets: a septet each, not packed, for GSM; big-endian for UCS-2. What GSM does not have becomes `?`.
    #[must_use]
    pub fn octets(self, text: &str) -> Vec<u8> {
        match self {
            Encoding::Gsm7 => text.chars().fold(Vec::with_capacity(text.len()), |mut octets, sign| {
                match code(sign) {
                    Some(Code::Plain(code)) => octets.push(code),
                    Some(Code::Extended(code)) => octets.extend([ESCAPE, code]),
                    None => octets.push(b'?'),
                }
                octets
            }),
            Encoding::Ucs2 => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        }
    }

    /// Reads [`octets`](Encoding::octets), whatever a network made of them: an unknown extension is its plain sign, as
    /// the standard wants, a half surrogate U+FFFD, a last half octet nothing.
    #[must_use]
    pub fn text(self, octets: &[u8]) -> String {
        match self {
            Encoding::Gsm7 => {
                let mut text = String::with_capacity(octets.len());
                let mut escaped = false;
                for octet in octets.iter().map(|octet| octet & 0x7f) {
                    let extended = EXTENSION.iter().find(|(code, _)| escaped && *code == octet).map(|(_, sign)| *sign);
                    match extended.or_else(|| ALPHABET.chars().nth(usize::from(octet))) {
                        Some('\u{1b}') if !escaped => {
                            escaped = true;
                            continue;
                        }
                        // ESC ESC is kept for yet another table; until there is one it is shown as a space.
                        Some('\u{1b}') => text.push(' '),
                        Some(sign) => text.push(sign),
                        None => {}
                    }
                    escaped = false;
                }
                text
            }
            Encoding::Ucs2 => {
                let units = octets.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair));
                char::decode_utf16(units).map(|sign| sign.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
            }
        }
    }
}

enum Code {
    Plain(u8),
    Extended(u8),
}

fn code(sign: char) -> Option<Code> {
    if sign.is_ascii_alphanumeric() || sign == ' ' {
        return u8::try_from(sign).ok().map(Code::Plain);
    }
    if let Some((code, _)) = EXTENSION.iter().find(|(_, other)| *other == sign) {
        return Some(Code::Extended(*code));
    }
    let place = ALPHABET.chars().position(|other| other == sign && sign != '\u{1b}')?;
    u8::try_from(place).ok().map(Code::Plain)
}

/// A text as the network carries and counts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segments {
    /// Of all parts.
    pub encoding: Encoding,
    /// In their order; together they are the text. Never empty.
    pub parts: Vec<String>,
}

/// Cuts a text into the parts that a network sends. No sign is torn: neither an escape sequence nor a surrogate pair.
#[must_use]
pub fn segments(text: &str) -> Segments {
    let encoding = Encoding::of(text);
    let (one, of_several) = encoding.places();
    if text.chars().map(|sign| encoding.cost(sign)).sum::<usize>() <= one {
        return Segments { encoding, parts: vec![text.to_owned()] };
    }
    let (mut parts, mut part, mut used) = (Vec::new(), String::new(), 0);
    for sign in text.chars() {
        let cost = encoding.cost(sign);
        if used + cost > of_several {
            parts.push(std::mem::take(&mut part));
            used = 0;
        }
        part.push(sign);
        used += cost;
    }
    parts.push(part);
    Segments { encoding, parts }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counted(text: &str) -> (Encoding, usize) {
        let segments = segments(text);
        (segments.encoding, segments.parts.len())
    }

    #[test]
    fn the_alphabet_has_a_sign_for_each_code() {
        assert_eq!(ALPHABET.chars().count(), 128);
        for (code, sign) in
            [(0x00, '@'), (0x10, 'Δ'), (0x1b, '\u{1b}'), (0x24, '¤'), (0x40, '¡'), (0x60, '¿'), (0x7f, 'à')]
        {
            assert_eq!(ALPHABET.chars().nth(code), Some(sign));
        }
    }

    #[test]
    fn texts_are_counted_as_networks_count_them() {
        assert_eq!(counted(""), (Encoding::Gsm7, 1));
        assert_eq!(counted(&"a".repeat(160)), (Encoding::Gsm7, 1));
        assert_eq!(counted(&"a".repeat(161)), (Encoding::Gsm7, 2));
        assert_eq!(counted(&"a".repeat(306)), (Encoding::Gsm7, 2));
        assert_eq!(counted(&"a".repeat(307)), (Encoding::Gsm7, 3));
        assert_eq!(counted(&"€".repeat(80)), (Encoding::Gsm7, 1));
        assert_eq!(counted(&"€".repeat(81)), (Encoding::Gsm7, 2));
        assert_eq!(counted(&"я".repeat(70)), (Encoding::Ucs2, 1));
        assert_eq!(counted(&"я".repeat(71)), (Encoding::Ucs2, 2));
        assert_eq!(counted(&"я".repeat(135)), (Encoding::Ucs2, 3));
        assert_eq!(counted(&"🚕".repeat(36)), (Encoding::Ucs2, 2));
    }

    #[test]
    fn an_escape_and_a_pair_are_not_torn() {
        let parts = segments(&format!("{}€{}", "a".repeat(152), "b".repeat(60))).parts;
        assert_eq!(parts.iter().map(|part| part.chars().count()).collect::<Vec<_>>(), [152, 61]);
        let parts = segments(&format!("{}🚕{}", "я".repeat(66), "б".repeat(10))).parts;
        assert_eq!(parts.iter().map(|part| part.chars().count()).collect::<Vec<_>>(), [66, 11]);
    }

    #[test]
    fn whatever_a_network_sends_is_read() {
        assert_eq!(Encoding::Gsm7.text(&[0x1b, 0x65, 0x1b, 0x41, 0x1b, 0x1b, 0x80]), "€A @");
        assert_eq!(Encoding::Ucs2.text(&[0x04, 0x1e, 0xd8, 0x3d, 0x04]), "О\u{fffd}");
    }

    proptest! {
        #[test]
        fn parts_make_the_text_and_fit(text in "(?s)(.|[a-z€\\[я🚕]){0,400}") {
            let Segments { encoding, parts } = segments(&text);
            prop_assert_eq!(parts.concat(), text);
            let (one, of_several) = encoding.places();
            let most = if parts.len() == 1 { one } else { of_several };
            for part in &parts {
                let octets = encoding.octets(part);
                let places = match encoding { Encoding::Gsm7 => octets.len(), Encoding::Ucs2 => octets.len() / 2 };
                prop_assert!(places <= most);
                prop_assert!(parts.len() == 1 || !part.is_empty());
                prop_assert_eq!(&encoding.text(&octets), part);
            }
        }

        #[test]
        fn any_octets_are_read_as_some_text(octets: Vec<u8>) {
            prop_assert!(Encoding::Gsm7.text(&octets).chars().count() <= octets.len());
            prop_assert!(Encoding::Ucs2.text(&octets).chars().count() <= octets.len() / 2);
        }
    }
}
