//! Frames of the events socket as [`NodeEvent`]s.
//!
//! The frame's type is read first, by a pass that builds nothing, so that the many events that do not concern us cost
//! next to nothing; the others are decoded straight into the model of `asterisk-ari` for their type. (Its `Event`
//! would buffer every frame twice, and turn a frame with one field missing into `Unknown` silently.)

use std::borrow::Cow;

use asterisk_ari::apis::channels::models::{Channel, ChannelState};
use asterisk_ari::ws::models;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::engine::event::{Answered, Arrival, NodeEvent, Origin};
use crate::engine::ids::{ChannelId, Own};
use crate::engine::time::Wall;

use super::encode::MEMO;

/// What a frame means to us.
#[derive(Debug, PartialEq)]
pub(super) enum Decoded {
    /// Something for the core.
    Event(NodeEvent),
    /// A channel that we made has come into the application.
    Entered(ChannelId),
    /// Somebody hung up; the channel leaves the application next. Cause 16 where Asterisk names none (a plain BYE).
    HangUp {
        /// Which channel.
        channel: ChannelId,
        /// Q.850 cause.
        cause: u16,
    },
    /// A known type that does not concern us.
    Ignored,
    /// Another engine took the application's name.
    Replaced,
    /// A channel came into the application with arguments that mean nothing to us: it must not be left in silence.
    Stray(ChannelId),
    /// A type that we do not know.
    Unknown(String),
    /// It cannot be read; why.
    Malformed(String),
}

/// Q.850.
const NORMAL_CLEARING: u16 = 16;

/// Types that Asterisk need not send at all: most of the frames of a call.
pub(super) const UNWANTED: [&str; 11] = [
    "BridgeCreated",
    "BridgeDestroyed",
    // `Dial` tells the same of every channel that we dial, and of early media too.
    "ChannelStateChange",
    "ChannelVarset",
    "ChannelDialplan",
    "ChannelCallerId",
    "ChannelConnectedLine",
    "ChannelCreated",
    "DeviceStateChanged",
    "PlaybackStarted",
    "PlaybackContinuing",
];

/// Known types that come rarely and do not concern us.
const RARE: [&str; 24] = [
    "ApplicationMoveFailed",
    "ApplicationRegistered",
    "ApplicationUnregistered",
    "BridgeAttendedTransfer",
    "BridgeBlindTransfer",
    "BridgeMerged",
    "BridgeVideoSourceChanged",
    "CallBroadcast",
    "CallClaimed",
    "ChannelHold",
    "ChannelTalkingFinished",
    "ChannelTalkingStarted",
    "ChannelToneDetected",
    "ChannelTransfer",
    "ChannelUnhold",
    "ChannelUserevent",
    "ContactStatusChange",
    "EndpointStateChange",
    "PeerStatusChange",
    "RecordingFailed",
    "RecordingFinished",
    "RecordingStarted",
    "RESTResponse",
    "TextMessageReceived",
];

/// Reads one frame.
pub(super) fn decode(frame: &str) -> Decoded {
    let kind = match kind_of(frame) {
        Ok(kind) => kind,
        Err(error) => return Decoded::Malformed(error.to_string()),
    };
    match kind.as_ref() {
        "StasisStart" => read::<models::StasisStart>(frame, arrived),
        "StasisEnd" => read::<models::StasisEnd>(frame, |event| event_of(NodeEvent::Left(id_of(event.channel)))),
        // Read by hand: the model insists on a cause, and a plain BYE has none.
        "ChannelHangupRequest" => read::<HangUpRequest>(frame, hung_up),
        "ChannelDestroyed" => read::<models::ChannelDestroyed>(frame, |event| {
            let cause = u16::try_from(event.cause).unwrap_or(0);
            event_of(NodeEvent::Gone { channel: id_of(event.channel), cause })
        }),
        "ChannelDtmfReceived" => read::<models::ChannelDtmfReceived>(frame, |event| match event.digit.chars().next() {
            Some(digit) => event_of(NodeEvent::Digit { channel: id_of(event.channel), digit }),
            None => Decoded::Malformed("ChannelDtmfReceived without a digit".to_owned()),
        }),
        "ChannelEnteredBridge" => read::<models::ChannelEnteredBridge>(frame, |event| match event.channel {
            Some(channel) => event_of(NodeEvent::Joined { bridge: event.bridge.id.into(), channel: id_of(channel) }),
            None => Decoded::Ignored,
        }),
        "ChannelLeftBridge" => read::<models::ChannelLeftBridge>(frame, |event| {
            event_of(NodeEvent::Parted { bridge: event.bridge.id.into(), channel: id_of(event.channel) })
        }),
        "Dial" => read::<models::Dial>(frame, dialled),
        "PlaybackFinished" => read::<models::PlaybackFinished>(frame, |event| match event.playback.id {
            Some(id) => event_of(NodeEvent::PlaybackEnded(id.into())),
            None => Decoded::Malformed("PlaybackFinished without an id".to_owned()),
        }),
        "ApplicationReplaced" => Decoded::Replaced,
        kind if UNWANTED.contains(&kind) || RARE.contains(&kind) => Decoded::Ignored,
        kind => Decoded::Unknown(kind.chars().take(64).collect()),
    }
}

