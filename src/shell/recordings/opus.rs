//! Ogg Opus (RFC 6716, RFC 7845): a talk in an eighth of a WAV's size. Each side is a stream of its own, so that no word of
//! one is heard on the other; Opus's own stereo mixes them.

use std::collections::VecDeque;
use std::io::{self, Read, Seek, SeekFrom, Write};

use ogg::reading::{OggReadError, PacketReader};
use opus_pure::{Application, Error, OggOpusReader, OggOpusWriter, OpusDecoder, OpusEncoder, OpusHead, packet};

use crate::speech::wav::Frame;

/// Bits a second of one side: more than speech on a telephone line gains from.
const BITRATE: i32 = 16_000;
/// Half of the effort of 9 for a difference that is hard to hear.
const COMPLEXITY: i32 = 5;
/// Packets a second.
const PACKETS: usize = 50;
/// More than any packet of one side takes.
const MOST_BYTES: usize = 1_500;
/// Counted in an Ogg, whatever the rate is.
const GRANULES: u64 = 48_000;
/// Reading begins so long before the moment that is wanted: the decoder needs 80 ms, and a page, from whose end time is
/// counted, holds 5.1 s of packets at most.
const RUN_UP: u64 = 6 * GRANULES;
/// The last page is in the last so many bytes: none is longer.
const LONGEST_PAGE: u64 = 66_000;
/// Of a packet (RFC 6716, 3.2.5).
const LONGEST_PACKET_MS: usize = 120;

fn wrong(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the Opus file is damaged: {}", what.into()))
}

fn of_codec(error: Error) -> io::Error {
    match error {
        Error::Io(cause) => cause,
        other => wrong(other.to_string()),
    }
}

fn of_ogg(error: OggReadError) -> io::Error {
    match error {
        OggReadError::ReadError(cause) => cause,
        other => wrong(other.to_string()),
    }
}

/// Writes stereo frames as Ogg Opus.
pub struct OpusWriter<W: Write> {
    ogg: OggOpusWriter<W>,
    sides: [(OpusEncoder, Vec<i16>); 2],
    /// Samples of a packet, and how many of the rate make one granule.
    packet: usize,
    granules: u64,
    frames: u64,
    /// The newest packet: only the last one knows how much of it counts.
    held: Vec<u8>,
    buffer: Vec<u8>,
}

impl<W: Write> OpusWriter<W> {
    /// Writes the headers.
    ///
    /// # Errors
    /// When the writer refuses, or Opus does not know the rate.
    pub fn new(writer: W, rate: u32) -> Result<OpusWriter<W>, Error> {
        let signed = i32::try_from(rate).map_err(|_| Error::InvalidArgument("the rate is too high"))?;
        let side = || {
            let mut encoder = OpusEncoder::new(signed, 1, Application::Voip)?;
            encoder.bitrate_bps = BITRATE;
            encoder.complexity = COMPLEXITY;
            Ok::<_, Error>((encoder, Vec::new()))
        };
        let sides = [side()?, side()?];
        let [(first, _), _] = &sides;
        let head = OpusHead {
            channel_count: 2,
            mapping_family: 1,
            stream_count: 2,
            coupled_count: 0,
            channel_mapping: vec![0, 1],
            ..OpusHead::for_encoder(first, rate)
        };
        let packet = rate as usize / PACKETS;
        let granules = GRANULES / u64::from(rate.max(1));
        let ogg = OggOpusWriter::new(writer, head)?;
        Ok(OpusWriter { ogg, sides, packet, granules, frames: 0, held: Vec::new(), buffer: vec![0; MOST_BYTES] })
    }

    /// The next frames, however many.
    ///
    /// # Errors
    /// When the writer refuses.
    pub fn feed(&mut self, frames: &[Frame]) -> Result<(), Error> {
        self.frames += frames.len() as u64;
        let [(_, left), (_, right)] = &mut self.sides;
        for [a, b, c, d] in frames {
            left.push(i16::from_le_bytes([*a, *b]));
            right.push(i16::from_le_bytes([*c, *d]));
        }
        self.encode()
    }

    /// All whole packets of what was fed.
    fn encode(&mut self) -> Result<(), Error> {
        while self.sides.iter().all(|(_, samples)| samples.len() >= self.packet) {
            let mut both = Vec::with_capacity(self.held.len());
            for (at, (encoder, samples)) in self.sides.iter_mut().enumerate() {
                let length = encoder.encode_s16(samples, self.packet, &mut self.buffer)?;
                samples.drain(..self.packet);
                let coded = self.buffer.get(..length).unwrap_or_default();
                if at == 0 { self_delimited(coded, &mut both)? } else { both.extend_from_slice(coded) }
            }
            let before = std::mem::replace(&mut self.held, both);
            if !before.is_empty() {
                self.ogg.write_packet_with_duration(&before, (self.packet as u64 * self.granules) as u32)?;
            }
        }
        Ok(())
    }

