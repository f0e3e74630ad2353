//! Slows down guessing of passwords, by login and by address, without locking out the one whose login is attacked.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Failures that cost nothing: people mistype.
const FREE: u32 = 5;
/// Longest wait for an address that keeps failing.
const LONGEST_FOR_ADDRESS: Duration = Duration::from_secs(60);
/// Longest wait for a login that is attacked from many addresses: its owner can still get in.
const LONGEST_FOR_LOGIN: Duration = Duration::from_secs(4);
/// Failures are forgotten after this time without a new one.
const MEMORY: Duration = Duration::from_secs(15 * 60);
/// Addresses and logins remembered at most.
const MOST: usize = 20_000;

/// Remembers failures. In memory: a restart forgives.
#[derive(Default)]
pub struct Throttle {
    seen: Mutex<BTreeMap<Key, Failures>>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// An IPv4 address, or the /64 network of an IPv6 address (one customer usually has a whole one).
    Address(IpAddr),
    Login(String),
    /// This login has succeeded from this address before.
    Trusted(IpAddr, String),
}

struct Failures {
    count: u32,
    last: Instant,
}

impl Throttle {
    /// May this attempt go on? It counts as failed until [`succeeded`](Self::succeeded) says otherwise, so that many
    /// at once are no way around. `Err`: how long to wait first; that attempt costs nothing.
    pub fn attempt(&self, login: &str, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let login = login.to_lowercase();
        let network = network(address);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = |key: &Key, longest| seen.get(key).map_or(Duration::ZERO, |failures| failures.wait(longest, now));
        let by_address = wait(&Key::Address(network), LONGEST_FOR_ADDRESS);
        // Somebody else's guessing does not hold up the owner at the usual place.
        let by_login = if seen.contains_key(&Key::Trusted(network, login.clone())) {
            Duration::ZERO
        } else {
            wait(&Key::Login(login.clone()), LONGEST_FOR_LOGIN)
        };
        let wait = by_address.max(by_login);
        if !wait.is_zero() {
            return Err(wait);
        }
        make_room(&mut seen, now);
        for key in [Key::Address(network), Key::Login(login)] {
            let failures = seen.entry(key).or_insert(Failures { count: 0, last: now });
            failures.count = if now.duration_since(failures.last) > MEMORY { 1 } else { failures.count + 1 };
            failures.last = now;
        }
        Ok(())
    }

    /// The attempt that was counted is neither a failure nor a success.
    pub fn forgive(&self, login: &str, address: IpAddr) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for key in [Key::Address(network(address)), Key::Login(login.to_lowercase())] {
            if let Some(failures) = seen.get_mut(&key) {
                failures.count = failures.count.saturating_sub(1);
            }
        }
    }

    /// The password was right. An address does not clear its other failures by one known password.
    pub fn succeeded(&self, login: &str, address: IpAddr, now: Instant) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let login = login.to_lowercase();
        let network = network(address);
        if let Some(failures) = seen.get_mut(&Key::Address(network)) {
            failures.count = failures.count.saturating_sub(1);
        }
        seen.remove(&Key::Login(login.clone()));
        seen.insert(Key::Trusted(network, login), Failures { count: 0, last: now });
    }
}

impl Failures {
    fn wait(&self, longest: Duration, now: Instant) -> Duration {
        if self.count < FREE {
            return Duration::ZERO;
        }
        let full = Duration::from_secs(1 << (self.count - FREE).min(10)).min(longest);
        full.saturating_sub(now.duration_since(self.last))
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
    }
}

/// Forgets what is old; under a flood of new names, what is oldest.
fn make_room(seen: &mut BTreeMap<Key, Failures>, now: Instant) {
    if seen.len() < MOST {
        return;
    }
    seen.retain(|_, failures| now.duration_since(failures.last) <= MEMORY);
    if seen.len() >= MOST {
        let mut ages: Vec<Instant> = seen.values().map(|failures| failures.last).collect();
        let middle = ages.len() / 2;
        let (_, median, _) = ages.select_nth_unstable(middle);
        let median = *median;
        seen.retain(|_, failures| failures.last > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

    fn attacker(n: u32) -> IpAddr {
        IpAddr::V4((0x0a01_0000 + n).into())
    }

    #[test]
    fn mistyping_costs_nothing_and_guessing_gets_slower() {
        let throttle = Throttle::default();
        let mut now = Instant::now();
        for _ in 0..FREE {
            assert_eq!(throttle.attempt("anna", HOME, now), Ok(()));
        }
        let mut attempts = 0;
        let end = now + Duration::from_secs(3600);
        while now < end {
            match throttle.attempt(&format!("user{attempts}"), HOME, now) {
                Ok(()) => attempts += 1,
                Err(wait) => now += wait,
            }
        }
        assert!(attempts < 80, "{attempts} guesses in an hour");
    }

    #[test]
    fn an_office_behind_one_address_logs_in_as_often_as_it_likes() {
        let throttle = Throttle::default();
        let now = Instant::now();
        for n in 0..100 {
            assert_eq!(throttle.attempt(&format!("user{n}"), HOME, now), Ok(()));
            throttle.succeeded(&format!("user{n}"), HOME, now);
        }
    }

    #[test]
    fn the_first_half_of_a_log_in_is_neither_failure_nor_success() {
        let throttle = Throttle::default();
        let now = Instant::now();
        for _ in 0..FREE {
            // Codes are guessed, and the password told in between.
            throttle.attempt("sup", HOME, now).unwrap();
            throttle.forgive("sup", HOME);
            throttle.attempt("sup", HOME, now).unwrap();
        }
        assert!(throttle.attempt("sup", HOME, now).is_err());
    }

    #[test]
    fn the_owner_of_an_attacked_login_waits_seconds_at_most_and_at_the_usual_place_not_at_all() {
        let throttle = Throttle::default();
        let mut now = Instant::now();
        throttle.succeeded("Anna", HOME, now);
        for n in 0..1000 {
            if let Err(wait) = throttle.attempt("anna", attacker(n), now) {
                now += wait;
                throttle.attempt("anna", attacker(n), now).unwrap();
            }
        }
        assert_eq!(throttle.attempt("anna", HOME, now), Ok(()));
        let elsewhere = throttle.attempt("ANNA", attacker(5000), now);
        assert_eq!(elsewhere, Err(LONGEST_FOR_LOGIN));
        assert_eq!(throttle.attempt("anna", attacker(5000), now + LONGEST_FOR_LOGIN), Ok(()));
    }

    #[test]
    fn a_network_of_addresses_counts_as_one_and_memory_is_bounded() {
        let throttle = Throttle::default();
        let mut now = Instant::now();
        let neighbour = |n: u128| IpAddr::V6((0x2001_0db8_u128 << 96 | n).into());
        for n in 0..u128::from(FREE) {
            throttle.attempt(&format!("u{n}"), neighbour(n), now).unwrap();
        }
        assert!(throttle.attempt("x", neighbour(77), now).is_err());
        for n in 0..50_000 {
            now += Duration::from_micros(1);
            throttle.attempt(&format!("user{n}"), attacker(n), now).unwrap();
        }
        assert!(throttle.seen.lock().unwrap().len() <= MOST + 2);
        assert_eq!(throttle.attempt("x", neighbour(0), now + MEMORY), Ok(()));
    }
}
