//! Asterisk as an onlooker sees it: what is there, and all that happens.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt as _;
use hyper::Method;
use serde_json::Value;

use crate::api::{basic, request, runtime};
use crate::wait::wait_for;

const USER: &str = "perezvon";

/// Asterisk's REST interface.
#[derive(Clone)]
pub struct Ari {
    pub port: u16,
    pub password: String,
}

impl Ari {
    pub fn ask(&self, method: &Method, path: &str) -> Result<(u16, Value), String> {
        let url = format!("http://127.0.0.1:{}/ari{path}", self.port);
        let reply = request(method, &url, &[basic(USER, &self.password)], None)?;
        Ok((reply.status, reply.json()))
    }

    /// The bytes of a file.
    pub fn file(&self, path: &str) -> Result<bytes::Bytes, String> {
        let url = format!("http://127.0.0.1:{}/ari{path}", self.port);
        let reply = request(&Method::GET, &url, &[basic(USER, &self.password)], None)?;
        if reply.status == 200 { Ok(reply.body) } else { Err(format!("{} {}", reply.status, reply.json())) }
    }

    /// A list; empty when Asterisk is not there.
    pub fn list(&self, path: &str) -> Vec<Value> {
        match self.ask(&Method::GET, path) {
            Ok((200, Value::Array(items))) => items,
            Ok(_) | Err(_) => Vec::new(),
        }
    }

    pub fn channels(&self) -> Vec<Value> {
        self.list("/channels")
    }

    pub fn bridges(&self) -> Vec<Value> {
        self.list("/bridges")
    }

    /// Names of recordings not yet fetched.
    pub fn stored_recordings(&self) -> Vec<String> {
        let items = self.list("/recordings/stored");
        items.iter().map(|item| item["name"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The channel of this caller.
    pub fn caller(&self, number: &str) -> Option<Value> {
        self.channels().into_iter().find(|channel| {
            channel["caller"]["number"] == number && channel["name"].as_str().is_some_and(|n| n.contains("/trunk-"))
        })
    }

    /// The id of this caller's channel.
    #[track_caller]
    pub fn channel_of(&self, number: &str) -> String {
        wait_for(&format!("the channel of {number}"), 10, || match self.caller(number) {
            Some(channel) => Ok(channel["id"].as_str().unwrap_or_default().to_owned()),
            None => Err(format!("{:?}", self.channels())),
        })
    }

    /// RTP packets of this channel: `txcount`, sent by Asterisk, or `rxcount`, received.
    pub fn packets(&self, channel: &str, which: &str) -> u64 {
        match self.ask(&Method::GET, &format!("/channels/{channel}/rtp_statistics")) {
            Ok((200, statistics)) => statistics[which].as_u64().unwrap_or(0),
            Ok(_) | Err(_) => 0,
        }
    }

    /// Listens to everything from now on, beside the engine.
    pub fn listen(&self) -> Events {
        let url = format!(
            "ws://127.0.0.1:{}/ari/events?app=onlooker&subscribeAll=true&api_key={USER}:{}",
            self.port, self.password
        );
        let seen = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&seen);
        runtime().block_on(async {
            let connecting = tokio_tungstenite::connect_async(url);
            let connected = tokio::time::timeout(Duration::from_secs(5), connecting).await;
            let (mut socket, _) = connected.expect("the events socket in time").expect("the events socket");
            tokio::spawn(async move {
                while let Some(Ok(message)) = socket.next().await {
                    if let Ok(text) = message.to_text()
                        && let Ok(event) = serde_json::from_str(text)
                    {
                        writer.lock().unwrap().push(event);
                    }
                }
            });
        });
        Events { seen }
    }
}

/// Events of Asterisk in their order.
#[derive(Default)]
pub struct Events {
    seen: Arc<Mutex<Vec<Value>>>,
}

impl Events {
    /// Those of a type, seen so far.
    pub fn of(&self, kind: &str) -> Vec<Value> {
        self.seen.lock().unwrap().iter().filter(|event| event["type"] == kind).cloned().collect()
    }

    /// Writes all of them down, one a line.
    pub fn write(&self, path: &Path) {
        let lines: Vec<String> = self.seen.lock().unwrap().iter().map(Value::to_string).collect();
        let _ = std::fs::write(path, lines.join("\n"));
    }

    /// Names of the sounds played to this channel so far, without folder and ending.
    pub fn played_to(&self, channel: &str) -> Vec<String> {
        let target = format!("channel:{channel}");
        let started = self.of("PlaybackStarted");
        let own =
            started.iter().map(|event| &event["playback"]).filter(|playback| playback["target_uri"] == target.as_str());
        own.map(|playback| stem(&playback["media_uri"])).collect()
    }
}

fn stem(media: &Value) -> String {
    let name = media.as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    name.trim_end_matches(".wav").to_owned()
}
