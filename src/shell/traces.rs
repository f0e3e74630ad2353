//! Each call as a trace for OpenTelemetry: put together of the engine's facts beside the calls' thread, and sent by
//! OTLP/HTTP in its JSON form (opentelemetry-proto, `trace/v1`) in batches. Where no collector is configured nothing of
//! this is there; what a collector does not take in time is left out, and said in the log.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::engine::command::Fact;
use crate::engine::ids::{AgentId, CallId};
use crate::engine::time::Wall;
use crate::engine::view::Disposition;

/// Facts on their way; more than that are left out.
const FACTS: usize = 8192;
/// Calls put together at once; the oldest is left out for another.
const MOST_CALLS: usize = 20_000;
/// Offers, talks and notes of one call.
const MOST_PARTS: usize = 200;
/// Spans that wait for the collector.
const MOST_SPANS: usize = 8192;
/// Spans of one request.
const BATCH: usize = 512;
/// How often spans are sent.
const EVERY: Duration = Duration::from_secs(2);
/// For the collector to take a batch.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes facts for the traces. Never waits.
#[derive(Clone)]
pub struct Traces(mpsc::Sender<Fact>);

impl Traces {
    /// Starts sending to the collector at `endpoint`, such as `http://127.0.0.1:4318`, until it is cancelled; what is
    /// whole by then is sent.
    ///
    /// # Errors
    /// When no connection can ever be made: the system's certificates cannot be read.
    pub fn start(endpoint: &str, cancel: CancellationToken) -> Result<Traces, reqwest::Error> {
        let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
        let (facts, inbox) = mpsc::channel(FACTS);
        let url = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
        let sender = Sender { client, url, calls: BTreeMap::new(), spans: Vec::new(), left_out: 0, troubled: false };
        tokio::spawn(sender.run(inbox, cancel));
        Ok(Traces(facts))
    }

    /// Takes what happened.
    pub fn fact(&self, fact: &Fact) {
        let told = match fact {
            Fact::CallArrived { .. }
            | Fact::CallQueued { .. }
            | Fact::OfferMade { .. }
            | Fact::OfferEnded { .. }
            | Fact::CallBridged { .. }
            | Fact::LegEnded { .. }
            | Fact::CallNoted { .. }
            | Fact::CallEnded { .. } => true,
            Fact::LegStarted { .. }
            | Fact::LegAnswered { .. }
            | Fact::OfferRinging { .. }
            | Fact::WrapUp { .. }
            | Fact::WaitTold { .. }
            | Fact::MonitorBegan { .. }
            | Fact::MonitorEnded { .. }
            | Fact::CallsAlive { .. }
            | Fact::AttemptStarted { .. }
            | Fact::AttemptEnded { .. }
            | Fact::CallbackEnded { .. }
            | Fact::AgentStatus { .. }
            | Fact::AgentIdle { .. } => false,
        };
        if told {
            // A collector's slowness is no reason to keep anybody waiting: the trace lacks something then.
            let _ = self.0.try_send(fact.clone());
        }
    }
}

/// A call that is not over.
#[derive(Default)]
struct Open {
    arrived: Option<Wall>,
    outgoing: bool,
    queued: Option<(Wall, String)>,
    bridged: Option<Wall>,
    offers: BTreeMap<u32, (Wall, AgentId)>,
    talks: BTreeMap<u32, (Wall, Option<AgentId>)>,
    /// Parts that are over.
    parts: Vec<Value>,
    notes: Vec<Value>,
}

struct Sender {
    client: reqwest::Client,
    url: String,
    calls: BTreeMap<CallId, Open>,
    spans: Vec<Value>,
    left_out: u64,
    troubled: bool,
}