/// The frame's type. Asterisk writes it first, so that it is usually found without looking at the rest.
fn kind_of(frame: &str) -> serde_json::Result<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Head<'a> {
        #[serde(rename = "type", borrow)]
        kind: Cow<'a, str>,
    }
    let first = frame.strip_prefix("{\"type\":").and_then(|rest| rest.trim_start().strip_prefix('"'));
    match first.and_then(|rest| rest.split_once('"')) {
        Some((kind, _)) if !kind.contains('\\') => Ok(Cow::Borrowed(kind)),
        _ => serde_json::from_str::<Head<'_>>(frame).map(|head| head.kind),
    }
}

#[derive(Deserialize)]
struct HangUpRequest {
    channel: HungUp,
    cause: Option<i64>,
    /// Asked for by ARI or another part of Asterisk; absent when the phone did it.
    #[serde(default)]
    soft: bool,
}

#[derive(Deserialize)]
struct HungUp {
    id: String,
    #[serde(default)]
    state: String,
}

fn hung_up(event: HangUpRequest) -> Decoded {
    let cause = event.cause.and_then(|cause| u16::try_from(cause).ok()).unwrap_or(NORMAL_CLEARING);
    let channel: ChannelId = event.channel.id.into();
    // An agent who talked has put down: the phone takes the next call now, and not when Asterisk has taken its channel
    // apart (0.6 ms). So has a client who was called: the prompt that ends next was not heard to its end. One that only
    // rang may have refused: its own events tell how.
    if !event.soft
        && event.channel.state == "Up"
        && matches!(Own::parse(channel.as_str()), Some((_, Own::Leg(_) | Own::Monitor(_) | Own::Outgoing)))
    {
        return event_of(NodeEvent::Gone { channel, cause });
    }
    Decoded::HangUp { channel, cause }
}

fn event_of(event: NodeEvent) -> Decoded {
    Decoded::Event(event)
}

fn id_of(channel: Channel) -> ChannelId {
    channel.id.into()
}

/// Into the model; where that fails because something that we do not need is missing or new, once more with the gaps
/// filled in.
fn read<T: DeserializeOwned>(frame: &str, translate: impl FnOnce(T) -> Decoded) -> Decoded {
    let first = match serde_json::from_str::<T>(frame) {
        Ok(event) => return translate(event),
        Err(error) => error,
    };
    let mended = serde_json::from_str::<Value>(frame).ok().and_then(|mut value| {
        mend(&mut value);
        serde_json::from_value::<T>(value).ok()
    });
    mended.map_or_else(|| Decoded::Malformed(first.to_string()), translate)
}

/// Fills in what the models want and we do not: everything but ids.
fn mend(frame: &mut Value) {
    for name in ["channel", "peer", "caller", "forwarded", "replace_channel"] {
        if let Some(Value::Object(channel)) = frame.get_mut(name) {
            let known = channel.get("state").is_some_and(|state| ChannelState::deserialize(state).is_ok());
            if !known {
                channel.insert("state".to_owned(), json!("Unknown"));
            }
            fill(channel, channel_gaps());
        }
    }
    if let Some(Value::Object(bridge)) = frame.get_mut("bridge") {
        // Kinds and modes that may be new.
        bridge.remove("video_mode");
        bridge.insert("bridge_type".to_owned(), json!("mixing"));
        fill(bridge, bridge_gaps());
    }
    if let Some(Value::Object(playback)) = frame.get_mut("playback") {
        playback.insert("state".to_owned(), json!("done"));
    }
    if let Value::Object(frame) = frame {
        if !frame.get("cause").is_some_and(Value::is_u64) {
            frame.insert("cause".to_owned(), json!(0));
        }
        fill(frame, json!({ "cause_txt": "", "dialstatus": "", "duration_ms": 0, "args": [] }));
    }
}

