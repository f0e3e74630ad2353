//! Words to audio: what is said in each language, the recorded fragments that say it, and the WAV format.
//!
//! Pure: no files, no clock. The fragments' texts are the lists `sounds/<language>/fragments.txt`, compiled in;
//! the sounds rendered from the same lists lie beside them as `<stem>.wav`.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod address;
mod car;
pub mod en;
mod fragment;
mod join;
mod measure;
pub mod notice;
pub mod numeral;
pub mod order;
mod phrase;
mod plate;
pub mod ru;
mod said;
mod script;
pub mod shape;
pub mod wav;
mod written;

pub use fragment::{Fragment, all_fragments};
pub use join::join;
pub use phrase::{Language, Phrase, fragments, text};
pub use said::{Said, said};

#[cfg(test)]
mod testing {
    /// Compares a table of cases, input and expected words, and tells all that differ.
    pub(super) fn check<I: std::fmt::Debug>(cases: &[(I, &str)], said: impl Fn(&I) -> String) {
        let differ = |(input, expected): &(I, &str)| {
            let said = said(input);
            (said != *expected).then(|| format!("{input:?}: «{said}», not «{expected}»"))
        };
        let wrong: Vec<String> = cases.iter().filter_map(differ).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
