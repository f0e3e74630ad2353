//! Logging: to standard error, as text or as JSON.

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use super::config::{LogFormat, Telemetry};

/// Starts logging for the process. A second call changes nothing.
pub fn start(telemetry: &Telemetry) {
    // The configuration was checked: a filter that cannot be read does not come here.
    let filter = EnvFilter::try_new(&telemetry.log).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = fmt::layer().with_writer(std::io::stderr);
    let layer = match telemetry.format {
        LogFormat::Text => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    // An error means that logging runs already (tests in one process).
    let _ = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();
}