fn channel_gaps() -> Value {
    let party = json!({ "name": "", "number": "" });
    json!({
        "name": "", "state": "Unknown", "caller": party, "connected": party, "accountcode": "", "language": "",
        "creationtime": "1970-01-01T00:00:00.000+0000",
        "dialplan": { "context": "", "exten": "", "priority": 0, "app_name": "", "app_data": "" },
    })
}

fn bridge_gaps() -> Value {
    json!({
        "technology": "", "bridge_class": "", "creator": "", "name": "", "channels": [],
        "creationtime": "1970-01-01T00:00:00.000+0000",
    })
}

fn fill(object: &mut serde_json::Map<String, Value>, gaps: Value) {
    let Value::Object(gaps) = gaps else { return };
    for (name, gap) in gaps {
        match (object.get_mut(&name), gap) {
            (None | Some(Value::Null), gap) => {
                object.insert(name, gap);
            }
            (Some(Value::Object(inner)), gap @ Value::Object(_)) => fill(inner, gap),
            (Some(_), _) => {}
        }
    }
}

fn arrived(event: models::StasisStart) -> Decoded {
    let channel = event.channel;
    let came = origin(event.args.iter().map(String::as_str));
    if Own::parse(&channel.id).is_some() && !matches!(came, Some(Origin::Outgoing { .. })) {
        // A leg that we made: its life is told by other events.
        return Decoded::Entered(channel.id.into());
    }
    if channel.dialplan.extension == "h" {
        // A dead channel: a dialplan whose pattern matches the hang-up extension too runs Stasis() once more.
        return Decoded::Ignored;
    }
    match came {
        Some(origin) => event_of(NodeEvent::Arrived(Arrival {
            origin,
            number: channel.caller.number,
            name: channel.caller.name,
            dialled: channel.dialplan.extension,
            created: Wall(channel.creation_time.timestamp_millis()),
            answered: channel.state == ChannelState::Up,
            memo: memo(channel.channel_vars.as_ref()),
            channel: channel.id.into(),
        })),
        None => Decoded::Stray(channel.id.into()),
    }
}

/// What the arguments of `Stasis()` (without the application's name) tell of the way in.
pub(super) fn origin<'a>(args: impl IntoIterator<Item = &'a str>) -> Option<Origin> {
    let mut args = args.into_iter();
    match (args.next()?, args.next()) {
        ("inbound", Some("fallback")) => Some(Origin::Fallback),
        ("inbound", _) => Some(Origin::Inbound),
        ("outbound", Some(_)) => Some(Origin::Outgoing { answered: answered(args.next()?) }),
        ("agent", Some(endpoint)) => Some(Origin::Agent { endpoint: endpoint.to_owned() }),
        (_, _) => None,
    }
}

/// What the dialplan says of who answered: the `AMDSTATUS` of Asterisk's `AMD()`. Only what is surely a machine is taken
/// for one.
fn answered(status: &str) -> Answered {
    if status == "MACHINE" { Answered::Machine } else { Answered::Person }
}

