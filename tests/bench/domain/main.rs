//! What is asked while an order is being taken: hints, the search for a client, changes of orders. No telephone, no
//! server: the code and the database alone. A number as an argument is how many clients there are, 1,000,000 without.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "../databases.rs"]
mod databases;
mod hints;
mod office;

fn main() {
    let clients = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    hints::measure();
    office::measure(clients);
}
