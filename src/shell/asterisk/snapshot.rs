//! What stands in Asterisk at the moment of connection.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::Value;
use tracing::warn;

use crate::engine::event::{Arrival, BridgeSnapshot, ChannelSnapshot, Origin, Snapshot};
use crate::engine::ids::Own;
use crate::engine::time::Wall;

use super::decode;
use super::encode::{MEMO, bridge_note};
use super::rest::{HttpRequest, Rest, RestError};

/// Variables asked for at once, where Asterisk does not send them with the channel.
const MEMOS_AT_ONCE: usize = 16;

/// Reads it. The order matters: what changes meanwhile is told by events that come after.
pub(super) async fn take(rest: &Rest, app: &str) -> Result<Snapshot, RestError> {
    let long = super::rest::CHANNEL_DEADLINE;
    let channels: Vec<ChannelRecord> = rest.fetch(&HttpRequest::get(&["channels"]).within(long)).await?;
    let bridges: Vec<BridgeRecord> = rest.fetch(&HttpRequest::get(&["bridges"]).within(long)).await?;
    let devices = devices(rest).await?;
    let ours = channels.into_iter().filter_map(|channel| channel.ours(app));
    let channels = futures_util::stream::iter(ours)
        .map(|(channel, told)| with_memo(rest, channel, told))
        .buffered(MEMOS_AT_ONCE)
        .collect()
        .await;
    let bridges = bridges
        .into_iter()
        .filter(|bridge| Own::parse(&bridge.id).is_some())
        .map(|bridge| BridgeSnapshot {
            bridge: bridge.id.into(),
            channels: bridge.channels.into_iter().map(Into::into).collect(),
            note: bridge_note(&bridge.name),
        })
        .collect();
    Ok(Snapshot { channels, bridges, devices: devices.into_iter().collect() })
}

/// PJSIP endpoints and whether a phone is there.
pub(super) async fn devices(rest: &Rest) -> Result<BTreeMap<String, bool>, RestError> {
    let endpoints: Vec<EndpointRecord> = rest.fetch(&HttpRequest::get(&["endpoints", "PJSIP"])).await?;
    Ok(endpoints.into_iter().map(|endpoint| (endpoint.resource, endpoint.state == "online")).collect())
}

/// Own structures instead of the crate's models: those hide the name and arguments of the application, and one
/// channel with something new in it must not make the whole list unreadable.
#[derive(Deserialize)]
struct ChannelRecord {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    caller: Party,
    #[serde(default)]
    dialplan: Place,
    creationtime: Option<chrono::DateTime<chrono::Utc>>,
    channelvars: Option<Value>,
}

#[derive(Default, Deserialize)]
struct Party {
    #[serde(default)]
    name: String,
    #[serde(default)]
    number: String,
}

#[derive(Default, Deserialize)]
struct Place {
    #[serde(default)]
    exten: String,
    #[serde(default)]
    app_name: String,
    #[serde(default)]
    app_data: String,
}

#[derive(Deserialize)]
struct BridgeRecord {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    channels: Vec<String>,
}

#[derive(Deserialize)]
struct EndpointRecord {
    resource: String,
    #[serde(default)]
    state: String,
}

impl ChannelRecord {
    /// The channel as the core sees it, if it is one of ours, and whether the note on it was told.
    fn ours(self, app: &str) -> Option<(ChannelSnapshot, bool)> {
        let own = Own::parse(&self.id).is_some().then_some(Origin::Inbound);
        let origin = self.origin(app).or(own)?;
        let told = self.channelvars.as_ref().is_some_and(|vars| vars.get(MEMO).is_some());
        let memo = decode::memo(self.channelvars.as_ref());
        let arrival = Arrival {
            channel: self.id.into(),
            origin,
            number: self.caller.number,
            name: self.caller.name,
            dialled: self.dialplan.exten,
            created: Wall(self.creationtime.map_or(0, |at| at.timestamp_millis())),
            answered: self.state == "Up",
            memo,
        };
        let ringing = self.state == "Ringing";
        Some((ChannelSnapshot { arrival, endpoint: endpoint_of(&self.name).to_owned(), ringing }, told))
    }

    fn origin(&self, app: &str) -> Option<Origin> {
        let mut args = self.dialplan.app_data.split(',');
        if self.dialplan.app_name != "Stasis" || args.next() != Some(app) {
            return None;
        }
        decode::origin(args)
    }
}

/// `PJSIP/agent-101-0000002a` gives `agent-101`.
fn endpoint_of(channel_name: &str) -> &str {
    let resource = channel_name.split_once('/').map_or("", |(_, resource)| resource);
    resource.rsplit_once('-').map_or(resource, |(endpoint, _)| endpoint)
}

/// Asks for the note where `ari.conf` does not name it in `channelvars`.
async fn with_memo(rest: &Rest, mut channel: ChannelSnapshot, told: bool) -> ChannelSnapshot {
    #[derive(Deserialize)]
    struct Variable {
        value: String,
    }
    if told {
        return channel;
    }
    let id = channel.arrival.channel.as_str();
    let request = HttpRequest::get(&["channels", id, "variable"]).query("variable", MEMO);
    match rest.fetch::<Variable>(&request).await {
        Ok(variable) if !variable.value.is_empty() => channel.arrival.memo = Some(variable.value),
        // 404: it has no such variable, or is gone already.
        Ok(_) | Err(RestError::Status { status: 404, .. }) => {}
        Err(error) => warn!(channel = id, %error, "the engine's note on a channel could not be read"),
    }
    channel
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(text: &str) -> ChannelRecord {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_caller_waiting_in_the_application_is_found_with_the_note_on_the_channel() {
        let channel = record(
            r#"{"id":"pz1-1795293198.27","name":"PJSIP/trunk-00000002","state":"Up","protocol_id":"x",
            "caller":{"name":"Anna","number":"+79001234567"},"connected":{"name":"","number":""},"accountcode":"",
            "dialplan":{"context":"perezvon-inbound","exten":"100","priority":3,"app_name":"Stasis","app_data":"perezvon,inbound"},
            "creationtime":"2026-11-21T20:33:18.473+0000","language":"en","channelvars":{"PEREZVON":"note"}}"#,
        );
        let (found, told) = channel.ours("perezvon").unwrap();
        assert!(told);
        assert_eq!(found.arrival.memo.as_deref(), Some("note"));
        assert_eq!(found.arrival.origin, Origin::Inbound);
        assert_eq!(found.arrival.created, Wall(1_795_293_198_473));
        assert_eq!(found.endpoint, "trunk");
        assert!(found.arrival.answered && !found.ringing);
    }

    #[test]
    fn own_legs_are_found_wherever_they_stand_and_channels_of_others_are_not() {
        let leg = r#"{"id":"pz-0123456789abcdef-l1","name":"PJSIP/agent-101-0000002a","state":"Ringing",
            "dialplan":{"app_name":"AppDial2","app_data":"(Outgoing Line)"}}"#;
        let (found, told) = record(leg).ours("perezvon").unwrap();
        assert_eq!((found.endpoint.as_str(), found.ringing, told), ("agent-101", true, false));
        for other in [
            r#"{"id":"1.1","dialplan":{"app_name":"Queue","app_data":"perezvon,inbound"}}"#,
            r#"{"id":"1.1","dialplan":{"app_name":"Stasis","app_data":"another,inbound"}}"#,
            r#"{"id":"1.1","dialplan":{"app_name":"Stasis","app_data":"perezvon"}}"#,
            r#"{"id":"1.1"}"#,
        ] {
            assert!(record(other).ours("perezvon").is_none(), "{other}");
        }
    }
}
