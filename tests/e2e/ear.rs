//! A caller's ear and fingers: all that comes over RTP is kept, keys go out by RFC 4733 or as tones.

use std::f64::consts::TAU;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::audio::{mu_law, of_mu_law, tone};
use crate::office::{OFFICE_NUMBER, Office, repository};
use crate::phones::{Agent, Sipp};
use crate::wait::{wait_for, wait_until};

const PACKET: usize = 160;
/// Payload type of keys, as the scenario offers it.
const KEYS: u8 = 101;
/// A key is held so long: as people do.
const HELD: usize = 8;
/// Rounding of the line's codec, and its largest steps at loud samples.
const FINE: i32 = 60;

/// How a caller presses keys.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fingers {
    /// Packets of their own.
    Rfc4733,
    /// Tones in the sound.
    InBand,
}

#[derive(Default)]
struct Heard {
    samples: Vec<i16>,
    /// Of the last packet.
    timestamp: Option<u32>,
    from: Option<SocketAddr>,
}

/// A caller who hears.
pub struct Ear {
    pub sipp: Sipp,
    socket: UdpSocket,
    heard: Arc<Mutex<Heard>>,
    stop: Arc<AtomicBool>,
    listener: Option<JoinHandle<()>>,
    fingers: Fingers,
    sent: std::cell::Cell<(u16, u32)>,
}

impl Office {
    /// One caller rings, hears, and presses what the test wants.
    #[track_caller]
    pub fn ear(&self, number: &str, hang_up_after: u32, fingers: Fingers) -> Ear {
        self.ear_with(number, hang_up_after, fingers, (0, '0'))
    }

    /// The same, and one key by SIP INFO so many milliseconds after the answer.
    #[track_caller]
    pub fn ear_with(&self, number: &str, hang_up_after: u32, fingers: Fingers, info: (u32, char)) -> Ear {
        let socket = UdpSocket::bind(("127.0.0.1", self.ports.one())).expect("a port for the sound");
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let port = socket.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Heard::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let listener = {
            let (socket, heard, stop) = (socket.try_clone().unwrap(), heard.clone(), stop.clone());
            std::thread::spawn(move || listen(&socket, &heard, &stop))
        };
        let formats = if fingers == Fingers::Rfc4733 { "0 101" } else { "0" };
        let line = format!("{number};{OFFICE_NUMBER};{hang_up_after};{port};{formats};{};{}", info.0, info.1);
        let sipp = Sipp::start(self, "caller_ear", self.ports.one(), 0, Some(&[line]), &[]);
        Ear { sipp, socket, heard, stop, listener: Some(listener), fingers, sent: Default::default() }
    }
}

