//! When to stop: SIGTERM and SIGINT.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Cancels the token at the first SIGTERM or SIGINT; a second one ends the process at once.
pub fn on_signals(cancel: CancellationToken) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if cancel.is_cancelled() {
                tracing::warn!("asked a second time to stop: ending at once");
                std::process::exit(1);
            }
            tracing::info!("asked to stop; calls in progress stay with Asterisk");
            cancel.cancel();
        }
    });
    Ok(())
}
