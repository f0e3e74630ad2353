//! SMS and SMPP's messages: one into the other.

use rusmpp::pdus::{DeliverSm, SubmitSm};
use rusmpp::tlvs::TlvValue;
use rusmpp::types::{EmptyOrFullCOctetString, OctetString};
use rusmpp::values::{DataCoding, EsmClass, GsmFeatures, MessageState, MessageType, Npi, RegisteredDelivery, Ton};

use crate::domain::sms::Encoding;

use super::super::provider::{Failure, Outgoing};
use super::session::text;

/// A receipt is wanted, of delivery and of failure (section 5.2.17).
const RECEIPTS: u8 = 1;

/// The message begins with a header (section 5.2.12).
const HEADED: u8 = 0x40;

/// What an SMSC tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// What became of a part that it took.
    Receipt {
        /// Its own id of it.
        reference: String,
        /// `DELIVRD`, ….
        word: String,
    },
    /// An SMS or a part of one.
    Part(Part),
    /// Neither.
    Nothing,
}

/// A part of an SMS that comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) from: String,
    pub(super) text: String,
    /// Which of how many under which number; none for a whole SMS.
    pub(super) of: Option<PartOf>,
}

/// Where a part belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PartOf {
    pub(super) reference: u16,
    pub(super) total: u8,
    /// From 1.
    pub(super) number: u8,
}

/// The messages of an SMS, with the header that joins them (3GPP TS 23.040, section 9.2.3.24.1) where they are several.
pub(super) fn parts(sms: &Outgoing, from: &str) -> Result<Vec<SubmitSm>, Failure> {
    let digits = sms.to.trim_start_matches('+');
    let to = text(digits).ok_or_else(|| Failure::for_good("the number is longer than SMPP takes"))?;
    let (source_ton, source_npi, source) = sender(from);
    let source = text(source).ok_or_else(|| Failure::for_now("`from` is longer than SMPP takes"))?;
    let encoding = sms.segments.encoding;
    let total = u8::try_from(sms.segments.parts.len()).map_err(|_| Failure::for_good("it has too many parts"))?;
    // Two long SMS to one number at once differ in it.
    let reference = sms.id.0.to_be_bytes().last().copied().unwrap_or_default();
    let mut messages = Vec::with_capacity(usize::from(total));
    for (part, number) in sms.segments.parts.iter().zip(1u8..) {
        let mut octets = if total > 1 { vec![5, 0, 3, reference, total, number] } else { Vec::new() };
        octets.extend(encoding.octets(part));
        let octets =
            OctetString::from_vec(octets).map_err(|_| Failure::for_good("a part is longer than SMPP takes"))?;
        // Not `EsmClass::default()`, which says that this were a delivery acknowledgement (bit 3).
        let class = EsmClass::from(if total > 1 { HEADED } else { 0 });
        let message = SubmitSm::builder()
            .source_addr_ton(source_ton)
            .source_addr_npi(source_npi)
            .source_addr(source.clone())
            .dest_addr_ton(Ton::International)
            .dest_addr_npi(Npi::Isdn)
            .destination_addr(to.clone())
            .esm_class(class)
            .validity_period(validity(sms.valid.as_secs()))
            .registered_delivery(RegisteredDelivery::from(RECEIPTS))
            .data_coding(match encoding {
                Encoding::Gsm7 => DataCoding::McSpecific,
                Encoding::Ucs2 => DataCoding::Ucs2,
            })
            .short_message(octets);
        messages.push(message.build());
    }
    Ok(messages)
}

/// A sender: +79… is international, a short number the network's own, anything else a name.
fn sender(from: &str) -> (Ton, Npi, &str) {
    match from.strip_prefix('+') {
        Some(digits) => (Ton::International, Npi::Isdn, digits),
        None if from.is_empty() => (Ton::Unknown, Npi::Unknown, from),
        None if from.bytes().all(|b| b.is_ascii_digit()) => (Ton::NetworkSpecific, Npi::Isdn, from),
        None => (Ton::Alphanumeric, Npi::Unknown, from),
    }
}

/// A span as SMPP writes it: `YYMMDDhhmmsstnnR` (section 7.1.1), at least a minute, at most a day.
fn validity(seconds: u64) -> EmptyOrFullCOctetString<17> {
    let minutes = (seconds / 60).clamp(1, 24 * 60);
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    let text = format!("0000{days:02}{hours:02}{minutes:02}00000R");
    EmptyOrFullCOctetString::try_from(text).unwrap_or_default()
}

