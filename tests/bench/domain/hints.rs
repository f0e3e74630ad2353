//! Address hints over 50,000 streets: every letter typed of streets drawn from the list is a question, as the console
//! asks it; some with a slip of the fingers, some with the wrong keyboard layout, some with a house, all for a client
//! with fifty places.

use std::time::{Duration, Instant};

use perezvon::domain::hint::{Index, Place, Query, Street};
use perezvon::domain::search::other_layout;
use perezvon::shell::demo::Office;

const STREETS: usize = 50_000;
const NOW: i64 = 1_800_000_000_000;

/// Prints one line for each number.
pub fn measure() {
    let office = Office::new(1, STREETS);
    let streets = office.streets().to_vec();
    assert_eq!(streets.len(), STREETS);
    let before = resident();
    let began = Instant::now();
    let index = Index::new(streets);
    println!("hints.50000_streets.index {:.0} ms", began.elapsed().as_secs_f64() * 1000.0);
    println!("hints.50000_streets.memory {:.1} MiB", (resident() - before) as f64 / 1024.0);

    let places: Vec<Place> = (0..20).flat_map(|client| office.places(client)).take(50).map(place).collect();
    let (mut all, mut kinds) = (Vec::new(), [const { Vec::new() }; 4]);
    let (mut asked, mut found) = (0, 0);
    for (number, street) in office.streets().iter().step_by(STREETS / 250).enumerate() {
        let text = typed(street, number % 4);
        let ends = text.char_indices().map(|(at, letter)| at + letter.len_utf8());
        for end in ends {
            let began = Instant::now();
            let query = Query { text: &text[..end], places: &places, now: NOW, limit: 8 };
            let hints = index.hints(&query);
            let took = began.elapsed();
            all.push(took);
            kinds[number % 4].push(took);
            if end == text.len() {
                asked += 1;
                found += usize::from(hints.iter().any(|hint| hint.street == street.title()));
            }
        }
    }
    let spent: Duration = all.iter().sum();
    println!("hints.50000_streets.per_second {:.0} 1/s", all.len() as f64 / spent.as_secs_f64());
    println!("hints.50000_streets.p50 {:.3} ms", share(&mut all, 50));
    println!("hints.50000_streets.p95 {:.3} ms", share(&mut all, 95));
    println!("hints.50000_streets.max {:.3} ms", share(&mut all, 100));
    for (name, times) in ["plain", "slip", "layout", "house"].iter().zip(&mut kinds) {
        println!("hints.50000_streets.{name}.p95 {:.3} ms", share(times, 95));
    }
    println!("hints.50000_streets.found {:.1} %", f64::from(found as u32) * 100.0 / f64::from(asked));
}

/// What a dispatcher types for this street.
fn typed(street: &Street, how: usize) -> String {
    let text = format!("{} {}", street.name, street.settlement).to_lowercase();
    match how {
        0 => text,
        1 => {
            // Two neighbours swapped, behind the third letter of the name's last word.
            let mut letters: Vec<char> = text.chars().collect();
            let word = street.name.rsplit(' ').next().unwrap().chars().count();
            let end = street.name.chars().count();
            if word >= 5 {
                letters.swap(end - 2, end - 3);
            }
            letters.into_iter().collect()
        }
        2 => other_layout(&text),
        _ => format!("{} 12к2 п3", street.name.to_lowercase()),
    }
}

fn place(address: perezvon::domain::address::Address) -> Place {
    let perezvon::domain::address::Address { city, street, house, entrance, comment, .. } = address;
    Place { city, street, house, entrance, comment, uses: 3, last_used: NOW - 1_000_000_000 }
}

/// In milliseconds: so many per cent took no longer.
fn share(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    times[(times.len() * percent / 100).min(times.len() - 1)].as_secs_f64() * 1000.0
}

/// Memory of this process in KiB.
fn resident() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
