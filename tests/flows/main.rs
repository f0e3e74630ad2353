//! Call flows as transcripts: a script of what happens, and below each line what the engine wants done. The expected
//! ones are in `snapshots/`; `INSTA_UPDATE=always cargo test --test flows` writes them anew, to be read before a commit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod adoption;
mod callbacks;
mod menu;
mod office;
mod queueing;
mod transfers;
mod trouble;
