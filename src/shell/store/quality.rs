//! Grading of talks: forms, all of whose versions are kept, and the grades given by them.

use std::collections::BTreeMap;

use serde_json::json;
use sqlx::any::AnyRow;

use crate::domain::quality::{Answers, Section, Worth};
use crate::engine::ids::{AgentId, CallId};
use crate::engine::time::Wall;

use super::agents::{from_json, json as written};
use super::author::Author;
use super::change::{actor_words, call_id, call_key};
use super::page::{Place, with_one_more};
use super::{Columns as _, Page, Result, Sql, Store, StoreError, Tx};

/// A form, in one of its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormRow {
    /// Number of the form.
    pub id: i64,
    /// Its name; no two have the same.
    pub name: String,
    /// This version of it.
    pub version: i64,
    /// Not offered any more.
    pub retired: bool,
    /// What is asked.
    pub sections: Vec<Section>,
    /// Who changed the form last.
    pub changed_by: String,
    /// When.
    pub changed_at: Wall,
}

/// What to change of a form; what is none stays.
#[derive(Clone, Debug, Default)]
pub struct FormChange {
    /// Its name.
    pub name: Option<String>,
    /// What is asked: makes a new version.
    pub sections: Option<Vec<Section>>,
    /// Not offered any more, or again.
    pub retired: Option<bool>,
}

/// A talk to grade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Talk {
    /// Number of its recording.
    pub recording: i64,
    /// Of which call.
    pub call: CallId,
    /// Who talked last.
    pub agent: Option<AgentId>,
}

/// A talk's grade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GradeRow {
    /// Number of the row.
    pub id: i64,
    /// Of which recording.
    pub recording: i64,
    /// Of which call.
    pub call: CallId,
    /// Whose.
    pub agent: Option<AgentId>,
    /// That agent's name.
    pub agent_name: Option<String>,
    /// By which form.
    pub form: i64,
    /// Its name.
    pub form_name: String,
    /// By which version of it.
    pub form_version: i64,
    /// What is asked in that version.
    pub sections: Vec<Section>,
    /// The marks.
    pub answers: Answers,
    /// What they are worth.
    pub worth: Worth,
    /// For people; may be empty.
    pub comment: String,
    /// By whom.
    pub graded_by: String,
    /// When.
    pub graded_at: Wall,
}

/// Which grades; what is not given does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GradeFilter {
    /// Given at this moment or later.
    pub from: Option<Wall>,
    /// Given before this moment.
    pub to: Option<Wall>,
    /// Of this agent.
    pub agent: Option<AgentId>,
    /// Of this recording.
    pub recording: Option<i64>,
    /// By this form.
    pub form: Option<i64>,
}

const FORM: &str = "SELECT f.id, f.name, v.version, f.retired, v.sections, f.changed_by, f.changed_at \
     FROM quality_forms f JOIN quality_form_versions v ON v.form = f.id";
const GRADE: &str = "SELECT g.id, g.recording, g.call, g.agent, a.name AS agent_name, g.form, f.name AS form_name, \
     g.form_version, v.sections, g.answers, g.score, g.failed, g.comment, g.graded_by, g.graded_at \
     FROM quality_grades g JOIN quality_forms f ON f.id = g.form \
     JOIN quality_form_versions v ON v.form = g.form AND v.version = g.form_version \
     LEFT JOIN agents a ON a.id = g.agent WHERE 1 = 1";

