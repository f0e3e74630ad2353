//! The queue board, and the engine's view of it, shared by all consoles.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use axum::extract::State;
use tokio::sync::Mutex;

use crate::engine::command::Answer;
use crate::engine::event::{Actor, Request};
use crate::engine::view::{CallView, QueueView};
use crate::shell::requests::Requests;

use super::WebState;
use super::access::Identity;
use super::dto::QueueBoard;
use super::problem::Problem;

/// The last view of the queue: a hundred consoles that want it in the same second cost the engine one question.
#[derive(Default)]
pub(super) struct Board {
    last: Mutex<Option<(Instant, Arc<QueueView>)>>,
}

impl Board {
    /// A view that is at most so old.
    pub(super) async fn view(&self, requests: &Requests, age: Duration) -> Result<Arc<QueueView>, Problem> {
        let mut last = self.last.lock().await;
        if let Some((at, view)) = last.as_ref()
            && at.elapsed() < age
        {
            return Ok(Arc::clone(view));
        }
        // Stamped before the question: what happened since is not in the view for sure.
        let at = Instant::now();
        let view = Arc::new(ask_queue(requests).await?);
        *last = Some((at, Arc::clone(&view)));
        Ok(view)
    }
}

async fn ask_queue(requests: &Requests) -> Result<QueueView, Problem> {
    match requests.ask(Actor::Engine, Request::ViewQueue).await? {
        Answer::Queue(view) => Ok(*view),
        other @ (Answer::Done | Answer::Calling(_) | Answer::Calls(_)) => Err(unexpected(&other)),
    }
}

/// All calls in progress.
pub(super) async fn ask_calls(requests: &Requests) -> Result<Vec<CallView>, Problem> {
    match requests.ask(Actor::Engine, Request::ViewCalls).await? {
        Answer::Calls(calls) => Ok(calls),
        other @ (Answer::Done | Answer::Calling(_) | Answer::Queue(_)) => Err(unexpected(&other)),
    }
}

pub(super) fn unexpected(answer: &Answer) -> Problem {
    Problem::internal(&format!("the engine gave an answer to another question: {answer:?}"))
}

/// Callers waiting, agents, estimates. Agents see the counts and themselves.
#[utoipa::path(get, path = "/api/v1/queue", tag = "queue", responses((status = 200, body = QueueBoard)))]
pub(super) async fn board(
    State(state): State<WebState>,
    identity: Identity,
) -> Result<axum::Json<QueueBoard>, Problem> {
    let only = if identity.sees_all() { None } else { Some(identity.own_agent()?) };
    let view = state.board.view(&state.requests, Duration::ZERO).await?;
    Ok(axum::Json(QueueBoard::of(&view, &state, only)))
}
