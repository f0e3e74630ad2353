//! What was sent, for the metrics.

use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::engine::time::Wall;
use crate::shell::store::webhooks::{EndpointId, EndpointRow};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Endpoint {
    endpoint: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    endpoint: i64,
    outcome: &'static str,
}

/// Numbers of all endpoints. Clones share them.
#[derive(Clone, Default)]
pub struct Stats(Arc<Numbers>);

#[derive(Default)]
struct Numbers {
    attempts: Family<Ended, Counter>,
    pending: Family<Endpoint, Gauge>,
    oldest: Family<Endpoint, Gauge>,
    failing: Family<Endpoint, Gauge>,
}

impl Stats {
    /// Adds them to the metrics.
    pub fn register(&self, registry: &mut Registry) {
        let numbers = &self.0;
        let attempts = "Attempts to deliver a message, by endpoint and outcome";
        registry.register("webhook_attempts", attempts, numbers.attempts.clone());
        registry.register("webhook_pending", "Messages that wait for an endpoint", numbers.pending.clone());
        registry.register("webhook_oldest_seconds", "Age of the oldest message that waits", numbers.oldest.clone());
        let failing = "Attempts that failed since the endpoint last took a message";
        registry.register("webhook_failing", failing, numbers.failing.clone());
    }

    pub(super) fn ended(&self, endpoint: EndpointId, delivered: bool) {
        let outcome = if delivered { "delivered" } else { "failed" };
        self.0.attempts.get_or_create(&Ended { endpoint: endpoint.0, outcome }).inc();
    }

    pub(super) fn show(&self, endpoints: &[EndpointRow], now: Wall) {
        let numbers = &self.0;
        // Those that were deleted are not shown any more.
        for gauges in [&numbers.pending, &numbers.oldest, &numbers.failing] {
            gauges.clear();
        }
        for row in endpoints {
            let label = Endpoint { endpoint: row.id.0 };
            let small = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
            let age = row.health.oldest.map_or(0, |oldest| now.since(oldest).as_secs());
            numbers.pending.get_or_create(&label).set(small(row.health.pending));
            numbers.oldest.get_or_create(&label).set(small(age));
            numbers.failing.get_or_create(&label).set(small(row.health.failures));
        }
    }
}