impl Sender {
    async fn run(mut self, mut inbox: mpsc::Receiver<Fact>, cancel: CancellationToken) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = cancel.cancelled() => break,
                _ = ticks.tick() => self.send().await,
                fact = inbox.recv() => match fact {
                    Some(fact) => self.take(fact),
                    None => break,
                },
            }
        }
        while let Ok(fact) = inbox.try_recv() {
            self.take(fact);
        }
        self.send().await;
    }

    fn take(&mut self, fact: Fact) {
        let Some(call) = call_of(&fact) else { return };
        if let Fact::CallEnded { disposition, agent, at, .. } = fact {
            // Without its beginning (it came before this run) there is nothing to show.
            let open = self.calls.remove(&call).unwrap_or_default();
            if let Some(arrived) = open.arrived {
                self.spans.extend(open.whole(call, arrived, at, disposition, agent));
                let over = self.spans.len().saturating_sub(MOST_SPANS);
                self.left_out += over as u64;
                self.spans.drain(..over);
            }
            return;
        }
        if self.calls.len() >= MOST_CALLS && !self.calls.contains_key(&call) {
            self.calls.pop_first();
        }
        self.calls.entry(call).or_default().add(call, fact);
    }

    async fn send(&mut self) {
        while !self.spans.is_empty() {
            let batch = self.spans.get(..BATCH.min(self.spans.len())).unwrap_or_default();
            let body = envelope(batch);
            let request = self.client.post(&self.url).header("content-type", "application/json").body(body);
            let why = match request.send().await {
                Ok(answer) if answer.status().is_success() => {
                    self.spans.drain(..BATCH.min(self.spans.len()));
                    self.troubled = false;
                    continue;
                }
                Ok(answer) => answer.status().to_string(),
                Err(error) => error.without_url().to_string(),
            };
            if !self.troubled {
                warn!(left_out = self.left_out, "the OpenTelemetry collector does not take traces: {why}");
            }
            self.troubled = true;
            return;
        }
    }
}

fn call_of(fact: &Fact) -> Option<CallId> {
    match fact {
        Fact::CallArrived { call, .. }
        | Fact::CallQueued { call, .. }
        | Fact::LegStarted { call, .. }
        | Fact::LegAnswered { call, .. }
        | Fact::LegEnded { call, .. }
        | Fact::OfferMade { call, .. }
        | Fact::OfferRinging { call, .. }
        | Fact::OfferEnded { call, .. }
        | Fact::CallBridged { call, .. }
        | Fact::CallNoted { call, .. }
        | Fact::WrapUp { call, .. }
        | Fact::WaitTold { call, .. }
        | Fact::MonitorBegan { call, .. }
        | Fact::MonitorEnded { call, .. }
        | Fact::CallEnded { call, .. } => Some(*call),
        Fact::CallsAlive { .. }
        | Fact::AttemptStarted { .. }
        | Fact::AttemptEnded { .. }
        | Fact::CallbackEnded { .. }
        | Fact::AgentStatus { .. }
        | Fact::AgentIdle { .. } => None,
    }
}

impl Open {
    fn add(&mut self, call: CallId, fact: Fact) {
        match fact {
            Fact::CallArrived { outgoing, at, .. } => {
                // Found again after a restart it is told again.
                self.arrived = self.arrived.or(Some(at));
                self.outgoing = outgoing;
            }
            Fact::CallQueued { queue_name, at, .. } => self.queued = self.queued.take().or(Some((at, queue_name))),
            Fact::OfferMade { offer, agent, at, .. } => {
                self.offers.insert(offer, (at, agent));
            }
            Fact::OfferEnded { offer, outcome, at, .. } => {
                if let Some((since, agent)) = self.offers.remove(&offer) {
                    let told = [number("perezvon.agent", agent.0), text("perezvon.outcome", outcome.as_str())];
                    self.part(call, ("offer", offer), (since, at), &told);
                }
            }
            Fact::CallBridged { leg, agent, at, .. } => {
                self.bridged = self.bridged.or(Some(at));
                self.talks.entry(leg).or_insert((at, agent));
            }
            Fact::LegEnded { leg, at, .. } => self.talk_over(call, leg, at),
            Fact::CallNoted { what, at, .. } if self.notes.len() < MOST_PARTS => {
                self.notes.push(json!({ "timeUnixNano": nanos(at), "name": what }));
            }
            Fact::CallNoted { .. }
            | Fact::CallEnded { .. }
            | Fact::LegStarted { .. }
            | Fact::LegAnswered { .. }
            | Fact::OfferRinging { .. }
            | Fact::WrapUp { .. }
            | Fact::WaitTold { .. }
            | Fact::MonitorBegan { .. }
            | Fact::MonitorEnded { .. }
            | Fact::CallsAlive { .. }
            | Fact::AttemptStarted { .. }
            | Fact::AttemptEnded { .. }
            | Fact::CallbackEnded { .. }
            | Fact::AgentStatus { .. }
            | Fact::AgentIdle { .. } => {}
        }
    }

