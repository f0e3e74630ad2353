//! Grading of talks: the forms that supervisors define, grades by them, and what agents' grades add up to.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::domain::quality::{Section, check, worth};
use crate::engine::ids::AgentId;
use crate::engine::time::Wall;
use crate::shell::clock;
use crate::shell::reports::quality::{AgentQuality, quality_sheet};
use crate::shell::store::quality::{FormChange, FormRow, GradeFilter, GradeRow, Talk, by_agent};

use super::WebState;
use super::access::Identity;
use super::dto::{time, wall};
use super::extract::{Json, Path, Query};
use super::listing::listing;
use super::problem::Problem;
use super::reports::{Form, file};
use super::writer::Writer;

const LONGEST_NAME: usize = 100;
const LONGEST_COMMENT: usize = 2000;
/// Grades that a report is made of at most.
const MOST_GRADES: u32 = 50_000;
const DAY_MS: i64 = 86_400_000;
const LONGEST_DAYS: i64 = 400;

/// A form by which talks are graded. Every version is kept, for the grades that were given by it.
#[derive(Serialize, ToSchema)]
pub(super) struct QualityForm {
    id: i64,
    name: String,
    /// Grows with every change of what is asked.
    version: i64,
    /// Not offered any more.
    retired: bool,
    sections: Vec<Section>,
    /// Who changed it last.
    changed_by: String,
    changed_at: DateTime<Utc>,
}

impl From<FormRow> for QualityForm {
    fn from(row: FormRow) -> QualityForm {
        QualityForm {
            id: row.id,
            name: row.name,
            version: row.version,
            retired: row.retired,
            sections: row.sections,
            changed_by: row.changed_by,
            changed_at: time(row.changed_at),
        }
    }
}

/// All forms.
#[derive(Serialize, ToSchema)]
pub(super) struct QualityForms {
    items: Vec<QualityForm>,
}

/// All forms by name.
#[utoipa::path(get, path = "/api/v1/quality/forms", tag = "quality", responses((status = 200, body = QualityForms)))]
pub(super) async fn forms(State(state): State<WebState>) -> Result<axum::Json<QualityForms>, Problem> {
    let forms = state.store.quality_forms().await?;
    Ok(axum::Json(QualityForms { items: forms.into_iter().map(QualityForm::from).collect() }))
}

/// Which version.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Version {
    /// An earlier one; the present one when absent.
    version: Option<i64>,
}

/// A form.
#[utoipa::path(get, path = "/api/v1/quality/forms/{id}", tag = "quality", params(("id" = i64, Path), Version),
    responses((status = 200, body = QualityForm), (status = 404, body = Problem)))]
pub(super) async fn form(
    State(state): State<WebState>,
    Path(id): Path<i64>,
    Query(wanted): Query<Version>,
) -> Result<axum::Json<QualityForm>, Problem> {
    let row = state.store.quality_form(id, wanted.version).await?;
    row.map(|row| axum::Json(row.into())).ok_or_else(|| Problem::not_found(format!("there is no form {id}")))
}

/// A form to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddForm {
    /// 1 to 100 letters; no two forms have the same.
    name: String,
    /// 1 to 20.
    sections: Vec<Section>,
}

/// Add a form.
#[utoipa::path(post, path = "/api/v1/quality/forms", tag = "quality", request_body = AddForm,
    responses((status = 201, body = QualityForm), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn add_form(
    State(state): State<WebState>,
    writer: Writer,
    Json(body): Json<AddForm>,
) -> Result<(StatusCode, axum::Json<QualityForm>), Problem> {
    check_form(Some(&body.name), Some(&body.sections))?;
    let row = state.store.add_form(body.name.trim(), &body.sections, &writer.author(None)?, clock::wall()).await?;
    Ok((StatusCode::CREATED, axum::Json(row.into())))
}

/// What to change of a form; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeForm {
    #[serde(default)]
    name: Option<String>,
    /// Makes a new version; grades that were given keep theirs.
    #[serde(default)]
    sections: Option<Vec<Section>>,
    /// Not offered any more, or again.
    #[serde(default)]
    retired: Option<bool>,
    /// Change only if this is still the version.
    #[serde(default)]
    version: Option<u64>,
}