impl Store {
    /// All forms by name, each in the version to grade by.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn quality_forms(&self) -> Result<Vec<FormRow>> {
        let sql = Sql::new(format!("{FORM} AND v.version = f.version ORDER BY f.name, f.id"));
        self.rows(sql).await?.iter().map(form).collect()
    }

    /// A form in this version, or in the one to grade by.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn quality_form(&self, id: i64, version: Option<i64>) -> Result<Option<FormRow>> {
        let sql = Sql::new(format!("{FORM} AND v.version = COALESCE($2, f.version) WHERE f.id = $1"));
        self.row(sql.with(id).with(version)).await?.as_ref().map(form).transpose()
    }

    /// Adds a form. It was checked.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when another has this name.
    pub async fn add_form(&self, name: &str, sections: &[Section], author: &Author, now: Wall) -> Result<FormRow> {
        let mut tx = self.begin().await?;
        let (_, by) = actor_words(&author.actor);
        let sql = "INSERT INTO quality_forms (name, version, retired, changed_by, changed_at) \
                   VALUES ($1, 1, 0, $2, $3) RETURNING id";
        let row = tx.row(Sql::new(sql).with(name.to_owned()).with(by).with(now.0)).await?;
        let id = row.ok_or(StoreError::NotFound("form"))?.int("id")?;
        tx.add_version(id, 1, sections).await?;
        author.audit(&mut tx, "quality.form_added", id, json!({ "name": name }), now).await?;
        tx.commit().await?;
        self.quality_form(id, None).await?.ok_or(StoreError::NotFound("form"))
    }

    /// Changes a form. Grades that were given keep their version.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Taken`], or [`StoreError::Stale`] when `expected` is not its version.
    pub async fn change_form(
        &self,
        id: i64,
        change: FormChange,
        expected: Option<i64>,
        author: &Author,
        now: Wall,
    ) -> Result<FormRow> {
        let mut tx = self.begin().await?;
        let sql = Sql::new("SELECT name, version, retired FROM quality_forms WHERE id = $1").with(id);
        let row = tx.row_locked(sql).await?.ok_or(StoreError::NotFound("form"))?;
        let version = row.int("version")?;
        if expected.is_some_and(|expected| expected != version) {
            return Err(StoreError::Stale { now: version });
        }
        let next = version + i64::from(change.sections.is_some());
        if let Some(sections) = &change.sections {
            tx.add_version(id, next, sections).await?;
        }
        let name = change.name.map_or_else(|| row.text("name"), Ok)?;
        let retired = change.retired.map_or_else(|| row.flag("retired"), Ok)?;
        let (_, by) = actor_words(&author.actor);
        let sql = "UPDATE quality_forms SET name = $1, version = $2, retired = $3, changed_by = $4, changed_at = $5 \
                   WHERE id = $6";
        let sql = Sql::new(sql).with(name.clone()).with(next).with(i64::from(retired)).with(by).with(now.0).with(id);
        tx.execute(sql).await?;
        let detail = json!({ "name": name, "version": next, "retired": retired });
        author.audit(&mut tx, "quality.form_changed", id, detail, now).await?;
        tx.commit().await?;
        self.quality_form(id, None).await?.ok_or(StoreError::NotFound("form"))
    }

    /// Grades a recording. Who grades it again by the same form changes the grade, by the form's present version.
    ///
    /// # Errors
    /// When the database does not answer or does not accept it.
    pub async fn grade(
        &self,
        talk: Talk,
        form: &FormRow,
        (answers, worth): (&Answers, Worth),
        comment: &str,
        author: &Author,
        now: Wall,
    ) -> Result<GradeRow> {
        let mut tx = self.begin().await?;
        let (_, by) = actor_words(&author.actor);
        let sql = "INSERT INTO quality_grades (recording, call, agent, form, form_version, score, failed, answers, comment, \
                   graded_by, graded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
                   ON CONFLICT (recording, form, graded_by) DO UPDATE SET form_version = excluded.form_version, \
                   score = excluded.score, failed = excluded.failed, answers = excluded.answers, \
                   comment = excluded.comment, graded_at = excluded.graded_at RETURNING id";
        let agent = talk.agent.map(|agent| i64::from(agent.0));
        let sql = Sql::new(sql).with(talk.recording).with(call_key(talk.call)).with(agent).with(form.id);
        let sql = sql.with(form.version).with(i64::from(worth.score)).with(i64::from(worth.failed));
        let sql = sql.with(written(answers)?).with(comment.to_owned()).with(by).with(now.0);
        let id = tx.row(sql).await?.ok_or(StoreError::NotFound("grade"))?.int("id")?;
        let detail = json!({ "recording": talk.recording, "form": form.name, "score": worth.score });
        author.audit(&mut tx, "quality.graded", id, detail, now).await?;
        tx.commit().await?;
        self.quality_grade(id).await?.ok_or(StoreError::NotFound("grade"))
    }

    /// One grade.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn quality_grade(&self, id: i64) -> Result<Option<GradeRow>> {
        let sql = Sql::new(format!("{GRADE} AND g.id = $1")).with(id);
        self.row(sql).await?.as_ref().map(grade).transpose()
    }

    /// A page of grades, the newest first.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`], or when the database does not answer.
    pub async fn list_grades(&self, filter: &GradeFilter, cursor: Option<&str>, limit: u32) -> Result<Page<GradeRow>> {
        let mut sql = narrowed(filter);
        if let Some(after) = Place::parse(cursor)? {
            sql.push(" AND (g.graded_at, g.id) < (");
            sql.push_value(after.at);
            sql.push(", ");
            sql.push_value(after.id);
            sql.push(")");
        }
        sql.push(" ORDER BY g.graded_at DESC, g.id DESC LIMIT ");
        sql.push_value(with_one_more(limit));
        let grades = self.rows(sql).await?.iter().map(grade).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(grades, limit, |grade| Place { at: grade.graded_at.0, id: grade.id }))
    }

    /// All grades of a span, at most `most`, for a report.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn grades_for_report(&self, filter: &GradeFilter, most: u32) -> Result<Vec<GradeRow>> {
        let mut sql = narrowed(filter);
        sql.push(" ORDER BY g.graded_at DESC, g.id DESC LIMIT ");
        sql.push_value(i64::from(most));
        self.rows(sql).await?.iter().map(grade).collect()
    }
}

