//! Why clients come: the office's own list.

use serde::{Deserialize, Serialize};

use super::super::limit::{self, LONG, SHORT};
use super::super::rejected::{Problem, Rejected};
use super::Person;

/// Specialists of one purpose.
pub const MOST_SPECIALISTS: usize = 200;

/// A purpose of contacts: «Автосалон. Покупка нового автомобиля».
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Purpose {
    /// The part of the office: «Автосалон», «Сервис»; may be empty.
    pub section: String,
    /// In Russian; must say something. No two purposes of a section have the same.
    pub name: String,
    /// In English; the Russian one is shown where it is empty.
    pub name_en: String,
    /// Who sees to it: all are told of a contact for which nobody was chosen, until one takes it.
    pub specialists: Vec<Person>,
    /// The queue (by name, as in the configuration) whose calls have this purpose; empty for none.
    pub queue: String,
    /// What callers hear when they come into its queue, if no other purpose has that queue; needs a voice. An agent who
    /// answers meanwhile cuts it off, and knows from it how to greet.
    pub greeting: String,
}

impl Purpose {
    /// Section and name, as people know it.
    #[must_use]
    pub fn title(&self) -> String {
        match self.section.trim() {
            "" => self.name.trim().to_owned(),
            section => format!("{section}. {}", self.name.trim()),
        }
    }

    /// Refuses a purpose that could not hold.
    ///
    /// # Errors
    /// [`Rejected::Field`].
    pub fn check(&self) -> Result<(), Rejected> {
        limit::check_some("name", &self.name, SHORT)?;
        for (field, text) in [("section", &self.section), ("name_en", &self.name_en), ("queue", &self.queue)] {
            limit::check(field, text, SHORT)?;
        }
        limit::check("greeting", &self.greeting, LONG)?;
        limit::check_count("specialists", self.specialists.len(), MOST_SPECIALISTS)?;
        let twice = self
            .specialists
            .iter()
            .enumerate()
            .any(|(at, one)| self.specialists.iter().skip(at + 1).any(|other| other == one));
        if twice {
            return Err(Rejected::Field { field: "specialists", problem: Problem::Twice });
        }
        Ok(())
    }
}