/// Reads what an SMSC delivers.
pub(super) fn told(sms: &DeliverSm) -> Told {
    match sms.esm_class.message_type {
        MessageType::ShortMessageContainsMCDeliveryReceipt => receipt(sms),
        MessageType::Default => Told::Part(part(sms)),
        MessageType::ShortMessageContainsIntermediateDeliveryNotification | MessageType::Other(_) => Told::Nothing,
    }
}

/// By its optional parameters (section 5.3.2), else by the text (appendix B): `id:4711 … stat:DELIVRD …`.
fn receipt(sms: &DeliverSm) -> Told {
    let octets = octets(sms);
    let text = String::from_utf8_lossy(&octets);
    let field = |name: &str| {
        let found = text.split_whitespace().find_map(|word| word.strip_prefix(name));
        found.map(str::to_owned).filter(|value| !value.is_empty())
    };
    let (mut reference, mut word) = (None, None);
    for tlv in sms.tlvs() {
        match tlv.value() {
            Some(TlvValue::ReceiptedMessageId(id)) => reference = Some(id.as_str().trim().to_owned()),
            Some(TlvValue::MessageState(state)) => word = state_word(*state),
            Some(_) | None => {}
        }
    }
    match (reference.or_else(|| field("id:")), word.map(str::to_owned).or_else(|| field("stat:"))) {
        (Some(reference), Some(word)) => Told::Receipt { reference, word },
        _ => Told::Nothing,
    }
}

fn state_word(state: MessageState) -> Option<&'static str> {
    match state {
        MessageState::Delivered => Some("DELIVRD"),
        MessageState::Expired => Some("EXPIRED"),
        MessageState::Deleted => Some("DELETED"),
        MessageState::Undeliverable => Some("UNDELIV"),
        MessageState::Rejected => Some("REJECTD"),
        // On its way, or unknown: the text may say more.
        _ => None,
    }
}

fn octets(sms: &DeliverSm) -> Vec<u8> {
    let payload = sms.tlvs().iter().find_map(|tlv| match tlv.value() {
        Some(TlvValue::MessagePayload(payload)) => Some(payload.value.clone().into_vec()),
        Some(_) | None => None,
    });
    payload.unwrap_or_else(|| sms.short_message().clone().into_vec())
}

fn part(sms: &DeliverSm) -> Part {
    let mut octets = octets(sms);
    let mut of = None;
    if matches!(sms.esm_class.gsm_features, GsmFeatures::UdhiIndicator | GsmFeatures::SetUdhiAndReplyPath) {
        let header = usize::from(octets.first().copied().unwrap_or_default()) + 1;
        let rest = octets.split_off(header.min(octets.len()));
        of = joined_by(&octets);
        octets = rest;
    }
    let text = match sms.data_coding {
        DataCoding::McSpecific => Encoding::Gsm7.text(&octets),
        DataCoding::Ucs2 => Encoding::Ucs2.text(&octets),
        DataCoding::Latin1 => octets.iter().map(|octet| char::from(*octet)).collect(),
        _ => String::from_utf8_lossy(&octets).into_owned(),
    };
    let plus = if sms.source_addr_ton == Ton::International { "+" } else { "" };
    let from = format!("{plus}{}", sms.source_addr.as_str().trim_start_matches('+'));
    Part { from, text, of: of.or_else(|| sar(sms)) }
}

/// The element that joins parts, with a reference of 8 or 16 bits, among those of a header.
fn joined_by(header: &[u8]) -> Option<PartOf> {
    let mut rest = header.get(1..)?;
    while let [kind, length, after @ ..] = rest {
        let (value, behind) = after.split_at_checked(usize::from(*length))?;
        match (kind, value) {
            (0, [reference, total, number]) => return valid(u16::from(*reference), *total, *number),
            (8, [high, low, total, number]) => return valid(u16::from_be_bytes([*high, *low]), *total, *number),
            _ => rest = behind,
        }
    }
    None
}

/// The same in optional parameters.
fn sar(sms: &DeliverSm) -> Option<PartOf> {
    let (mut reference, mut total, mut number) = (None, None, None);
    for tlv in sms.tlvs() {
        match tlv.value() {
            Some(TlvValue::SarMsgRefNum(value)) => reference = Some(*value),
            Some(TlvValue::SarTotalSegments(value)) => total = Some(*value),
            Some(TlvValue::SarSegmentSeqnum(value)) => number = Some(*value),
            Some(_) | None => {}
        }
    }
    valid(reference?, total?, number?)
}

