//! Call flows as transcripts: a script of what happens, and below each line what the engine wants done. The expected
//! ones are in `snapshots/`; `INSTA_UPDATE=always cargo test --test flows` writes them anew, to be read before a commit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod adoption;
mod callbacks;
mod dialled;
mod kept_places;
mod menu;
mod monitors;
mod office;
mod pause;
mod queueing;
mod transfers;
mod trouble;
