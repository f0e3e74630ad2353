//! An onlooker in Asterisk: when are both in the bridge? It sees app_queue's bridges as it sees ours.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use hyper::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::api::{basic, request, runtime};
use crate::world::{ARI_PASSWORD, ARI_USER};

const APP: &str = "bench-onlooker";

type Bridged = Arc<Mutex<Vec<(usize, Instant)>>>;

/// Looks on until it is asked what it saw.
pub struct Eyes {
    bridged: Bridged,
    looking: JoinHandle<()>,
}

impl Eyes {
    pub fn open(http_port: u16) -> Eyes {
        let bridged = Bridged::default();
        let writer = Arc::clone(&bridged);
        let url = format!(
            "ws://127.0.0.1:{http_port}/ari/events?app={APP}&subscribeAll=true&api_key={ARI_USER}:{ARI_PASSWORD}"
        );
        let connecting = async { tokio_tungstenite::connect_async(url).await };
        let (mut socket, _) = runtime().block_on(connecting).expect("the onlooker's socket");
        let looking = runtime().spawn(async move {
            let mut agents = HashMap::new();
            while let Some(Ok(message)) = socket.next().await {
                let now = Instant::now();
                let Ok(text) = message.to_text() else { continue };
                if let Some(agent) = both_in(text, &mut agents) {
                    writer.lock().unwrap_or_else(PoisonError::into_inner).push((agent, now));
                }
            }
        });
        // Nothing else is written for it: looking on must cost next to nothing.
        let filter = json!({"allowed": [{"type": "ChannelEnteredBridge"}]});
        let url = format!("http://127.0.0.1:{http_port}/ari/applications/{APP}/eventFilter");
        let reply = request(&Method::PUT, &url, &[basic(ARI_USER, ARI_PASSWORD)], Some(&filter));
        assert_eq!(reply.map(|reply| reply.status), Ok(200), "the onlooker's filter");
        Eyes { bridged, looking }
    }

    /// From each of these answers to the moment when both were in the bridge.
    pub fn close(self, answers: &[(usize, Instant)]) -> Vec<Duration> {
        self.looking.abort();
        let mut of_agent: HashMap<usize, Vec<Instant>> = HashMap::new();
        for (agent, at) in self.bridged.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            of_agent.entry(*agent).or_default().push(*at);
        }
        let first_after = |agent: &usize, answer: Instant| {
            of_agent.get(agent)?.iter().find(|at| **at >= answer).map(|at| at.duration_since(answer))
        };
        answers.iter().filter_map(|(agent, answer)| first_after(agent, *answer)).collect()
    }
}

/// The agent who is in a bridge with somebody since this event.
fn both_in(text: &str, agents: &mut HashMap<String, usize>) -> Option<usize> {
    let event: Value = serde_json::from_str(text).ok()?;
    let bridge = event["bridge"]["id"].as_str()?;
    let name = event["channel"]["name"].as_str()?;
    let agent = name.strip_prefix("PJSIP/agent-").and_then(|rest| rest.split('-').next()?.parse().ok());
    if let Some(agent) = agent {
        agents.insert(bridge.to_owned(), agent);
    }
    if event["bridge"]["channels"].as_array()?.len() < 2 { None } else { agents.remove(bridge) }
}
