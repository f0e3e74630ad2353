//! The languages that people are spoken and written to in.

use serde::{Deserialize, Serialize};

/// A language that the engine speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Russian.
    Ru,
    /// English.
    En,
}

impl Language {
    /// Every language, in the order of the enum.
    pub const ALL: [Self; 2] = [Self::Ru, Self::En];

    /// The language of a two-letter ISO 639 code, in any case; `None` if the engine does not speak it.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| code.trim().eq_ignore_ascii_case(language.as_str()))
    }

    /// The ISO 639 code, which is also the name of the folder under `sounds/`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ru => "ru",
            Self::En => "en",
        }
    }

    /// The one of two texts that is in this language.
    #[must_use]
    pub fn pick<T>(self, russian: T, english: T) -> T {
        match self {
            Self::Ru => russian,
            Self::En => english,
        }
    }
}
