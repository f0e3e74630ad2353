//! Quality marks: forms by which supervisors grade talks, and what a filled-in form is worth.

use serde::{Deserialize, Serialize};

/// Sections of a form.
const MOST_SECTIONS: usize = 20;
/// Questions of a form in all.
const MOST_QUESTIONS: usize = 100;
const LONGEST_TEXT: usize = 300;
const GREATEST_WEIGHT: u32 = 100;
const GREATEST_MARK: u32 = 10;

/// What is asked of a talk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Its heading, 1 to 300 letters.
    pub title: String,
    /// At least one; a form has at most 100 in all.
    pub questions: Vec<Question>,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// 1 to 300 letters; no two of a form are the same.
    pub text: String,
    /// The best mark of a scale from 0, 2 to 10; 1 for a question that is answered by yes (1) or no (0).
    #[cfg_attr(feature = "shell", schema(minimum = 1, maximum = 10))]
    pub best: u32,
    /// How much it counts, 1 to 100.
    #[cfg_attr(feature = "shell", schema(minimum = 1, maximum = 100))]
    pub weight: u32,
    /// A zero here makes the whole grade zero.
    #[serde(default)]
    pub fatal: bool,
}

/// Marks in the order of sections and questions; none where a question does not apply to the talk.
pub type Answers = Vec<Vec<Option<u32>>>;

/// What a filled-in form is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worth {
    /// Thousandths of the best: the sum of weight x mark / best mark over the sum of the weights, of what applies.
    pub score: u32,
    /// A fatal question has a zero; then the score is zero too.
    pub failed: bool,
}

/// Refuses a form that could not be filled in; tells which field is wrong and why.
///
/// # Errors
/// One sentence.
pub fn check(sections: &[Section]) -> Result<(), String> {
    if sections.is_empty() || sections.len() > MOST_SECTIONS {
        return Err(format!("sections: a form has 1 to {MOST_SECTIONS}"));
    }
    let questions: usize = sections.iter().map(|section| section.questions.len()).sum();
    if questions > MOST_QUESTIONS {
        return Err(format!("questions: a form has at most {MOST_QUESTIONS}"));
    }
    let mut texts = std::collections::BTreeSet::new();
    for (at, section) in sections.iter().enumerate() {
        text(&format!("sections[{at}].title"), &section.title)?;
        if section.questions.is_empty() {
            return Err(format!("sections[{at}].questions: a section has one at least"));
        }
        for (number, question) in section.questions.iter().enumerate() {
            let field = |name: &str| format!("sections[{at}].questions[{number}].{name}");
            text(&field("text"), &question.text)?;
            if !(1..=GREATEST_MARK).contains(&question.best) {
                return Err(format!("{}: use 1 (yes or no) to {GREATEST_MARK}", field("best")));
            }
            if !(1..=GREATEST_WEIGHT).contains(&question.weight) {
                return Err(format!("{}: use 1 to {GREATEST_WEIGHT}", field("weight")));
            }
            if !texts.insert(question.text.trim()) {
                return Err(format!("{}: this question stands there twice", field("text")));
            }
        }
    }
    Ok(())
}

/// Reckons a filled-in form.
///
/// # Errors
/// Marks that do not fit the form, or none at all.
pub fn worth(sections: &[Section], answers: &Answers) -> Result<Worth, String> {
    let fits = sections.len() == answers.len()
        && sections.iter().zip(answers).all(|(section, marks)| section.questions.len() == marks.len());
    if !fits {
        return Err("answers: give a mark or null for each question of each section, in their order".to_owned());
    }
    let (mut sum, mut weights, mut failed) = (0_u64, 0_u64, false);
    let questions = sections.iter().flat_map(|section| &section.questions);
    for (question, mark) in questions.zip(answers.iter().flatten()) {
        let Some(mark) = *mark else { continue };
        if mark > question.best {
            return Err(format!("answers: the best mark of {:?} is {}", question.text, question.best));
        }
        failed |= question.fatal && mark == 0;
        // Thousandths of a weight; the sums stay far below the limits of the type.
        sum += u64::from(question.weight) * 1000 * u64::from(mark) / u64::from(question.best);
        weights += u64::from(question.weight);
    }
    if weights == 0 {
        return Err("answers: at least one question must apply to the talk".to_owned());
    }
    let score = if failed { 0 } else { u32::try_from((sum + weights / 2) / weights).unwrap_or(1000) };
    Ok(Worth { score, failed })
}

fn text(field: &str, text: &str) -> Result<(), String> {
    let fits = !text.trim().is_empty() && text.chars().count() <= LONGEST_TEXT && !text.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(format!("{field}: use 1 to {LONGEST_TEXT} letters in one line")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(text: &str, best: u32, weight: u32, fatal: bool) -> Question {
        Question { text: text.to_owned(), best, weight, fatal }
    }

    fn form() -> Vec<Section> {
        let politeness = vec![question("Поздоровался", 1, 1, false), question("Тон", 5, 3, false)];
        vec![
            Section { title: "Вежливость".to_owned(), questions: politeness },
            Section {
                title: "Заказ".to_owned(), questions: vec![question("Повторил адрес", 1, 4, true)]
            },
        ]
    }

    #[test]
    fn marks_count_by_their_weights_and_what_does_not_apply_does_not() {
        check(&form()).unwrap();
        let worth = |answers: Answers| super::worth(&form(), &answers).unwrap();
        assert_eq!(worth(vec![vec![Some(1), Some(5)], vec![Some(1)]]), Worth { score: 1000, failed: false });
        // (1 + 3 x 3/5 + 4) / 8
        assert_eq!(worth(vec![vec![Some(1), Some(3)], vec![Some(1)]]).score, 850);
        assert_eq!(worth(vec![vec![Some(0), Some(5)], vec![None]]).score, 750);
    }

    #[test]
    fn a_zero_at_a_fatal_question_makes_the_whole_grade_zero() {
        let worth = worth(&form(), &vec![vec![Some(1), Some(5)], vec![Some(0)]]).unwrap();
        assert_eq!(worth, Worth { score: 0, failed: true });
    }

    #[test]
    fn what_does_not_fit_the_form_is_refused() {
        for answers in [
            vec![],
            vec![vec![Some(1)], vec![Some(1)]],
            vec![vec![Some(2), None], vec![None]],
            vec![vec![None, None], vec![None]],
        ] {
            assert!(worth(&form(), &answers).is_err(), "{answers:?}");
        }
        let wrong = |change: fn(&mut Vec<Section>)| {
            let mut form = form();
            change(&mut form);
            check(&form).unwrap_err()
        };
        assert!(wrong(|form| form.clear()).starts_with("sections"));
        assert!(wrong(|form| form[0].questions.clear()).starts_with("sections[0].questions"));
        assert!(wrong(|form| form[1].questions[0].weight = 0).starts_with("sections[1].questions[0].weight"));
        assert!(wrong(|form| form[0].questions[1].best = 11).starts_with("sections[0].questions[1].best"));
        assert!(wrong(|form| form[0].questions[1].text = "Поздоровался".into()).contains("twice"));
        assert!(wrong(|form| form[0].title = "\n".into()).starts_with("sections[0].title"));
    }
}