fn valid(reference: u16, total: u8, number: u8) -> Option<PartOf> {
    (total > 1 && (1..=total).contains(&number)).then_some(PartOf { reference, total, number })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rusmpp::tlvs::MessageDeliveryRequestTlvValue;

    use crate::domain::ids::SmsId;
    use crate::domain::sms::segments;

    use super::*;

    fn outgoing(text: &str) -> Outgoing {
        Outgoing {
            id: SmsId(0x1234),
            reference: "r".into(),
            to: "+79001234567".into(),
            text: text.into(),
            segments: segments(text),
            valid: Duration::from_secs(30 * 60),
        }
    }

    #[test]
    fn a_short_text_is_one_message_and_a_long_one_has_headers() {
        let one = parts(&outgoing("Hello {1}"), "Taxi").unwrap().remove(0);
        assert_eq!(one.short_message().clone().into_vec(), b"Hello \x1b\x281\x1b\x29");
        assert_eq!((one.data_coding, one.source_addr_ton), (DataCoding::McSpecific, Ton::Alphanumeric));
        assert_eq!((one.destination_addr.as_str(), one.validity_period.as_str()), ("79001234567", "000000003000000R"));
        let two = parts(&outgoing(&"я".repeat(71)), "+79000000000").unwrap();
        assert_eq!(two.len(), 2);
        let octets = two[1].short_message().clone().into_vec();
        assert_eq!(octets, [5, 0, 3, 0x34, 2, 2, 0x04, 0x4f, 0x04, 0x4f, 0x04, 0x4f, 0x04, 0x4f]);
        assert_eq!((u8::from(one.esm_class), u8::from(two[0].esm_class)), (0, 0x40));
        assert_eq!(u8::from(one.registered_delivery), 1);
        assert_eq!(two[0].short_message().len(), 6 + 134);
    }

    fn delivered(class: u8, coding: DataCoding, octets: &[u8]) -> DeliverSm {
        DeliverSm::builder()
            .source_addr(text("79001234567").unwrap())
            .esm_class(EsmClass::from(class))
            .data_coding(coding)
            .short_message(OctetString::from_vec(octets.to_vec()).unwrap())
            .build()
    }

    #[test]
    fn receipts_are_read_from_parameters_or_text() {
        let text =
            b"id:0A-17 sub:001 dlvrd:001 submit date:2611221030 done date:2611221031 stat:DELIVRD err:000 text:x";
        let told = |sms: &DeliverSm| super::told(sms);
        let receipt = |reference: &str, word: &str| Told::Receipt { reference: reference.into(), word: word.into() };
        assert_eq!(told(&delivered(4, DataCoding::McSpecific, text)), receipt("0A-17", "DELIVRD"));
        let mut by_tlv = delivered(4, DataCoding::McSpecific, b"");
        by_tlv.push_tlv(MessageDeliveryRequestTlvValue::ReceiptedMessageId(super::text("77").unwrap()));
        by_tlv.push_tlv(MessageDeliveryRequestTlvValue::MessageState(MessageState::Undeliverable));
        assert_eq!(told(&by_tlv), receipt("77", "UNDELIV"));
        assert_eq!(told(&delivered(4, DataCoding::McSpecific, b"hello")), Told::Nothing);
    }

    #[test]
    fn incoming_text_is_read_with_its_header_whatever_it_holds() {
        let part = |sms: &DeliverSm| match super::told(sms) {
            Told::Part(part) => part,
            other => panic!("{other:?}"),
        };
        let plain = part(&delivered(0, DataCoding::Ucs2, &[0x04, 0x33, 0x04, 0x34, 0x04, 0x35]));
        assert_eq!((plain.text.as_str(), plain.of, plain.from.as_str()), ("где", None, "79001234567"));
        let headed = part(&delivered(0x40, DataCoding::McSpecific, b"\x06\x08\x04\x01\x02\x03\x01Hi"));
        assert_eq!(headed.of, Some(PartOf { reference: 0x102, total: 3, number: 1 }));
        assert_eq!(headed.text, "Hi");
        for broken in
            [&b""[..], b"\xff", b"\x05\x00\x03\x01", b"\x05\x00\xff\x01\x02\x03", b"\x05\x00\x03\x01\x02\x09x"]
        {
            assert_eq!(part(&delivered(0x40, DataCoding::McSpecific, broken)).of, None, "{broken:?}");
        }
    }
}