    /// Writes what is still in the encoders, and where the sound ends (RFC 7845, 4.4).
    ///
    /// # Errors
    /// When the writer refuses.
    pub fn finish(mut self) -> Result<(), Error> {
        let [(first, _), _] = &self.sides;
        let delay = first.lookahead() as u64;
        let whole = (self.frames + delay).next_multiple_of(self.packet as u64);
        let silence = usize::try_from(whole - self.frames).unwrap_or(0);
        for (_, samples) in &mut self.sides {
            samples.resize(samples.len() + silence, 0);
        }
        self.encode()?;
        let end = (self.frames + delay) * self.granules;
        let rest = end.saturating_sub(u64::try_from(self.ogg.granule()).unwrap_or(0));
        let last = std::mem::take(&mut self.held);
        if !last.is_empty() {
            self.ogg.write_packet_with_duration(&last, u32::try_from(rest).unwrap_or(0))?;
        }
        self.ogg.finish().map(drop)
    }
}

/// A packet of one frame with its length in it, so that another can follow (RFC 6716, appendix B).
fn self_delimited(coded: &[u8], to: &mut Vec<u8>) -> Result<(), Error> {
    let Some((toc, frame)) = coded.split_first().filter(|(toc, _)| **toc & 3 == 0) else {
        return Err(Error::Internal("a packet is not one frame"));
    };
    to.push(*toc);
    match u8::try_from(frame.len()) {
        Ok(short @ ..=251) => to.push(short),
        _ => {
            let rest = frame.len().saturating_sub(252);
            let (low, high) = (252 + (rest % 4), rest / 4);
            let byte = |value: usize| u8::try_from(value).map_err(|_| Error::Internal("a packet is too long"));
            to.extend([byte(low)?, byte(high)?]);
        }
    }
    to.extend_from_slice(frame);
    Ok(())
}

/// The packets of both sides.
fn sides(both: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (toc, rest) = both.split_first()?;
    if toc & 3 != 0 {
        return None;
    }
    let (low, rest) = rest.split_first()?;
    let (length, rest) = match low {
        ..=251 => (usize::from(*low), rest),
        252.. => {
            let (high, rest) = rest.split_first()?;
            (usize::from(*low) + 4 * usize::from(*high), rest)
        }
    };
    let (frame, right) = rest.split_at_checked(length)?;
    Some(([&[*toc], frame].concat(), right))
}

/// The samples of an Ogg Opus of ours, as bytes, from any place.
pub struct OpusSamples<R: Read + Seek> {
    packets: PacketReader<R>,
    decoders: [OpusDecoder; 2],
    /// Samples a second, those of one granule, and those of the encoder's delay.
    rate: u32,
    granules: u64,
    delay: u64,
    /// Frames of the whole.
    frames: u64,
    /// Of the page that was sought.
    waiting: VecDeque<Vec<u8>>,
    /// The frame, counted with the delay, with which the next packet begins.
    next: u64,
    /// Decoded, and not yet read.
    ready: VecDeque<u8>,
    /// Bytes to the place that was sought.
    skip: u64,
}

impl<R: Read + Seek> OpusSamples<R> {
    /// Reads the headers and finds the end.
    ///
    /// # Errors
    /// When it is no Ogg Opus that the archive wrote.
    pub fn new(mut sound: R) -> io::Result<OpusSamples<R>> {
        let end = last_granule(&mut sound)?;
        sound.seek(SeekFrom::Start(0))?;
        let reader = OggOpusReader::new(sound).map_err(of_codec)?;
        let head = reader.head().clone();
        let streams = (head.channel_count, head.stream_count, head.coupled_count, head.channel_mapping.as_slice());
        if streams != (2, 2, 0, &[0, 1]) {
            return Err(wrong("it has not two sides that lie apart"));
        }
        let rate = head.input_sample_rate;
        let decoder = || OpusDecoder::new(i32::try_from(rate).unwrap_or(0), 1).map_err(of_codec);
        let decoders = [decoder()?, decoder()?];
        let granules = GRANULES / u64::from(rate.max(1));
        let frames =
            end.checked_sub(u64::from(head.pre_skip)).ok_or_else(|| wrong("it ends before it begins"))? / granules;
        let mut samples = OpusSamples {
            packets: PacketReader::new(reader.into_inner()),
            decoders,
            rate,
            granules,
            delay: u64::from(head.pre_skip) / granules,
            frames,
            waiting: VecDeque::new(),
            next: 0,
            ready: VecDeque::new(),
            skip: 0,
        };
        samples.go_to(0)?;
        Ok(samples)
    }