    fn talk_over(&mut self, call: CallId, leg: u32, at: Wall) {
        if let Some((since, agent)) = self.talks.remove(&leg) {
            let told: Vec<Value> = agent.iter().map(|agent| number("perezvon.agent", agent.0)).collect();
            self.part(call, ("talk", leg), (since, at), &told);
        }
    }

    fn part(&mut self, call: CallId, (name, no): (&str, u32), (from, to): (Wall, Wall), told: &[Value]) {
        if self.parts.len() < MOST_PARTS {
            self.parts.push(json!({
                "traceId": trace_id(call), "spanId": span_id(call, name, no), "parentSpanId": span_id(call, "call", 0),
                "name": name, "kind": 1, "startTimeUnixNano": nanos(from), "endTimeUnixNano": nanos(to.max(from)),
                "attributes": told,
            }));
        }
    }

    /// The spans of a call that is over.
    fn whole(
        mut self,
        call: CallId,
        arrived: Wall,
        ended: Wall,
        disposition: Disposition,
        agent: Option<AgentId>,
    ) -> Vec<Value> {
        for leg in self.talks.keys().copied().collect::<Vec<_>>() {
            self.talk_over(call, leg, ended);
        }
        let mut told = vec![
            text("perezvon.call", &call.to_string()),
            text("perezvon.disposition", disposition.as_str()),
            text("perezvon.direction", if self.outgoing { "outgoing" } else { "incoming" }),
        ];
        told.extend(agent.map(|agent| number("perezvon.agent", agent.0)));
        if let Some((since, queue)) = self.queued.take() {
            told.push(text("perezvon.queue", &queue));
            let until = self.bridged.unwrap_or(ended);
            self.part(call, ("queue", 0), (since, until), &[text("perezvon.queue", &queue)]);
        }
        // 2 is an error of ours; that a caller hangs up is none.
        let status = if disposition == Disposition::Lost { json!({ "code": 2 }) } else { json!({}) };
        self.parts.push(json!({
            "traceId": trace_id(call), "spanId": span_id(call, "call", 0), "name": "call", "kind": 2,
            "startTimeUnixNano": nanos(arrived), "endTimeUnixNano": nanos(ended.max(arrived)),
            "attributes": told, "events": self.notes, "status": status,
        }));
        self.parts
    }
}

fn envelope(spans: &[Value]) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let resource = [text("service.name", "perezvon"), text("service.version", version)];
    let scope = json!({ "name": "perezvon", "version": version });
    let scoped = json!([{ "scope": scope, "spans": spans }]);
    json!({ "resourceSpans": [{ "resource": { "attributes": resource }, "scopeSpans": scoped }] }).to_string()
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

/// 64-bit numbers are texts in this form.
fn number(key: &str, value: u32) -> Value {
    json!({ "key": key, "value": { "intValue": value.to_string() } })
}

fn nanos(at: Wall) -> String {
    format!("{}000000", at.0.max(0))
}