/// Change a form.
#[utoipa::path(patch, path = "/api/v1/quality/forms/{id}", tag = "quality", params(("id" = i64, Path)),
    request_body = ChangeForm, responses((status = 200, body = QualityForm), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn change_form(
    State(state): State<WebState>,
    writer: Writer,
    Path(id): Path<i64>,
    Json(body): Json<ChangeForm>,
) -> Result<axum::Json<QualityForm>, Problem> {
    check_form(body.name.as_deref(), body.sections.as_deref())?;
    let author = writer.author(body.version)?;
    let expected = author.by.expected.map(|version| i64::try_from(version).unwrap_or(i64::MAX));
    let name = body.name.map(|name| name.trim().to_owned());
    let change = FormChange { name, sections: body.sections, retired: body.retired };
    Ok(axum::Json(state.store.change_form(id, change, expected, &author, clock::wall()).await?.into()))
}

fn check_form(name: Option<&str>, sections: Option<&[Section]>) -> Result<(), Problem> {
    if let Some(name) = name {
        let fits =
            !name.trim().is_empty() && name.chars().count() <= LONGEST_NAME && !name.chars().any(char::is_control);
        if !fits {
            return Err(Problem::unprocessable(format!("name: use 1 to {LONGEST_NAME} letters in one line")));
        }
    }
    sections.map_or(Ok(()), |sections| check(sections).map_err(Problem::unprocessable))
}

/// A talk's grade.
#[derive(Serialize, ToSchema)]
pub(super) struct Grade {
    id: i64,
    recording: i64,
    call: String,
    /// Who is graded: talked last in the call.
    agent: Option<u32>,
    agent_name: Option<String>,
    form: i64,
    form_name: String,
    form_version: i64,
    /// What is asked in that version of the form.
    sections: Vec<Section>,
    /// Marks in the order of sections and questions; `null` where a question does not apply.
    answers: Vec<Vec<Option<u32>>>,
    /// Thousandths of the best: sum of weight x mark / best mark over the sum of the weights, of what applies; 0 when
    /// `failed`.
    score: u32,
    /// A fatal question has a zero.
    failed: bool,
    comment: String,
    graded_by: String,
    graded_at: DateTime<Utc>,
}

impl From<GradeRow> for Grade {
    fn from(row: GradeRow) -> Grade {
        Grade {
            id: row.id,
            recording: row.recording,
            call: row.call.to_string(),
            agent: row.agent.map(|agent| agent.0),
            agent_name: row.agent_name,
            form: row.form,
            form_name: row.form_name,
            form_version: row.form_version,
            sections: row.sections,
            answers: row.answers,
            score: row.worth.score,
            failed: row.worth.failed,
            comment: row.comment,
            graded_by: row.graded_by,
            graded_at: time(row.graded_at),
        }
    }
}

/// A page of grades, the newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct Grades {
    items: Vec<Grade>,
    /// Cursor of the next page; `null` after the last.
    next: Option<String>,
}

listing! {
    /// Which grades; what is not given does not matter.
    {
        /// Of this agent.
        agent: u32,
        /// Of this recording.
        recording: i64,
        /// By this form.
        form: i64,
    }
}

/// Grades, the newest first. Agents see their own, where the office lets them (`reports.agents_see_grades`).
#[utoipa::path(get, path = "/api/v1/quality/grades", tag = "quality", params(Wanted),
    responses((status = 200, body = Grades), (status = 400, body = Problem)))]
pub(super) async fn grades(
    State(state): State<WebState>,
    identity: Identity,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<Grades>, Problem> {
    let asked = wanted.agent.map(AgentId);
    let agent = match (identity.sees_all(), identity.agent()) {
        (true, _) => asked,
        (false, Some(me)) if state.reports.agents_see_grades && asked.is_none_or(|agent| agent == me) => Some(me),
        (false, _) => return Ok(axum::Json(Grades { items: Vec::new(), next: None })),
    };
    let [from, to] = wanted.span();
    let filter = GradeFilter { from, to, agent, recording: wanted.recording, form: wanted.form };
    let (cursor, limit) = wanted.page();
    let page = state.store.list_grades(&filter, cursor, limit).await?;
    Ok(axum::Json(Grades { items: page.items.into_iter().map(Grade::from).collect(), next: page.next }))
}

/// A grade to give.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GiveGrade {
    /// Number of the recording.
    recording: i64,
    /// Number of the form; its present version is taken.
    form: i64,
    /// Marks in the order of sections and questions; `null` where a question does not apply.
    answers: Vec<Vec<Option<u32>>>,
    /// At most 2000 letters.
    #[serde(default)]
    comment: String,
}

