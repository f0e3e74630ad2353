//! What agents' grades add up to.

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use crate::engine::ids::AgentId;
use crate::shell::store::quality::AgentGrades;

use super::sheet::{Cell, Head, Sheet};

/// An agent's grades.
#[derive(Serialize, ToSchema)]
pub struct AgentQuality {
    /// Whose; none for talks whose agent is not known.
    pub agent: Option<u32>,
    /// The agent's name.
    pub name: String,
    /// How many talks were graded.
    pub grades: i64,
    /// Mean of the scores, thousandths.
    pub average: i64,
    /// Grades that are zero because of a fatal question.
    pub failed: i64,
    /// Question by question.
    pub questions: Vec<QuestionQuality>,
}

/// An agent's marks for one question.
#[derive(Serialize, ToSchema)]
pub struct QuestionQuality {
    /// What is asked.
    pub text: String,
    /// In how many grades it applied.
    pub marks: i64,
    /// Mean of mark / best mark, thousandths.
    pub average: i64,
}

impl From<(Option<AgentId>, AgentGrades)> for AgentQuality {
    fn from((agent, sum): (Option<AgentId>, AgentGrades)) -> AgentQuality {
        let questions = sum.questions.into_iter().map(|(text, (marks, parts))| QuestionQuality {
            text,
            marks,
            average: parts / marks.max(1),
        });
        AgentQuality {
            agent: agent.map(|agent| agent.0),
            name: sum.name,
            grades: sum.grades,
            average: sum.score / sum.grades.max(1),
            failed: sum.failed,
            questions: questions.collect(),
        }
    }
}

/// As a table: a line for each agent, a column for each question.
#[must_use]
pub fn quality_sheet(items: &[AgentQuality]) -> Sheet {
    let questions: BTreeSet<&str> =
        items.iter().flat_map(|agent| &agent.questions).map(|question| question.text.as_str()).collect();
    let mut heads = vec![
        Head::new("agent", "Диспетчер", "Agent"),
        Head::new("grades", "Оценок", "Grades"),
        Head::new("average_percent", "Средняя оценка", "Average"),
        Head::new("failed", "Провалено", "Failed"),
    ];
    heads.extend(questions.iter().map(|text| Head::new(text, text, text)));
    let row = |agent: &AgentQuality| {
        let mark = |text: &&str| {
            let found = agent.questions.iter().find(|question| question.text == **text);
            found.map_or(Cell::Empty, |question| Cell::Share(question.average))
        };
        let fixed = [
            Cell::Text(agent.name.clone()),
            Cell::Count(agent.grades),
            Cell::Share(agent.average),
            Cell::Count(agent.failed),
        ];
        fixed.into_iter().chain(questions.iter().map(mark)).collect()
    };
    Sheet { title: ["Качество", "Quality"], heads, rows: items.iter().map(row).collect() }
}
