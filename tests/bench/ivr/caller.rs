//! A caller who listens: one call on sockets of its own, until the first sound.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::sip::{Dialog, Message, target};
use crate::world;

/// Somebody who hears nothing for so long hangs up.
const PATIENCE: Duration = Duration::from_secs(10);
const RESEND: Duration = Duration::from_millis(500);
/// RFC 3550, without the sources that contribute.
const RTP_HEADER: usize = 12;
const PACKET: Duration = Duration::from_millis(20);
/// Of a packet, at 8 kHz.
const SAMPLES: u32 = 160;
/// Zero in G.711 mu-law.
const SILENCE: u8 = 0xff;
/// Of 32,767: above the noise of G.711's smallest steps.
const AUDIBLE: i32 = 300;

static MADE: AtomicU32 = AtomicU32::new(0);

/// Rings this number and tells how long it took from the INVITE to the first packet in which something can be heard.
pub fn first_sound(dialled: &str, number: &str) -> Result<Duration, String> {
    let [sip, media] = [(); 2].map(|()| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port"));
    let here = sip.local_addr().expect("an address");
    let there = SocketAddr::from((Ipv4Addr::LOCALHOST, world::sip_port()));
    let id = format!("listener-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    let mut dialog = Dialog {
        call_id: id.clone(),
        local: format!("<sip:{number}@{here}>;tag={id}"),
        remote: format!("<sip:{dialled}@{there}>"),
        target: format!("sip:{dialled}@{there}"),
    };
    let contact = format!("<sip:{number}@{here}>");
    let sdp = format!(
        "v=0\r\no=phone 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {} RTP/AVP 0\r\n\
         a=rtpmap:0 PCMU/8000\r\n",
        media.local_addr().expect("an address").port()
    );
    let invite = dialog.request("INVITE", 1, here, &format!("{id}i"), Some(&contact), Some(&sdp));
    let mouth = media.try_clone().map_err(|cause| cause.to_string())?;
    let ears = std::thread::spawn(move || first_audible(&media));
    let began = Instant::now();
    let port = answered(&sip, there, &invite, &mut dialog)?;
    let ack = dialog.request("ACK", 1, here, &format!("{id}a"), None, None);
    send(&sip, there, &ack)?;
    breathe(&mouth, SocketAddr::from((Ipv4Addr::LOCALHOST, port)), || ears.is_finished());
    let heard = ears.join().map_err(|_| "the ears failed".to_owned())?;
    let bye = dialog.request("BYE", 2, here, &format!("{id}b"), None, None);
    send(&sip, there, &bye)?;
    heard.map(|at| at.duration_since(began)).ok_or_else(|| "answered, and no sound".to_owned())
}

fn send(sip: &UdpSocket, there: SocketAddr, text: &str) -> Result<(), String> {
    sip.send_to(text.as_bytes(), there).map(drop).map_err(|cause| cause.to_string())
}

/// Sends silence, a packet every 20 ms, as any telephone does: `Answer()` waits for half a second for a caller who sends
/// nothing.
fn breathe(mouth: &UdpSocket, to: SocketAddr, heard: impl Fn() -> bool) {
    let mut packet = [SILENCE; RTP_HEADER + SAMPLES as usize];
    packet[..RTP_HEADER].fill(0);
    packet[0] = 0x80;
    for sequence in 0_u16.. {
        packet[2..4].copy_from_slice(&sequence.to_be_bytes());
        packet[4..8].copy_from_slice(&(u32::from(sequence) * SAMPLES).to_be_bytes());
        // Asterisk may have closed its port: the ears tell.
        let _ = mouth.send_to(&packet, to);
        std::thread::sleep(PACKET);
        if heard() {
            return;
        }
    }
}

/// Sends the INVITE until it is answered with 200, and completes the dialog; Asterisk's port for the sound.
fn answered(sip: &UdpSocket, there: SocketAddr, invite: &str, dialog: &mut Dialog) -> Result<u16, String> {
    let deadline = Instant::now() + PATIENCE;
    let mut buffer = [0_u8; 65_536];
    let mut provisional = false;
    send(sip, there, invite)?;
    sip.set_read_timeout(Some(RESEND)).map_err(|cause| cause.to_string())?;
    while Instant::now() < deadline {
        let Ok(length) = sip.recv(&mut buffer) else {
            if !provisional {
                send(sip, there, invite)?;
            }
            continue;
        };
        let Some(message) = Message::read(&buffer[..length]) else { continue };
        match message.status() {
            Some(100..200) => provisional = true,
            Some(200..300) => {
                message.header("To").clone_into(&mut dialog.remote);
                target(message.header("Contact")).clone_into(&mut dialog.target);
                return Ok(message.media_port());
            }
            Some(status) => return Err(format!("refused with {status}")),
            None => {}
        }
    }
    Err("no answer".to_owned())
}

/// When the first packet came in which something can be heard.
fn first_audible(media: &UdpSocket) -> Option<Instant> {
    let deadline = Instant::now() + PATIENCE;
    let mut buffer = [0_u8; 2_048];
    loop {
        let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
        media.set_read_timeout(Some(left)).ok()?;
        let length = media.recv(&mut buffer).ok()?;
        let now = Instant::now();
        let sound = buffer[..length].get(RTP_HEADER..).unwrap_or_default();
        if sound.iter().any(|byte| linear(*byte).abs() > AUDIBLE) {
            return Some(now);
        }
    }
}

/// G.711 mu-law, ITU-T G.711 table 2a, on the scale of 16 bits.
fn linear(byte: u8) -> i32 {
    let byte = !byte;
    let magnitude = (((i32::from(byte & 0x0f) << 3) + 0x84) << (byte >> 4 & 7)) - 0x84;
    if byte & 0x80 == 0 { magnitude } else { -magnitude }
}