/// An agent's phone that talks with a tone, and whose ear is listened to.
pub struct PhoneEar {
    _sipp: Sipp,
    heard: Arc<Mutex<Heard>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Office {
    /// The agent's phone is plugged in, and answers.
    #[track_caller]
    pub fn phone_ear(&self, agent: &Agent, hertz: u32) -> PhoneEar {
        let socket = UdpSocket::bind(("127.0.0.1", self.ports.one())).expect("a port for the sound");
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let (heard, stop) = (Arc::new(Mutex::new(Heard::default())), Arc::new(AtomicBool::new(false)));
        let (port, talking) = (self.ports.one(), socket.try_clone().unwrap());
        let keys =
            [("ring_ms", 10), ("answer_ms", 100), ("talk_ms", 0), ("ear_port", socket.local_addr().unwrap().port())];
        let keys: Vec<String> = keys
            .into_iter()
            .flat_map(|(name, value)| ["-key".to_owned(), name.to_owned(), value.to_string()])
            .collect();
        self.register(agent, port);
        let sipp = Sipp::start(self, "agent_ear", port, 0, None, &keys);
        let ears = (heard.clone(), stop.clone());
        let mouth = (heard.clone(), stop.clone());
        let threads = vec![
            std::thread::spawn(move || listen(&socket, &ears.0, &ears.1)),
            std::thread::spawn(move || talk(&talking, &tone(hertz, 2), &mouth.0, &mouth.1)),
        ];
        PhoneEar { _sipp: sipp, heard, stop, threads }
    }
}

/// Sends the sound again and again to where sound comes from, a packet every 20 ms.
fn talk(socket: &UdpSocket, sound: &[u8], heard: &Mutex<Heard>, stop: &AtomicBool) {
    let begun = std::time::Instant::now();
    for (n, payload) in sound.chunks_exact(PACKET).cycle().enumerate() {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        std::thread::sleep((Duration::from_millis(20) * n as u32).saturating_sub(begun.elapsed()));
        let to = heard.lock().unwrap().from;
        if let Some(to) = to {
            let mut packet = vec![0x80, 0];
            packet.extend((n as u16).to_be_bytes());
            packet.extend(((n * PACKET) as u32).to_be_bytes());
            packet.extend(0x7065_6172_u32.to_be_bytes());
            packet.extend(payload);
            let _ = socket.send_to(&packet, to);
        }
    }
}

impl PhoneEar {
    /// The last half second that was heard.
    pub fn last(&self) -> Vec<i16> {
        let heard = self.heard.lock().unwrap();
        heard.samples[heard.samples.len().saturating_sub(4000)..].to_vec()
    }
}

impl Drop for PhoneEar {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

fn listen(socket: &UdpSocket, heard: &Mutex<Heard>, stop: &AtomicBool) {
    let mut packet = [0_u8; 2048];
    while !stop.load(Ordering::Relaxed) {
        let Ok((length, from)) = socket.recv_from(&mut packet) else { continue };
        let Some(payload) = packet.get(12..length).filter(|_| packet[1] & 0x7f == 0) else { continue };
        let timestamp = u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]);
        let mut heard = heard.lock().unwrap();
        heard.from = Some(from);
        // What was not sent is silence of the same length; a jump of more than ten seconds is a new stream.
        let gap = heard.timestamp.map_or(0, |last| timestamp.wrapping_sub(last).wrapping_sub(PACKET as u32));
        if gap < 80_000 {
            heard.samples.extend(std::iter::repeat_n(0, gap as usize));
        }
        heard.timestamp = Some(timestamp);
        heard.samples.extend(payload.iter().map(|byte| of_mu_law(*byte)));
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

impl Ear {
    /// All that was heard until now.
    pub fn samples(&self) -> Vec<i16> {
        self.heard.lock().unwrap().samples.clone()
    }

    /// Waits until some sound came: the line stands.
    #[track_caller]
    pub fn wait_sound(&self) -> SocketAddr {
        wait_until("sound comes", 15, || self.heard.lock().unwrap().from, Option::is_some).expect("an address")
    }

    /// Presses a key.
    #[track_caller]
    pub fn press(&self, key: char) {
        let to = self.wait_sound();
        match self.fingers {
            Fingers::Rfc4733 => self.press_event(key, to),
            Fingers::InBand => self.press_tone(key, to),
        }
        // The finger goes up: keys that follow each other faster than this are one to Asterisk.
        std::thread::sleep(Duration::from_millis(120));
        let (sequence, timestamp) = self.sent.get();
        self.sent.set((sequence, timestamp + 6 * PACKET as u32));
    }

