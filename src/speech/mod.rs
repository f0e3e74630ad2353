//! Words to audio: which recorded fragments say a phrase, in each language, and the WAV format.
//!
//! Pure: no files, no clock. The fragments' texts are the lists `sounds/<language>/fragments.txt`, compiled in;
//! the sounds rendered from the same lists lie beside them as `<stem>.wav`.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod en;
mod measure;
pub mod numeral;
pub mod order;
mod phrase;
pub mod ru;
mod said;
pub mod wav;

pub use phrase::{Fragment, Language, Phrase, all_fragments, fragments, text};
pub use said::{Said, join, said};