/// The engine's note among the channel's variables; it is shown where `ari.conf` names it in `channelvars`.
pub(super) fn memo(channel_vars: Option<&Value>) -> Option<String> {
    let text = channel_vars?.get(MEMO)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

fn dialled(event: models::Dial) -> Decoded {
    let Some(peer) = event.peer else { return Decoded::Ignored };
    match event.dialstatus.as_str() {
        "PROGRESS" => event_of(NodeEvent::Progress(id_of(peer))),
        "RINGING" => event_of(NodeEvent::Ringing(id_of(peer))),
        "ANSWER" => event_of(NodeEvent::Answered(id_of(peer))),
        // The end of a dial that failed is told by ChannelDestroyed, with its cause.
        _ => Decoded::Ignored,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::engine::ids::CallId;

    const RECORDED: &str = include_str!("../../../tests/fixtures/ari-events-22.10.1.jsonl");

    fn channel(id: &str, state: &str) -> String {
        format!(
            r#""channel":{{"id":"{id}","name":"PJSIP/trunk-00000001","state":"{state}","protocol_id":"1@a",
            "caller":{{"name":"Anna \"q\"","number":"+79001234567"}},"connected":{{"name":"","number":""}},
            "accountcode":"","dialplan":{{"context":"perezvon-inbound","exten":"100","priority":3,"app_name":"Stasis",
            "app_data":"perezvon,inbound"}},"creationtime":"2026-11-21T20:33:18.473+0000","language":"en",
            "channelvars":{{"PEREZVON":""}}}},"asterisk_id":"x","application":"perezvon",
            "timestamp":"2026-11-21T20:33:18.473+0000""#
        )
    }

    fn start(id: &str, state: &str, args: &str) -> String {
        format!(r#"{{"args":{args},{},"type":"StasisStart"}}"#, channel(id, state))
    }

    #[test]
    fn every_recorded_frame_of_asterisk_22_is_understood() {
        let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
        for frame in RECORDED.lines() {
            let kind = match decode(frame) {
                Decoded::HangUp { .. } => "hang up",
                Decoded::Event(NodeEvent::Ringing(_) | NodeEvent::Progress(_)) => "ringing",
                Decoded::Event(NodeEvent::Answered(_)) => "answered",
                Decoded::Event(NodeEvent::Gone { .. }) => "gone",
                Decoded::Event(NodeEvent::Left(_)) => "left",
                Decoded::Event(NodeEvent::Digit { digit, .. }) => {
                    assert_eq!(digit, '5');
                    "digit"
                }
                Decoded::Event(NodeEvent::PlaybackEnded(_)) => "playback ended",
                Decoded::Event(NodeEvent::Joined { .. }) => "joined",
                Decoded::Event(NodeEvent::Parted { .. }) => "parted",
                Decoded::Entered(_) => "entered",
                Decoded::Ignored => "ignored",
                Decoded::Replaced => "replaced",
                // The recording was made with another dialplan than ours.
                Decoded::Stray(_) => "stray",
                other => panic!("{other:?} of {frame}"),
            };
            *counts.entry(kind).or_default() += 1;
        }
        insta::assert_compact_debug_snapshot!(
            counts,
            @r#"{"answered": 8, "digit": 1, "gone": 25, "hang up": 34, "ignored": 343, "joined": 7, "left": 13, "parted": 7, "playback ended": 5, "replaced": 1, "ringing": 1, "stray": 13}"#
        );
    }

    #[test]
    fn a_caller_arrives_with_all_that_the_core_needs() {
        let arrival = Arrival {
            channel: "pz1-17.1".into(),
            origin: Origin::Inbound,
            number: "+79001234567".to_owned(),
            name: "Anna \"q\"".to_owned(),
            dialled: "100".to_owned(),
            created: Wall(1_795_293_198_473),
            answered: false,
            memo: None,
        };
        assert_eq!(decode(&start("pz1-17.1", "Ring", r#"["inbound"]"#)), event_of(NodeEvent::Arrived(arrival.clone())));
        let again =
            start("pz1-17.1", "Up", r#"["inbound","fallback"]"#).replace(r#""PEREZVON":"""#, r#""PEREZVON":"m""#);
        let again_arrival =
            Arrival { origin: Origin::Fallback, answered: true, memo: Some("m".to_owned()), ..arrival.clone() };
        assert_eq!(decode(&again), event_of(NodeEvent::Arrived(again_arrival)));
        let agent = Arrival { origin: Origin::Agent { endpoint: "agent-1".to_owned() }, ..arrival };
        assert_eq!(decode(&start("pz1-17.1", "Ring", r#"["agent","agent-1"]"#)), event_of(NodeEvent::Arrived(agent)));
    }

    #[test]
    fn own_legs_and_dead_channels_do_not_arrive_and_strangers_are_told_apart() {
        let leg = "pz-0123456789abcdef-l1";
        assert_eq!(decode(&start(leg, "Down", "[]")), Decoded::Entered(leg.into()));
        let called = "pz-0123456789abcdef-o";
        assert_eq!(decode(&start(called, "Down", "[]")), Decoded::Entered(called.into()));
        for (status, answered) in [
            ("HUMAN", Answered::Person),
            ("NOTSURE", Answered::Person),
            ("", Answered::Person),
            ("MACHINE", Answered::Machine),
        ] {
            let args = format!(r#"["outbound","0123456789abcdef","{status}"]"#);
            match decode(&start(called, "Up", &args)) {
                Decoded::Event(NodeEvent::Arrived(arrival)) => {
                    assert_eq!(arrival.origin, Origin::Outgoing { answered }, "{status}");
                }
                other => panic!("{other:?}"),
            }
        }
        let dead = start("17.1", "Up", r#"["inbound"]"#).replace(r#""exten":"100""#, r#""exten":"h""#);
        assert_eq!(decode(&dead), Decoded::Ignored);
        for args in ["[]", r#"["agent"]"#, r#"["outbound"]"#, r#"["outbound","7"]"#, r#"["нечто"]"#] {
            assert_eq!(decode(&start("17.1", "Ring", args)), Decoded::Stray("17.1".into()), "{args}");
        }
    }

    #[test]
    fn a_hang_up_without_a_cause_is_normal_clearing() {
        for (cause, expected) in [("", 16), (r#""cause":21,"#, 21), (r#""cause":127,"tech_cause":487,"#, 127)] {
            let frame = format!(r#"{{{cause}"type":"ChannelHangupRequest",{}}}"#, channel("17.1", "Up"));
            assert_eq!(decode(&frame), Decoded::HangUp { channel: "17.1".into(), cause: expected });
        }
    }

    #[test]
    fn an_agent_who_puts_down_after_a_talk_is_gone_at_once_and_in_no_other_case() {
        let leg = Own::Leg(1).id(CallId(7 << 20));
        let frame = |id: &str, state: &str, soft: &str| {
            format!(r#"{{"type":"ChannelHangupRequest",{soft}"cause":16,"channel":{{"id":"{id}","state":"{state}"}}}}"#)
        };
        let gone = event_of(NodeEvent::Gone { channel: leg.as_str().into(), cause: 16 });
        assert_eq!(decode(&frame(&leg, "Up", "")), gone);
        for frame in [
            frame(&leg, "Up", r#""soft":true,"#),
            frame(&leg, "Ringing", ""),
            frame(&leg, "", ""),
            frame("17.1", "Up", ""),
        ] {
            assert!(matches!(decode(&frame), Decoded::HangUp { cause: 16, .. }), "{frame}");
        }
    }

    #[test]
    fn a_frame_with_gaps_or_news_in_what_we_do_not_need_is_still_understood() {
        let gone = event_of(NodeEvent::Gone { channel: "17.1".into(), cause: 0 });
        for frame in [
            r#"{"type":"ChannelDestroyed","channel":{"id":"17.1"}}"#,
            r#"{"channel":{"id":"17.1","state":"Levitating","caller":null,"dialplan":{"exten":"1"}},"cause":-1,"type":"ChannelDestroyed"}"#,
            r#"{"channel":{"id":"17.1","creationtime":null},"cause":"16","cause_txt":null,"type":"ChannelDestroyed"}"#,
            r#"{"channel":{"id":"17.1"},"cause":99999999,"type":"ChannelDestroyed"}"#,
        ] {
            assert_eq!(decode(frame), gone, "{frame}");
        }
        let joined = event_of(NodeEvent::Joined { bridge: "b".into(), channel: "17.1".into() });
        let frame =
            r#"{"type":"ChannelEnteredBridge","bridge":{"id":"b","bridge_type":"new"},"channel":{"id":"17.1"}}"#;
        assert_eq!(decode(frame), joined);
        let ended = event_of(NodeEvent::PlaybackEnded("p".into()));
        assert_eq!(decode(r#"{"type":"PlaybackFinished","playback":{"id":"p","state":"melted"}}"#), ended);
        let ringing = event_of(NodeEvent::Progress("17.1".into()));
        assert_eq!(decode(r#"{"type":"Dial","dialstatus":"PROGRESS","peer":{"id":"17.1"}}"#), ringing);
    }

    #[test]
    fn what_cannot_be_read_is_malformed_and_what_is_not_known_is_unknown() {
        for frame in [
            "",
            "{",
            "null",
            "[]",
            r#"{"type":1}"#,
            r#"{"type":"StasisEnd"}"#,
            r#"{"type":"StasisEnd","channel":{"id":7}}"#,
            r#"{"type":"ChannelDestroyed","channel":"17.1"}"#,
            r#"{"type":"ChannelDtmfReceived","digit":"","channel":{"id":"17.1"}}"#,
            r#"{"type":"PlaybackFinished","playback":{}}"#,
            "\u{0}\u{1}",
        ] {
            assert!(matches!(decode(frame), Decoded::Malformed(_)), "{frame}: {:?}", decode(frame));
        }
        assert_eq!(decode(r#"{"type":"Новое"}"#), Decoded::Unknown("Новое".to_owned()));
        let long = format!(r#"{{"type":"{}"}}"#, "x".repeat(10_000));
        assert_eq!(decode(&long), Decoded::Unknown("x".repeat(64)));
        let deep = format!(r#"{{"a":{}{},"type":"StasisEnd"}}"#, "[".repeat(5_000), "]".repeat(5_000));
        assert!(matches!(decode(&deep), Decoded::Malformed(_)));
    }

    proptest::proptest! {
        #[test]
        fn no_recorded_frame_cut_or_bent_anywhere_brings_the_decoder_down(
            line in 0_usize..458, at in 0_usize..900, byte: u8, cut: bool
        ) {
            let mut bytes = RECORDED.lines().nth(line).unwrap_or_default().as_bytes().to_vec();
            let at = at.min(bytes.len().saturating_sub(1));
            if cut { bytes.truncate(at); } else { bytes[at] = byte; }
            decode(&String::from_utf8_lossy(&bytes));
        }
    }
}
