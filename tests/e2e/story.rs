//! What the journal tells of a call.

use chrono::{DateTime, Utc};
use serde_json::Value;

/// A call in full, as the API gives it.
#[derive(Clone, Debug)]
pub struct Story {
    whole: Value,
}

impl Story {
    #[track_caller]
    pub fn of(whole: Value) -> Story {
        assert!(whole["call"].is_object(), "no call: {whole}");
        Story { whole }
    }

    /// A field of the call itself.
    pub fn field(&self, name: &str) -> &Value {
        &self.whole["call"][name]
    }

    pub fn id(&self) -> &str {
        self.field("id").as_str().expect("an id")
    }

    pub fn disposition(&self) -> &str {
        self.field("disposition").as_str().unwrap_or("none yet")
    }

    /// Who talked last.
    pub fn agent(&self) -> Option<u64> {
        self.field("agent").as_u64()
    }

    pub fn talked_ms(&self) -> u64 {
        self.field("talked_ms").as_u64().unwrap_or(0)
    }

    /// Each offer: to whom, and how it ended.
    pub fn offers(&self) -> Vec<(u64, String)> {
        let text = |value: &Value| value.as_str().unwrap_or("open").to_owned();
        let rows = self.whole["offers"].as_array().expect("offers");
        rows.iter().map(|row| (row["agent"].as_u64().unwrap_or(0), text(&row["outcome"]))).collect()
    }

    /// A moment of offer number `n` (from 0): `made_at`, `ringing_at` or `ended_at`.
    #[track_caller]
    pub fn offer_at(&self, n: usize, which: &str) -> DateTime<Utc> {
        moment(&self.whole["offers"][n][which])
    }

    /// A moment of the call: `arrived_at`, `queued_at`, `bridged_at` or `ended_at`.
    #[track_caller]
    pub fn at(&self, which: &str) -> DateTime<Utc> {
        moment(self.field(which))
    }

    /// The words of its timeline.
    pub fn notes(&self) -> Vec<String> {
        let rows = self.whole["notes"].as_array().expect("notes");
        rows.iter().map(|row| row["what"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Its timeline: what, and the detail.
    pub fn noted(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let rows = self.whole["notes"].as_array().expect("notes");
        rows.iter().map(|row| (text(&row["what"]), text(&row["detail"]))).collect()
    }

    /// Every leg and every offer has an end.
    pub fn is_whole(&self) -> bool {
        self.legs().iter().all(|leg| leg["ended_at"].is_string()) && self.offers().iter().all(|(_, end)| end != "open")
    }

    pub fn recordings(&self) -> Vec<Value> {
        self.whole["recordings"].as_array().expect("recordings").clone()
    }

    pub fn legs(&self) -> Vec<Value> {
        self.whole["legs"].as_array().expect("legs").clone()
    }
}

/// A moment as the API writes it.
#[track_caller]
pub fn moment(value: &Value) -> DateTime<Utc> {
    let text = value.as_str().unwrap_or_else(|| panic!("not a moment: {value}"));
    text.parse().unwrap_or_else(|cause| panic!("{text}: {cause}"))
}
