//! Queues, numbers, menus, the office and its notifications: what an administrator sets in the console. A section is set
//! as a whole, checked as the configuration file is, kept with every version, and in force at once.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::shell::config::ConfigError;
use crate::shell::config::sections::{Part, Section};
use crate::shell::live_settings::SetError;
use crate::shell::store::settings::SectionRow;

use super::WebState;
use super::dto::time;
use super::extract::{Json, Path};
use super::problem::Problem;
use super::writer::{Shown, Writer, tagged};

/// Where a section comes from.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Origin {
    /// The configuration file, the environment and built-in defaults.
    File,
    /// It was set in the console.
    Console,
}

/// A section as it holds now.
#[derive(Serialize, ToSchema)]
pub(super) struct SectionView {
    section: Section,
    from: Origin,
    /// How often it was set in the console.
    version: u64,
    /// What it says.
    #[schema(value_type = Part)]
    value: serde_json::Value,
    /// What it says in the file.
    in_file: Part,
    /// By whom it was set last.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed_at: Option<DateTime<Utc>>,
}

/// All sections.
#[derive(Serialize, ToSchema)]
pub(super) struct Sections {
    items: Vec<SectionView>,
}

/// A section anew.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSection {
    /// All of it; what is left out has its default.
    #[schema(value_type = Part)]
    value: serde_json::Value,
    /// Only if this is still the version.
    version: Option<u64>,
}

fn view(state: &WebState, section: Section, row: Option<SectionRow>) -> Result<SectionView, Problem> {
    let in_file = state.settings.in_file(section);
    let row = row.unwrap_or_default();
    let (from, value) = match row.body {
        Some(body) => (Origin::Console, body),
        None => (Origin::File, serde_json::to_value(&in_file).map_err(|error| Problem::internal(&error))?),
    };
    let set = row.version > 0;
    Ok(SectionView {
        section,
        from,
        version: row.version,
        value,
        in_file,
        changed_by: set.then_some(row.changed_by),
        changed_at: set.then(|| time(row.changed_at)),
    })
}

async fn rows(state: &WebState) -> Result<Vec<SectionRow>, Problem> {
    Ok(state.store.console_settings().await?)
}

async fn current(state: &WebState, section: Section) -> Result<SectionView, Problem> {
    let row = rows(state).await?.into_iter().find(|row| row.section == section.as_str());
    view(state, section, row)
}

/// All sections, as they hold now.
#[utoipa::path(get, path = "/api/v1/settings", tag = "settings", responses((status = 200, body = Sections)))]
pub(super) async fn list(State(state): State<WebState>) -> Result<axum::Json<Sections>, Problem> {
    let mut rows = rows(&state).await?;
    let mut items = Vec::new();
    for section in Section::ALL {
        let at = rows.iter().position(|row| row.section == section.as_str());
        items.push(view(&state, section, at.map(|at| rows.swap_remove(at)))?);
    }
    Ok(axum::Json(Sections { items }))
}

/// One section.
#[utoipa::path(get, path = "/api/v1/settings/{section}", tag = "settings", params(("section" = Section, Path)),
    responses((status = 200, body = SectionView), (status = 404, body = Problem)))]
pub(super) async fn one(
    State(state): State<WebState>,
    Path(section): Path<Section>,
) -> Result<impl IntoResponse, Problem> {
    let view = current(&state, section).await?;
    Ok(tagged(view.version, view))
}

/// Set a section. It is in force for the next call, no call in progress is touched, and it outlives a restart: what is
/// set here goes before the configuration file. A queue is the same as long as it has the same name; who waits in one that
/// is removed waits on in the first, and none is removed that an agent or a purpose has. A problem names the `field`.
#[utoipa::path(put, path = "/api/v1/settings/{section}", tag = "settings", params(("section" = Section, Path)),
    request_body = NewSection, responses((status = 200, body = SectionView), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn set(
    State(state): State<WebState>,
    writer: Writer,
    Path(section): Path<Section>,
    Json(body): Json<NewSection>,
) -> Result<impl IntoResponse, Problem> {
    change(&state, &writer, section, Some(body.value), body.version).await
}

/// Go back to what the configuration file says.
#[utoipa::path(delete, path = "/api/v1/settings/{section}", tag = "settings", params(("section" = Section, Path)),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem),
    (status = 422, body = Problem)))]
pub(super) async fn reset(
    State(state): State<WebState>,
    writer: Writer,
    Path(section): Path<Section>,
) -> Result<StatusCode, Problem> {
    change(&state, &writer, section, None, None).await.map(|_| StatusCode::NO_CONTENT)
}

async fn change(
    state: &WebState,
    writer: &Writer,
    section: Section,
    body: Option<serde_json::Value>,
    version: Option<u64>,
) -> Result<impl IntoResponse + use<>, Problem> {
    let author = writer.author(version)?;
    match state.settings.set(section, body, &state.store, &state.requests, &author).await {
        Ok(row) => {
            let view = view(state, section, Some(row))?;
            Ok(tagged(view.version, view))
        }
        Err(SetError::Store(error)) => Err(writer.refused(&author, error)),
        Err(SetError::Unreadable(error)) => Err(wrong(Some(error.field.clone()), error.to_string())),
        Err(SetError::Wrong(error)) => Err(cannot_hold(section, &error)),
        Err(error @ SetError::InUse { .. }) => Err(in_use(&error)),
        Err(error @ SetError::Untold(_)) => Err(Problem::unavailable(error.to_string())),
    }
}

fn wrong(field: Option<String>, detail: String) -> Problem {
    Problem { field: field.map(String::into_boxed_str), ..Problem::unprocessable(detail) }
}

/// The field stands as it is called in the section that is being set; of another section the detail tells.
fn cannot_hold(section: Section, error: &ConfigError) -> Problem {
    let ConfigError::Value { key, value, why, .. } = error else { return Problem::unprocessable(error.to_string()) };
    let (field, place) = match Section::of_key(key) {
        Some((of, field)) if of == section => (Some(field.to_owned()), format!("{field} = {value}")),
        Some((of, field)) => (None, format!("{}: {field} = {value}", of.as_str())),
        None => (None, format!("{key} = {value}")),
    };
    let problem = wrong(field, format!("{place}: {why}"));
    match error.why_in_russian() {
        Some(russian) => problem.in_russian(format!("{place}: {russian}")),
        None => problem,
    }
}

fn in_use(error: &SetError) -> Problem {
    let problem = Problem::conflict("queue_in_use", error.to_string());
    let SetError::InUse { queue, who } = error else { return problem };
    problem.in_russian(format!(
        "Очередь «{queue}» указана у «{who}»: сначала дайте там другую очередь, потом удалите эту."
    ))
}

impl Shown for SectionRow {
    type Shape = serde_json::Value;

    fn version(&self) -> u64 {
        self.version
    }

    fn shown(&self) -> serde_json::Value {
        serde_json::json!({ "section": self.section, "version": self.version, "value": self.body })
    }
}