/// Grade a talk. Who grades it again by the same form changes the own grade.
#[utoipa::path(post, path = "/api/v1/quality/grades", tag = "quality", request_body = GiveGrade,
    responses((status = 201, body = Grade), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn give(
    State(state): State<WebState>,
    writer: Writer,
    Json(body): Json<GiveGrade>,
) -> Result<(StatusCode, axum::Json<Grade>), Problem> {
    let lacks = |what: &str, id: i64| Problem::unprocessable(format!("{what}: there is no {what} {id}"));
    let recording = state.store.get_recording(body.recording).await?;
    let recording = recording.ok_or_else(|| lacks("recording", body.recording))?;
    let form = state.store.quality_form(body.form, None).await?.ok_or_else(|| lacks("form", body.form))?;
    if form.retired {
        return Err(Problem::conflict("retired", format!("the form {:?} is not offered any more", form.name)));
    }
    if body.comment.chars().count() > LONGEST_COMMENT || body.comment.contains('\0') {
        return Err(Problem::unprocessable(format!("comment: use at most {LONGEST_COMMENT} letters")));
    }
    let worth = worth(&form.sections, &body.answers).map_err(Problem::unprocessable)?;
    let author = writer.author(None)?;
    let answers = (&body.answers, worth);
    let talk = Talk { recording: recording.id, call: recording.call, agent: recording.agent };
    let row = state.store.grade(talk, &form, answers, body.comment.trim(), &author, clock::wall()).await?;
    Ok((StatusCode::CREATED, axum::Json(row.into())))
}

/// Of which time, by which form, and as what.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// Given from this moment on; 30 days before `to` when absent.
    from: Option<DateTime<Utc>>,
    /// Before this moment; now when absent. At most 400 days after `from`.
    to: Option<DateTime<Utc>>,
    /// By this form alone.
    form: Option<i64>,
    /// `csv` or `xlsx` for a table; `json` when absent.
    #[serde(default)]
    #[param(inline)]
    format: Form,
}

/// What the grades of a span add up to.
#[derive(Serialize, ToSchema)]
pub(super) struct QualityReport {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    /// By name.
    items: Vec<AgentQuality>,
}

/// What the grades of a span add up to, agent by agent, with the average of each question; of the newest 50,000 grades.
#[utoipa::path(get, path = "/api/v1/quality/report", tag = "quality", params(Asked),
    responses((status = 200, content((QualityReport = "application/json"), (String = "text/csv"),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
    (status = 422, body = Problem)))]
pub(super) async fn report(
    State(state): State<WebState>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let to = asked.to.map_or_else(clock::wall, wall);
    let from = asked.from.map_or(Wall(to.0 - 30 * DAY_MS), wall);
    if from > to || to.0 - from.0 > LONGEST_DAYS * DAY_MS {
        return Err(Problem::unprocessable(format!("from and to: use a span of at most {LONGEST_DAYS} days")));
    }
    let filter = GradeFilter { from: Some(from), to: Some(to), form: asked.form, ..GradeFilter::default() };
    let grades = state.store.grades_for_report(&filter, MOST_GRADES).await?;
    let mut items: Vec<AgentQuality> = by_agent(&grades).into_iter().map(AgentQuality::from).collect();
    items.sort_by(|a, b| a.name.cmp(&b.name));
    match asked.format {
        Form::Json => Ok(axum::Json(QualityReport { from: time(from), to: time(to), items }).into_response()),
        form @ (Form::Csv | Form::Xlsx) => file(&state, &headers, form, "quality", &quality_sheet(&items)),
    }
}
