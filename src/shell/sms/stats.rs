//! What was sent, for the metrics.

use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::domain::sms::SmsState;
use crate::engine::time::Wall;
use crate::shell::store::sms_work::{SmsBacklog, SmsEnd};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Attempt {
    provider: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    provider: String,
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Came {
    provider: String,
    answered: &'static str,
}

/// Numbers of all gateways. Clones share them.
#[derive(Clone)]
pub struct Stats(Arc<Numbers>);

struct Numbers {
    attempts: Family<Attempt, Counter>,
    parts: Family<Provider, Counter>,
    ended: Family<Ended, Counter>,
    came: Family<Came, Counter>,
    queued: Gauge,
    oldest: Gauge,
    delivery: Histogram,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Provider {
    provider: String,
}

impl Default for Stats {
    fn default() -> Self {
        Stats(Arc::new(Numbers {
            attempts: Family::default(),
            parts: Family::default(),
            ended: Family::default(),
            came: Family::default(),
            queued: Gauge::default(),
            oldest: Gauge::default(),
            // From two seconds to half an hour, by which most are of no use any more.
            delivery: Histogram::new([2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0]),
        }))
    }
}

impl Stats {
    /// Adds them to the metrics.
    pub fn register(&self, registry: &mut Registry) {
        let numbers = &self.0;
        registry.register("sms_attempts", "Attempts to hand over an SMS, by outcome", numbers.attempts.clone());
        registry.register("sms_parts", "Messages that networks count, of what was taken", numbers.parts.clone());
        registry.register("sms_ended", "SMS whose end is known, by state", numbers.ended.clone());
        registry.register("sms_received", "SMS that came in", numbers.came.clone());
        registry.register("sms_queued", "SMS that wait to be sent", numbers.queued.clone());
        registry.register("sms_oldest_seconds", "Age of the oldest SMS that waits", numbers.oldest.clone());
        let delivery = "From the queueing of an SMS to its delivery";
        registry.register("sms_delivery_seconds", delivery, numbers.delivery.clone());
    }

    /// A gateway was tried: `sent`, `refused` or `failed`.
    pub(super) fn tried(&self, provider: &str, outcome: &'static str) {
        self.0.attempts.get_or_create(&Attempt { provider: provider.to_owned(), outcome }).inc();
    }

    pub(super) fn sent(&self, provider: &str, parts: u32) {
        self.0.parts.get_or_create(&Provider { provider: provider.to_owned() }).inc_by(u64::from(parts));
    }

    pub(super) fn ended(&self, end: &SmsEnd) {
        let label = Ended { provider: end.provider.clone(), state: end.state.as_str() };
        self.0.ended.get_or_create(&label).inc();
        if end.state == SmsState::Delivered {
            let millis = u32::try_from(end.took_ms.max(0)).unwrap_or(u32::MAX);
            self.0.delivery.observe(f64::from(millis) / 1000.0);
        }
    }

    pub(super) fn expired(&self, many: u64) {
        let label = Ended { provider: String::new(), state: SmsState::Expired.as_str() };
        self.0.ended.get_or_create(&label).inc_by(many);
    }

    pub(super) fn came(&self, provider: &str, answered: bool) {
        let answered = if answered { "yes" } else { "no" };
        self.0.came.get_or_create(&Came { provider: provider.to_owned(), answered }).inc();
    }

    pub(super) fn show(&self, backlog: SmsBacklog, now: Wall) {
        let small = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.0.queued.set(small(backlog.queued));
        self.0.oldest.set(small(backlog.oldest.map_or(0, |oldest| now.since(oldest).as_secs())));
    }
}
