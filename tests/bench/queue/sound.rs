//! What is said on all telephones: a packet of a tone every 20 ms for each party of each talk, from one thread.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const PACKET: Duration = Duration::from_millis(20);
/// Phones' clocks have nothing to do with each other: so many groups of parties speak one after another within the time
/// of a packet. All at once would be a burst that no office hears.
const GROUPS: u32 = 20;
/// G.711 at 8 kHz.
const SAMPLES: u16 = 160;
const HEADER: usize = 12;

/// What one party says.
struct Stream {
    to: SocketAddr,
    group: u32,
    source: u32,
    sequence: u16,
}

type Streams = HashMap<String, Stream>;

/// Says something in every talk.
pub struct Sound {
    /// Where all phones hear, and from where all speak. What is heard is forgotten: nobody reads this socket.
    port: u16,
    streams: Arc<Mutex<Streams>>,
    made: u32,
}

fn lock(streams: &Mutex<Streams>) -> MutexGuard<'_, Streams> {
    streams.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sound {
    /// The thread lives as long as this.
    pub fn start() -> Sound {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = socket.local_addr().expect("an address").port();
        let streams = Arc::new(Mutex::new(HashMap::new()));
        let seen = Arc::downgrade(&streams);
        std::thread::spawn(move || {
            let mut due = Instant::now();
            for turn in (0..GROUPS).cycle() {
                let Some(streams) = seen.upgrade() else { break };
                lock(&streams)
                    .values_mut()
                    .filter(|stream| stream.group == turn)
                    .for_each(|stream| stream.send(&socket));
                drop(streams);
                due += PACKET / GROUPS;
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
            }
        });
        Sound { port, streams, made: 0 }
    }

    /// What a phone tells of its media. Without the word about keys (RFC 4733) Asterisk would look for their tones in
    /// what each caller says.
    pub fn offer(&self) -> String {
        format!(
            "v=0\r\no=phone 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {} RTP/AVP 0 101\r\n\
             a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n",
            self.port
        )
    }

    /// This party speaks from now on, to this port.
    pub fn speak(&mut self, party: &str, port: u16) {
        self.made += 1;
        let to = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        lock(&self.streams)
            .insert(party.to_owned(), Stream { to, group: self.made % GROUPS, source: self.made, sequence: 0 });
    }

    /// This party says nothing more.
    pub fn hush(&self, party: &str) {
        lock(&self.streams).remove(party);
    }

    /// Nobody says anything more.
    pub fn silence(&self) {
        lock(&self.streams).clear();
    }
}

impl Stream {
    /// The next packet (RFC 3550, section 5.1; G.711 mu-law is payload type 0).
    fn send(&mut self, socket: &UdpSocket) {
        let mut packet = [0_u8; HEADER + SAMPLES as usize];
        packet[0] = 0x80;
        packet[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        packet[4..8].copy_from_slice(&(u32::from(self.sequence) * u32::from(SAMPLES)).to_be_bytes());
        packet[8..HEADER].copy_from_slice(&self.source.to_be_bytes());
        for (at, sample) in packet[HEADER..].iter_mut().enumerate() {
            // A square wave of 400 Hz at a quarter of full scale.
            *sample = if at % 20 < 10 { 0x9f } else { 0x1f };
        }
        self.sequence = self.sequence.wrapping_add(1);
        // Asterisk closes its port a moment before the phone is told.
        let _ = socket.send_to(&packet, self.to);
    }
}