    /// RFC 4733: the event again and again while the key is held, its end three times.
    fn press_event(&self, key: char, to: SocketAddr) {
        let event = "0123456789*#".find(key).expect("a key") as u8;
        let (_, timestamp) = self.sent.get();
        for step in 1..=HELD + 2 {
            let end = step >= HELD;
            let duration = (step.min(HELD) * PACKET) as u16;
            let [high, low] = duration.to_be_bytes();
            let payload = [event, if end { 0x8a } else { 0x0a }, high, low];
            self.send(to, KEYS, step == 1, timestamp, &payload);
            if !end {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        self.sent.set((self.sent.get().0, timestamp + (HELD * PACKET) as u32));
    }

    /// The two tones of the key (ITU-T Q.23), with silence around them as a telephone sends it.
    fn press_tone(&self, key: char, to: SocketAddr) {
        let at = "123A456B789C*0#D".find(key).expect("a key");
        let (low, high) = ([697.0, 770.0, 852.0, 941.0][at / 4], [1209.0, 1336.0, 1477.0, 1633.0][at % 4]);
        for packet in 0..24_usize {
            let sounds = (8..16).contains(&packet);
            let sample = |n: usize| {
                let t = (packet * PACKET + n) as f64 / 8000.0;
                if sounds { (5000.0 * ((TAU * low * t).sin() + (TAU * high * t).sin())) as i32 } else { 0 }
            };
            let payload: Vec<u8> = (0..PACKET).map(|n| mu_law(sample(n))).collect();
            let (_, timestamp) = self.sent.get();
            self.send(to, 0, packet == 0, timestamp, &payload);
            self.sent.set((self.sent.get().0, timestamp + PACKET as u32));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn send(&self, to: SocketAddr, kind: u8, marker: bool, timestamp: u32, payload: &[u8]) {
        let (sequence, stamp) = self.sent.get();
        self.sent.set((sequence.wrapping_add(1), stamp));
        let mut packet = vec![0x80, kind | if marker { 0x80 } else { 0 }];
        packet.extend(sequence.to_be_bytes());
        packet.extend(timestamp.to_be_bytes());
        packet.extend(0x7065_6172_u32.to_be_bytes());
        packet.extend(payload);
        self.socket.send_to(&packet, to).unwrap();
    }

    /// Waits until these shipped sounds (stems, Russian) were heard one after another, sample by sample, from this sample
    /// on. Gives the sample after the last.
    #[track_caller]
    pub fn wait_heard(&self, stems: &[String], from: usize, seconds: u64) -> usize {
        let sounds: Vec<(String, Vec<i16>)> = stems.iter().map(|stem| (stem.clone(), shipped(stem))).collect();
        self.wait_sounds(&sounds, from, seconds)
    }

    /// The same with sounds that were read with [`on_the_line`].
    #[track_caller]
    pub fn wait_sounds(&self, sounds: &[(String, Vec<i16>)], from: usize, seconds: u64) -> usize {
        let names: Vec<&str> = sounds.iter().map(|(name, _)| name.as_str()).collect();
        wait_for(&format!("{names:?} are heard"), seconds, || heard_in(&self.samples(), sounds, from))
    }

    /// Waits until a sound was heard from its first to its last sample somewhere after `from`; where it began.
    #[track_caller]
    pub fn began(&self, stem: &str, from: usize, seconds: u64) -> usize {
        self.wait_heard(&[stem.to_owned()], from, seconds) - shipped(stem).len()
    }
}

/// A shipped sound.
fn shipped(stem: &str) -> Vec<i16> {
    on_the_line(&repository().join(format!("sounds/ru/{stem}.wav")))
}

/// A sound as the line's codec leaves it.
#[track_caller]
pub fn on_the_line(path: &Path) -> Vec<i16> {
    let mut wav = hound::WavReader::open(path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()));
    let samples = wav.samples::<i16>().map(|sample| of_mu_law(mu_law(i32::from(sample.expect("a whole file")))));
    let mut samples: Vec<i16> = samples.collect();
    // The last packet of a file is sent in part or not at all: it is silence.
    samples.truncate(samples.len().saturating_sub(PACKET));
    samples
}

fn heard_in(samples: &[i16], sounds: &[(String, Vec<i16>)], from: usize) -> Result<usize, String> {
    let mut at = from;
    for (name, sound) in sounds {
        at = find(samples, sound, at).ok_or_else(|| {
            format!("{name} is not in {:.2} s of sound after {:.2} s", samples.len() as f64 / 8e3, at as f64 / 8e3)
        })? + sound.len();
    }
    Ok(at)
}

/// Where the sound begins.
fn find(samples: &[i16], sound: &[i16], from: usize) -> Option<usize> {
    // By its loudest part first: silence is everywhere.
    let loud = (0..sound.len()).max_by_key(|at| sound[*at].unsigned_abs())?.min(sound.len().saturating_sub(64));
    let same = |at: usize, n: usize| {
        samples.get(at + n).is_some_and(|heard| {
            (i32::from(*heard) - i32::from(sound[n])).abs() <= FINE + i32::from(sound[n].unsigned_abs()) / 12
        })
    };
    (from..samples.len().saturating_sub(sound.len()) + 1).find(|at| {
        (loud..loud + 64).all(|n| same(*at, n)) && {
            let good = (0..sound.len()).filter(|n| same(*at, *n)).count();
            // Nearly all: a prompt that was cut or spoilt is not heard.
            good * 100 >= sound.len() * 99
        }
    })
}