/// The same for all that is told of a call, also by another run; spread evenly, as samplers want it.
fn trace_id(call: CallId) -> String {
    hex(&Sha256::digest(call.0.to_be_bytes()), 16)
}

fn span_id(call: CallId, name: &str, no: u32) -> String {
    let mut digest = Sha256::new();
    digest.update(call.0.to_be_bytes());
    digest.update(name);
    digest.update(no.to_be_bytes());
    hex(&digest.finalize(), 8)
}

fn hex(bytes: &[u8], length: usize) -> String {
    bytes.iter().take(length).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::engine::ids::{NodeId, QueueId};
    use crate::engine::view::OfferOutcome;

    /// A collector that takes one request and gives its body.
    async fn collect(listener: TcpListener) -> Value {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut bytes = Vec::new();
        loop {
            let mut part = [0; 4096];
            let read = socket.read(&mut part).await.unwrap();
            bytes.extend_from_slice(&part[..read]);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
            if body.len() >= length.unwrap().parse::<usize>().unwrap() {
                assert!(head.starts_with("POST /v1/traces HTTP/1.1"), "{head}");
                socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
                return serde_json::from_str(body).unwrap();
            }
        }
    }

    #[tokio::test]
    async fn a_call_is_a_trace_with_its_queue_its_offers_and_its_talks() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}/", listener.local_addr().unwrap());
        let cancel = CancellationToken::new();
        let traces = Traces::start(&endpoint, cancel.clone()).unwrap();
        let (call, agent) = (CallId(77 << 20), AgentId(3));
        let at = |second: i64| Wall(1_000_000 + second * 1000);
        let facts = [
            Fact::CallArrived {
                call,
                node: NodeId(0),
                channel: "c".into(),
                recording: String::new(),
                number: "+79990000001".to_owned(),
                dialled: "100".to_owned(),
                by_fallback: false,
                outgoing: false,
                at: at(0),
            },
            Fact::CallQueued { call, queue: QueueId(0), queue_name: "main".to_owned(), priority: 0, at: at(1) },
            Fact::OfferMade { call, offer: 1, agent, at: at(2) },
            Fact::OfferEnded { call, offer: 1, outcome: OfferOutcome::Answered, at: at(5) },
            Fact::CallBridged { call, leg: 1, agent: Some(agent), at: at(5) },
            Fact::LegEnded { call, leg: 1, cause: 16, at: at(30) },
            Fact::CallEnded {
                call,
                disposition: Disposition::CompleteAgent,
                cause: 16,
                waited: Duration::from_secs(4),
                talked: Duration::from_secs(25),
                agent: Some(agent),
                at: at(31),
            },
        ];
        facts.iter().for_each(|fact| traces.fact(fact));
        cancel.cancel();
        let body = collect(listener).await;
        assert!(!body.to_string().contains("7999"), "{body}");
        let spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
        let named = |name: &str| spans.iter().find(|span| span["name"] == name).unwrap();
        let seconds = |span: &Value| {
            ["startTimeUnixNano", "endTimeUnixNano"]
                .map(|edge| span[edge].as_str().unwrap().parse::<i64>().unwrap() / 1_000_000_000 - 1_000)
        };
        let root = named("call");
        assert_eq!((spans.len(), seconds(root)), (4, [0, 31]));
        for (name, edges) in [("queue", [1, 5]), ("offer", [2, 5]), ("talk", [5, 30])] {
            let span = named(name);
            assert_eq!(seconds(span), edges, "{name}");
            assert_eq!((&span["parentSpanId"], &span["traceId"]), (&root["spanId"], &root["traceId"]), "{name}");
        }
        assert_eq!((root["traceId"].as_str().unwrap().len(), root["spanId"].as_str().unwrap().len()), (32, 16));
        let told = &root["attributes"].as_array().unwrap()[1];
        assert_eq!(told["value"]["stringValue"], Disposition::CompleteAgent.as_str());
    }
}