fn narrowed(filter: &GradeFilter) -> Sql {
    let mut sql = Sql::new(GRADE);
    let conditions = [
        (" AND g.graded_at >= ", filter.from.map(|at| at.0)),
        (" AND g.graded_at < ", filter.to.map(|at| at.0)),
        (" AND g.agent = ", filter.agent.map(|agent| i64::from(agent.0))),
        (" AND g.recording = ", filter.recording),
        (" AND g.form = ", filter.form),
    ];
    for (text, value) in conditions {
        if let Some(value) = value {
            sql.push(text);
            sql.push_value(value);
        }
    }
    sql
}

impl Tx {
    async fn add_version(&mut self, form: i64, version: i64, sections: &[Section]) -> Result<()> {
        let sql = Sql::new("INSERT INTO quality_form_versions (form, version, sections) VALUES ($1, $2, $3)");
        self.execute(sql.with(form).with(version).with(written(&sections)?)).await.map(drop)
    }
}

fn form(row: &AnyRow) -> Result<FormRow> {
    Ok(FormRow {
        id: row.int("id")?,
        name: row.text("name")?,
        version: row.int("version")?,
        retired: row.flag("retired")?,
        sections: from_json(&row.text("sections")?)?,
        changed_by: row.text("changed_by")?,
        changed_at: Wall(row.int("changed_at")?),
    })
}

fn grade(row: &AnyRow) -> Result<GradeRow> {
    Ok(GradeRow {
        id: row.int("id")?,
        recording: row.int("recording")?,
        call: call_id(row.int("call")?),
        agent: row.small_opt("agent")?.map(AgentId),
        agent_name: row.text_opt("agent_name")?,
        form: row.int("form")?,
        form_name: row.text("form_name")?,
        form_version: row.int("form_version")?,
        sections: from_json(&row.text("sections")?)?,
        answers: from_json(&row.text("answers")?)?,
        worth: Worth { score: row.small("score")?, failed: row.flag("failed")? },
        comment: row.text("comment")?,
        graded_by: row.text("graded_by")?,
        graded_at: Wall(row.int("graded_at")?),
    })
}

/// What an agent's grades add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentGrades {
    /// The agent's name; empty for talks whose agent is not known.
    pub name: String,
    /// How many.
    pub grades: i64,
    /// Sum of the scores, thousandths.
    pub score: i64,
    /// Of them, failed by a fatal question.
    pub failed: i64,
    /// By the question's text: how often it applied, and the sum of mark / best mark, thousandths.
    pub questions: BTreeMap<String, (i64, i64)>,
}

