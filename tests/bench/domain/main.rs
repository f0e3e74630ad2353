//! What is asked while an order is being taken. No telephone, no server: the code alone, on one thread.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod hints;

fn main() {
    hints::measure();
}
