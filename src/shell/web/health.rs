//! For load balancers, supervisors of processes and people on call.

use std::path::Path;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::WebState;

/// For the database to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The process runs.
#[utoipa::path(get, path = "/health/live", tag = "health", responses((status = 200, body = Health)))]
pub(super) async fn live() -> axum::Json<Health> {
    axum::Json(Health { status: "ok", checks: Vec::new() })
}

/// How the engine is.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok` or `failing`.
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checks: Vec<Check>,
}

/// One of the things that the engine needs.
#[derive(Serialize, ToSchema)]
pub(super) struct Check {
    name: String,
    ok: bool,
    /// What is wrong, in general words: the page is open to everybody.
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: &'static str,
}

/// Database, Asterisk and disk are there. With several Asterisks one is enough.
#[utoipa::path(get, path = "/health/ready", tag = "health",
    responses((status = 200, body = Health), (status = 503, body = Health)))]
pub(super) async fn ready(State(state): State<WebState>) -> (StatusCode, axum::Json<Health>) {
    let nodes = state.phones.nodes();
    let any = nodes.iter().any(|node| node.up);
    let mut checks = vec![database(&state).await, disk(&state).await];
    let mut ok = any && checks.iter().all(|check| check.ok);
    checks.extend(nodes.into_iter().map(|node| Check {
        name: format!("asterisk {}", node.name),
        ok: node.up,
        detail: match (node.up, node.fenced) {
            (true, _) => "",
            (false, true) => "another engine drives it",
            (false, false) => "not connected",
        },
    }));
    // Talks go on, and their recordings wait in Asterisk: an alarm, and no reason to take the engine out of service.
    let archiving = state.archive.trouble().is_none();
    let detail = if archiving { "" } else { "recordings wait in Asterisk: disk, bucket or database do not take them" };
    checks.push(Check { name: "archive".to_owned(), ok: archiving, detail });
    if state.cancel.is_cancelled() {
        ok = false;
    }
    let (code, status) = if ok { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "failing") };
    (code, axum::Json(Health { status, checks }))
}

async fn database(state: &WebState) -> Check {
    let ok = matches!(tokio::time::timeout(PATIENCE, state.store.ping()).await, Ok(Ok(())));
    Check { name: "database".to_owned(), ok, detail: if ok { "" } else { "does not answer" } }
}

async fn disk(state: &WebState) -> Check {
    let mut folders = vec![state.recording.dir.clone()];
    folders.extend(state.store.file().map(Path::to_owned));
    let least = state.recording.min_free;
    let asked = tokio::task::spawn_blocking(move || folders.iter().all(|folder| enough(folder, least)));
    let ok = matches!(tokio::time::timeout(PATIENCE, asked).await, Ok(Ok(true)));
    Check { name: "disk".to_owned(), ok, detail: if ok { "" } else { "too little free space, or not readable" } }
}

/// There are so many free bytes on the disk of this path.
pub(crate) fn enough(path: &Path, least: u64) -> bool {
    free(path).is_some_and(|free| free >= least)
}

/// Free bytes on the disk of this path.
pub(crate) fn free(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}
