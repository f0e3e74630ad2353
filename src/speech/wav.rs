//! The WAV format in memory: what was recorded, made playable and checked.
