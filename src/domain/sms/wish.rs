//! What a client wants who writes back. Only what is surely understood is acted on; the rest is for people.

use super::super::search::fold;

/// What an SMS asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// «Отмена»: the order is to be cancelled.
    Cancel,
    /// «Где машина?»: how does the order stand?
    Where,
    /// For a person to read.
    Other,
}

impl Wish {
    /// As it stands in JSON and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Wish::Cancel => "cancel",
            Wish::Where => "where",
            Wish::Other => "",
        }
    }

    /// Reads a client's text. A wish stands alone or with a few words about it («отмените заказ пожалуйста»); with more, or
    /// with a denial («не отменяйте»), somebody must read it.
    #[must_use]
    pub fn of(text: &str) -> Wish {
        let folded = fold(text);
        let words: Vec<&str> = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        if words.is_empty() || words.len() > MOST_WORDS || words.iter().any(|word| DENIALS.contains(word)) {
            return Wish::Other;
        }
        let is = |known: &[&str]| words.iter().any(|word| known.contains(word));
        match (is(&CANCEL), is(&WHERE)) {
            (true, false) => Wish::Cancel,
            (false, true) => Wish::Where,
            // «Где отмена?»
            (true, true) | (false, false) => Wish::Other,
        }
    }
}

const MOST_WORDS: usize = 5;
const DENIALS: [&str; 8] = ["не", "нет", "зачем", "почему", "кто", "not", "don", "dont"];
const CANCEL: [&str; 11] = [
    "отмена",
    "отмену",
    "отмени",
    "отмените",
    "отменить",
    "отменяю",
    "отменяйте",
    "отменяем",
    "otmena",
    "otmenite",
    "cancel",
];
const WHERE: [&str; 10] = ["где", "когда", "статус", "скоро", "gde", "kogda", "where", "when", "status", "eta"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clear_wish_is_understood_and_nothing_else() {
        for text in ["отмена", "ОТМЕНА!", " Отмените заказ, пожалуйста", "Cancel", "cancel my order", "otmena"]
        {
            assert_eq!(Wish::of(text), Wish::Cancel, "{text}");
        }
        for text in ["где машина", "Где машина???", "а когда будет машина?", "WHERE is my car", "where", "gde mashina"]
        {
            assert_eq!(Wish::of(text), Wish::Where, "{text}");
        }
        for text in [
            "",
            "не отменяйте заказ",
            "Не надо отмена",
            "don't cancel",
            "спасибо",
            "Ваш заказ отменён",
            "где отмена",
            "Подскажите пожалуйста как отменить заказ если передумал",
            "🚕",
        ] {
            assert_eq!(Wish::of(text), Wish::Other, "{text}");
        }
    }
}
