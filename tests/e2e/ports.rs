//! Ports of one office. Offices of several test processes on one machine keep out of each other's way by a locked file.

use std::cell::Cell;
use std::fs::{File, TryLockError};
use std::net::{TcpListener, UdpSocket};
use std::time::{Duration, Instant};

/// Offices at once. A test waits for calls far more than it works.
const OFFICES: u16 = 4;
const FIRST: u16 = 10_000;
/// Ports of one office: below those that the system hands out by itself (32768 and more).
const EACH: u16 = 2_500;
/// Two for each leg.
const RTP: u16 = 600;

/// Ports that belong to this office as long as it lives.
pub struct Ports {
    _lock: File,
    next: Cell<u16>,
    end: u16,
    /// Asterisk's media ports: first and last.
    pub rtp: (u16, u16),
}

impl Ports {
    /// Waits until a place is free.
    pub fn take() -> Ports {
        let end = Instant::now() + Duration::from_secs(600);
        loop {
            for place in 0..OFFICES {
                let path = std::env::temp_dir().join(format!("perezvon-e2e-{place}.lock"));
                let lock = File::options().create(true).append(true).open(&path);
                let lock = lock.unwrap_or_else(|cause| panic!("{}: {cause}", path.display()));
                match lock.try_lock() {
                    Ok(()) => return Ports::at(lock, FIRST + place * EACH),
                    Err(TryLockError::WouldBlock) => {}
                    Err(TryLockError::Error(cause)) => panic!("{}: {cause}", path.display()),
                }
            }
            assert!(Instant::now() < end, "no place for another office: are other tests hanging?");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn at(lock: File, first: u16) -> Ports {
        Ports { _lock: lock, next: Cell::new(first + RTP), end: first + EACH, rtp: (first, first + RTP - 1) }
    }

    /// A port that nobody uses now, for TCP and UDP.
    pub fn one(&self) -> u16 {
        loop {
            let port = self.next.get();
            assert!(port < self.end, "the ports of this office are used up");
            self.next.set(port + 1);
            if TcpListener::bind(("127.0.0.1", port)).is_ok() && UdpSocket::bind(("127.0.0.1", port)).is_ok() {
                return port;
            }
        }
    }

    /// The first of a row of ports for the media of so many calls.
    pub fn media(&self, calls: usize) -> u16 {
        let row = u16::try_from(2 * calls + 10).expect("a few calls");
        let first = self.next.get().next_multiple_of(2);
        assert!(first + row <= self.end, "the ports of this office are used up");
        self.next.set(first + row);
        first
    }
}