/// Grades put together by agent. A question that stands in several versions of a form is one.
#[must_use]
pub fn by_agent(grades: &[GradeRow]) -> BTreeMap<Option<AgentId>, AgentGrades> {
    let mut agents: BTreeMap<Option<AgentId>, AgentGrades> = BTreeMap::new();
    for grade in grades {
        let sum = agents.entry(grade.agent).or_default();
        sum.name = grade.agent_name.clone().unwrap_or_default();
        sum.grades += 1;
        sum.score += i64::from(grade.worth.score);
        sum.failed += i64::from(grade.worth.failed);
        let questions = grade.sections.iter().flat_map(|section| &section.questions);
        for (question, mark) in questions.zip(grade.answers.iter().flatten()) {
            if let Some(mark) = mark {
                let (count, marks) = sum.questions.entry(question.text.trim().to_owned()).or_default();
                *count += 1;
                *marks += i64::from(*mark) * 1000 / i64::from(question.best.max(1));
            }
        }
    }
    agents
}

#[cfg(test)]
mod tests {
    use super::super::testing::on_both;
    use super::*;
    use crate::domain::quality::{Question, worth};

    fn sections(texts: &[&str]) -> Vec<Section> {
        let question = |text: &&str| Question { text: (*text).to_owned(), best: 5, weight: 1, fatal: false };
        vec![Section { title: "Всё".to_owned(), questions: texts.iter().map(question).collect() }]
    }

    #[tokio::test]
    async fn a_grade_keeps_the_version_of_the_form_that_it_was_given_by() {
        on_both(async |t| {
            let s = &t.store;
            let author = Author::engine();
            let first = s.add_form("Приём заказа", &sections(&["Тон"]), &author, Wall(1)).await.unwrap();
            assert!(matches!(
                s.add_form("Приём заказа", &sections(&["Тон"]), &author, Wall(1)).await,
                Err(StoreError::Taken(_))
            ));
            let give = async |form: &FormRow, id, agent, answers: Answers, at| {
                let worth = worth(&form.sections, &answers).unwrap();
                s.grade(
                    Talk { recording: id, call: CallId(7 << 20), agent: Some(AgentId(agent)) },
                    form,
                    (&answers, worth),
                    "",
                    &author,
                    Wall(at),
                )
                .await
                .unwrap()
            };
            let old = give(&first, 1, 7, vec![vec![Some(4)]], 10).await;
            assert_eq!((old.worth.score, old.form_version), (800, 1));
            let change = FormChange { sections: Some(sections(&["Тон", "Адрес"])), ..FormChange::default() };
            let second = s.change_form(first.id, change.clone(), Some(1), &author, Wall(2)).await.unwrap();
            assert_eq!((second.version, second.sections[0].questions.len()), (2, 2));
            assert!(matches!(
                s.change_form(first.id, change, Some(1), &author, Wall(2)).await,
                Err(StoreError::Stale { now: 2 })
            ));
            give(&second, 2, 8, vec![vec![Some(5), None]], 20).await;
            // Again by the same person: the grade is changed.
            let again = give(&second, 1, 7, vec![vec![Some(5), Some(0)]], 30).await;
            assert_eq!((again.id, again.worth.score, again.form_version), (old.id, 500, 2));
            assert_eq!(s.quality_form(first.id, Some(1)).await.unwrap().unwrap().sections, first.sections);
            let page = s.list_grades(&GradeFilter::default(), None, 1).await.unwrap();
            assert_eq!(page.items, [again]);
            let rest = s.list_grades(&GradeFilter::default(), page.next.as_deref(), 1).await.unwrap();
            assert_eq!((rest.items[0].recording, rest.next), (2, None));
            let own = GradeFilter { agent: Some(AgentId(8)), ..GradeFilter::default() };
            assert_eq!(s.list_grades(&own, None, 9).await.unwrap().items.len(), 1);
            let agents = by_agent(&s.grades_for_report(&GradeFilter::default(), 100).await.unwrap());
            let seven = &agents[&Some(AgentId(7))];
            assert_eq!((seven.grades, seven.score, seven.questions["Тон"]), (1, 500, (1, 1000)));
            assert_eq!(agents[&Some(AgentId(8))].questions.get("Адрес"), None);
        })
        .await;
    }
}