    /// Samples a second.
    #[must_use]
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Frames of the whole.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames
    }

    fn go_to(&mut self, frame: u64) -> io::Result<()> {
        self.ready.clear();
        self.waiting.clear();
        for decoder in &mut self.decoders {
            decoder.reset_state().map_err(of_codec)?;
        }
        let wanted = frame + self.delay;
        let goal = wanted.saturating_mul(self.granules).saturating_sub(RUN_UP);
        if goal == 0 || !self.begin_with_page(goal)? {
            self.packets.seek_bytes(SeekFrom::Start(0))?;
            for _ in ["OpusHead", "OpusTags"] {
                self.packets.read_packet_expected().map_err(of_ogg)?;
            }
            self.waiting.clear();
            self.next = 0;
        }
        self.skip = wanted.saturating_sub(self.next) * 4;
        Ok(())
    }

    /// Begins with the page in which this granule is; false where that does not tell when it begins.
    fn begin_with_page(&mut self, granule: u64) -> io::Result<bool> {
        if !self.packets.seek_absgp(None, granule).map_err(of_ogg)? {
            return Ok(false);
        }
        let mut long = 0;
        loop {
            let packet = self.packets.read_packet_expected().map_err(of_ogg)?;
            if packet.data.starts_with(b"Opus") {
                // A header: the sound's first page is the one.
                return Ok(false);
            }
            long += samples_48k(&packet.data)?;
            let (last, ends) = (packet.last_in_page(), packet.last_in_stream());
            let end = packet.absgp_page();
            self.waiting.push_back(packet.data);
            if ends {
                return Ok(false);
            }
            if last {
                let begins = end.checked_sub(long).ok_or_else(|| wrong("a page has a wrong time"))?;
                self.next = begins / self.granules;
                return Ok(begins <= granule);
            }
        }
    }

    /// Decodes the next packet; false at the end.
    fn decode(&mut self) -> io::Result<bool> {
        let packet = match self.waiting.pop_front() {
            Some(packet) => packet,
            None => match self.packets.read_packet().map_err(of_ogg)? {
                Some(packet) => packet.data,
                None => return Ok(false),
            },
        };
        let (left, right) = sides(&packet).ok_or_else(|| wrong("a packet has not two sides"))?;
        let most = self.rate as usize * LONGEST_PACKET_MS / 1_000;
        let mut sound = [vec![0_i16; most], vec![0_i16; most]];
        let mut frames = most;
        for ((decoder, coded), samples) in self.decoders.iter_mut().zip([left.as_slice(), right]).zip(&mut sound) {
            frames = frames.min(decoder.decode_s16(coded, most, samples).map_err(of_codec)?);
        }
        let [left, right] = &sound;
        // What follows the end is the encoder's own.
        let left_over = (self.frames + self.delay).saturating_sub(self.next);
        let count = frames.min(usize::try_from(left_over).unwrap_or(usize::MAX));
        for (left, right) in left.iter().zip(right).take(count) {
            self.ready.extend(left.to_le_bytes());
            self.ready.extend(right.to_le_bytes());
        }
        self.next += frames as u64;
        Ok(true)
    }
}

fn samples_48k(packet: &[u8]) -> io::Result<u64> {
    packet::samples_48k(packet).map(|samples| samples as u64).map_err(of_codec)
}

/// Where the sound ends: the time of the last page, which the file must end with.
fn last_granule(sound: &mut (impl Read + Seek)) -> io::Result<u64> {
    let length = sound.seek(SeekFrom::End(0))?;
    sound.seek(SeekFrom::Start(length.saturating_sub(LONGEST_PAGE)))?;
    let mut tail = Vec::new();
    sound.by_ref().take(LONGEST_PAGE).read_to_end(&mut tail)?;
    // A page (RFC 3533, 6): "OggS", version, flags, granule, serial, number, checksum, how many segments, their lengths.
    let granule = |at: usize| {
        let page = tail.get(at..)?;
        let header = page.first_chunk::<27>()?;
        let lengths = page.get(27..27 + usize::from(header[26]))?;
        let whole = 27 + lengths.len() + lengths.iter().map(|length| usize::from(*length)).sum::<usize>();
        let granule = u64::from_le_bytes(*header[6..].first_chunk()?);
        (header.starts_with(b"OggS\0") && header[5] & 4 != 0 && whole == page.len()).then_some(granule)
    };
    (0..tail.len()).rev().find_map(granule).ok_or_else(|| wrong("its end is missing"))
}

impl<R: Read + Seek> Read for OpusSamples<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        loop {
            let passed = self.ready.len().min(usize::try_from(self.skip).unwrap_or(usize::MAX));
            self.ready.drain(..passed);
            self.skip -= passed as u64;
            if !self.ready.is_empty() || to.is_empty() {
                return self.ready.read(to);
            }
            if !self.decode()? {
                return Ok(0);
            }
        }
    }
}

impl<R: Read + Seek> Seek for OpusSamples<R> {
    /// From the beginning alone.
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let SeekFrom::Start(place) = to else {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "Opus is sought in from its beginning"));
        };
        self.go_to(place / 4)?;
        self.skip += place % 4;
        Ok(place)
    }
}
