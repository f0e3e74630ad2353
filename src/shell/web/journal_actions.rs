//! What happens to a contact, from being taken to its end.

use axum::extract::State;
use axum::response::IntoResponse;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::contact::{Command, DocumentKind, IgnoreReason, Person, Reference};
use crate::domain::ids::PurposeId;

use super::WebState;
use super::extract::{Json, OptionalJson, Path};
use super::journal::apply;
use super::journal_dto::ContactShape;
use super::problem::Problem;
use super::writer::Writer;

/// An action with a body that must be there.
macro_rules! action {
    ($(#[$doc:meta])* $name:ident, $path:literal, $id:literal, $body:ident, $command:expr) => {
        $(#[$doc])*
        #[utoipa::path(post, path = $path, operation_id = $id, tag = "journal", params(("id" = i64, Path)),
            request_body = $body, responses((status = 200, body = ContactShape), (status = 403, body = Problem),
            (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
        pub(super) async fn $name(
            State(state): State<WebState>,
            writer: Writer,
            Path(id): Path<i64>,
            Json(body): Json<$body>,
        ) -> Result<impl IntoResponse, Problem> {
            let (version, command): (_, fn($body) -> Command) = (body.version, $command);
            apply(&state, &writer, id, version, command(body)).await
        }
    };
}

/// An action that needs no body.
macro_rules! simple {
    ($(#[$doc:meta])* $name:ident, $path:literal, $id:literal, $body:ident, $command:expr) => {
        $(#[$doc])*
        #[utoipa::path(post, path = $path, operation_id = $id, tag = "journal", params(("id" = i64, Path)),
            request_body = Option<$body>, responses((status = 200, body = ContactShape), (status = 403, body = Problem),
            (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
        pub(super) async fn $name(
            State(state): State<WebState>,
            writer: Writer,
            Path(id): Path<i64>,
            OptionalJson(body): OptionalJson<$body>,
        ) -> Result<impl IntoResponse, Problem> {
            let (version, command): (_, fn($body) -> Command) = (body.version, $command);
            apply(&state, &writer, id, version, command(body)).await
        }
    };
}

/// Which version of a contact was seen.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SeenContact {
    /// Only if this is still the version.
    #[serde(default)]
    version: Option<u64>,
}

simple! {
    /// See to it. Of two who take it the first wins, and the others' notices go away.
    take, "/api/v1/journal/{id}/take", "take_contact", SeenContact, |_| Command::Take
}
simple! {
    /// The client waits: back to the board.
    wait, "/api/v1/journal/{id}/wait", "contact_waits", SeenContact, |_| Command::Wait
}

/// What came of it.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ContactDone {
    #[serde(default)]
    #[schema(max_length = 2000)]
    comment: String,
    /// Only if this is still the version.
    #[serde(default)]
    version: Option<u64>,
}

simple! {
    /// It is seen to.
    done, "/api/v1/journal/{id}/done", "contact_done", ContactDone,
    |ContactDone { comment, version: _ }| Command::Done { comment }
}

/// Why nobody will see to it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IgnoreContact {
    reason: IgnoreReason,
    /// Must say something for the reason `other`.
    #[serde(default)]
    #[schema(max_length = 2000)]
    comment: String,
    /// Only if this is still the version.
    #[serde(default)]
    version: Option<u64>,
}

action! {
    /// Nobody will see to it.
    ignore, "/api/v1/journal/{id}/ignore", "ignore_contact", IgnoreContact,
    |IgnoreContact { reason, comment, version: _ }| Command::Ignore { reason, comment }
}

/// To whom a contact is handed on: a person, another purpose, or both.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TransferContact {
    /// Without one, all specialists of the purpose are told.
    #[serde(default)]
    responsible: Option<Person>,
    /// Number of the new purpose.
    #[serde(default)]
    purpose: Option<i64>,
    /// What the other one must know.
    #[serde(default)]
    #[schema(max_length = 2000)]
    comment: String,
    /// The caller is put through as well, by `POST /calls/{id}/transfer`: noted in the history.
    #[serde(default)]
    with_call: bool,
    /// Only if this is still the version.
    #[serde(default)]
    version: Option<u64>,
}

action! {
    /// Hand it on. A visitor waits then, a call is new again; whom it concerns is told.
    transfer, "/api/v1/journal/{id}/transfer", "transfer_contact", TransferContact,
    |TransferContact { responsible, purpose, comment, with_call, version: _ }| Command::Transfer {
        responsible,
        purpose: purpose.map(PurposeId),
        comment,
        with_call,
    }
}

/// A document.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkDocument {
    document: DocumentKind,
    /// As the office writes it.
    #[schema(min_length = 1, max_length = 120)]
    number: String,
    /// Where it can be looked at (http or https).
    #[serde(default)]
    #[schema(max_length = 500)]
    link: String,
    /// Only if this is still the version.
    #[serde(default)]
    version: Option<u64>,
}

action! {
    /// A document belongs to it, at most 50. Linked again it has the new link.
    link, "/api/v1/journal/{id}/link", "link_document", LinkDocument,
    |LinkDocument { document, number, link, version: _ }| Command::Link(Reference { document, number, link })
}

/// A document that does not belong to a contact.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UnlinkDocument {
    document: DocumentKind,
    #[schema(min_length = 1, max_length = 120)]
    number: String,
    /// Only if this is still the version.
    #[serde(default)]
    version: Option<u64>,
}

action! {
    /// A document does not belong to it.
    unlink, "/api/v1/journal/{id}/unlink", "unlink_document", UnlinkDocument,
    |UnlinkDocument { document, number, version: _ }| Command::Unlink { document, number }
}
