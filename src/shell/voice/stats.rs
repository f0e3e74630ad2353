//! What was said, for the metrics.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

/// Numbers of all voices. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Stats {
    /// Sentences that were synthesized.
    pub(super) said: Counter,
    /// Sentences that could not be.
    pub(super) failed: Counter,
    /// Prompts with free text that was heard.
    pub(super) whole: Counter,
    /// Prompts whose free text was left out.
    pub(super) without: Counter,
    /// Processes that ended or could not be started.
    pub(super) restarts: Counter,
}

impl Stats {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("speech_sentences", "Sentences synthesized", self.said.clone());
        registry.register("speech_failures", "Sentences that could not be synthesized", self.failed.clone());
        registry.register("speech_prompts_whole", "Prompts with free text, played whole", self.whole.clone());
        let without = "Prompts played without their free text: no voice, or it was too late";
        registry.register("speech_prompts_without_text", without, self.without.clone());
        let restarts = "Voice processes that ended or could not be started";
        registry.register("speech_process_failures", restarts, self.restarts.clone());
    }
}
