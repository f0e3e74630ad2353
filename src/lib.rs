//! Perezvon, a telephony and IVR engine for dispatch offices, on Asterisk 22 over ARI.
//!
//! A pure core in a thin shell: the core decides, the shell does.
//!
//! - [`speech`]: words and sounds: which fragments say a phrase, WAV (std, hound).
//! - [`engine`]: call logic: calls, queue, agents, offers (no I/O, no clock; events in, commands out).
#![cfg_attr(
    feature = "shell",
    doc = "- [`shell`]: everything that touches the world: Asterisk, databases, web, command line."
)]

#[forbid(unsafe_code)]
pub mod domain;
#[forbid(unsafe_code)]
pub mod engine;
#[cfg(feature = "shell")]
pub mod shell;
#[forbid(unsafe_code)]
pub mod speech;
