//! Open files and sockets: the limit that most systems set for a process is too low for thousands of connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit as far as the administrator allows (systemd: `LimitNOFILE=`).
pub fn raise() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    if let Err(cause) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }) {
        tracing::warn!(%cause, ?limit, "the limit of open files could not be raised");
    }
}
