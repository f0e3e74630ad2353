//! What was said while the recording was paused is silenced on its way into the archive: nothing of it ever lies there.

use std::ops::Range;
use std::time::Duration;

use crate::shell::store::pauses::{CallPauses, Pause};

/// Bytes of one sample of both sides.
const FRAME: u64 = 4;
/// Samples of a side in a millisecond.
const FRAMES_A_MS: u64 = 8;
/// Between the engine's clock and the recorder's lie some packets of 20 ms: rather too much is silenced than a digit too
/// little.
const MARGIN_MS: u64 = 40;

/// Silences stretches of a raw stereo stream as it passes.
#[derive(Debug, Default)]
pub(super) struct Silence {
    /// In bytes of the stream, in order, apart from each other.
    stretches: Vec<Range<u64>>,
    passed: u64,
}

impl Silence {
    /// Where the calls of this recording were paused. `length` is that of the stream in bytes.
    ///
    /// The recording holds what was said in the talks, one after another, so that a place in a call's talks is that place
    /// after the talks of the calls before it. Counted from the end it must be the same place; where the two differ (the
    /// recorder had no sound for a moment, or the caller talked while no engine was there) all between them is silenced.
    pub(super) fn new(calls: &[CallPauses], length: Option<u64>) -> Silence {
        let talked: Vec<u64> = calls.iter().map(|call| ms(call.talked.unwrap_or_default())).collect();
        let known = calls.iter().all(|call| call.talked.is_some());
        let total: u64 = talked.iter().sum();
        let length_ms = length.map(|bytes| bytes / FRAME / FRAMES_A_MS);
        let mut stretches: Vec<Range<u64>> = Vec::new();
        let mut before = 0;
        for (call, talked) in calls.iter().zip(&talked) {
            for (from, to) in &call.pauses {
                let (from, to) = (before + ms(*from), to.map(|to| before + ms(to)));
                let to = to.or(if known && before + talked < total { Some(before + talked) } else { None });
                let by_end = |place: u64| match length_ms.filter(|_| known) {
                    Some(length) => (place + length).saturating_sub(total),
                    None => place,
                };
                let from = from.min(by_end(from)).saturating_sub(MARGIN_MS);
                let to = to.map_or(u64::MAX, |to| (to.max(by_end(to)) + MARGIN_MS).saturating_mul(FRAMES_A_MS * FRAME));
                stretches.push(from.saturating_mul(FRAMES_A_MS * FRAME)..to.min(length.unwrap_or(u64::MAX)));
            }
            before += talked;
        }
        stretches.sort_by_key(|stretch| stretch.start);
        let mut apart: Vec<Range<u64>> = Vec::new();
        for stretch in stretches.into_iter().filter(|stretch| stretch.start < stretch.end) {
            match apart.last_mut() {
                Some(last) if stretch.start <= last.end => last.end = last.end.max(stretch.end),
                Some(_) | None => apart.push(stretch),
            }
        }
        Silence { stretches: apart, passed: 0 }
    }

    /// Where that is in the recording.
    pub(super) fn pauses(&self) -> Vec<Pause> {
        let at = |bytes: u64| Duration::from_millis(bytes / FRAME / FRAMES_A_MS);
        self.stretches.iter().map(|stretch| Pause { from: at(stretch.start), to: at(stretch.end) }).collect()
    }

    /// The next bytes of the stream.
    pub(super) fn over(&mut self, piece: &mut [u8]) {
        let length = piece.len() as u64;
        for stretch in &self.stretches {
            let from = stretch.start.clamp(self.passed, self.passed + length) - self.passed;
            let to = stretch.end.clamp(self.passed, self.passed + length) - self.passed;
            // Both lie within the piece.
            if let Some(unkept) = piece.get_mut(from as usize..to as usize) {
                unkept.fill(0);
            }
        }
        self.passed += length;
    }
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = FRAME * FRAMES_A_MS;

    fn call(talked: u64, pauses: &[(u64, Option<u64>)]) -> CallPauses {
        let span = Duration::from_millis;
        let pauses = pauses.iter().map(|(from, to)| (span(*from), to.map(span))).collect();
        CallPauses { talked: Some(span(talked)), pauses }
    }

    fn silenced(calls: &[CallPauses], length_ms: u64) -> Vec<(u64, u64)> {
        let silence = Silence::new(calls, Some(length_ms * MS));
        silence.pauses().iter().map(|pause| (ms(pause.from), ms(pause.to))).collect()
    }

    #[test]
    fn a_pause_is_silenced_with_a_margin_and_an_open_one_to_the_end() {
        assert_eq!(silenced(&[call(9_000, &[(2_000, Some(3_000))])], 9_000), [(1_960, 3_040)]);
        assert_eq!(silenced(&[call(9_000, &[(20, Some(500)), (8_000, None)])], 9_000), [(0, 540), (7_960, 9_000)]);
        assert_eq!(silenced(&[call(9_000, &[(1_000, Some(2_000)), (2_050, Some(3_000))])], 9_000), [(960, 3_040)]);
        assert_eq!(silenced(&[], 9_000), []);
    }

    #[test]
    fn where_the_recording_is_shorter_or_longer_than_the_talk_all_that_it_may_be_is_silenced() {
        assert_eq!(silenced(&[call(9_000, &[(2_000, Some(3_000))])], 8_900), [(1_860, 3_040)]);
        assert_eq!(silenced(&[call(9_000, &[(2_000, Some(3_000))])], 9_100), [(1_960, 3_140)]);
        let unknown = CallPauses { talked: None, ..call(0, &[(2_000, None)]) };
        assert_eq!(silenced(&[unknown], 9_000), [(1_960, 9_000)]);
    }

    #[test]
    fn a_recording_of_two_calls_is_silenced_at_the_place_of_the_right_one() {
        let first = call(4_000, &[(3_000, None)]);
        let second = call(5_000, &[(1_000, Some(2_000))]);
        assert_eq!(silenced(&[first, second], 9_000), [(2_960, 4_040), (4_960, 6_040)]);
    }

    #[test]
    fn both_sides_are_silent_there_however_the_stream_is_cut_into_pieces() {
        let calls = [call(1_000, &[(300, Some(400)), (700, None)])];
        let expected: Vec<u8> = (0..1_000 * MS)
            .map(|at| if (260 * MS..440 * MS).contains(&at) || at >= 660 * MS { 0 } else { 7 })
            .collect();
        for size in [1, 3, 4_097, 100_000] {
            let mut stream = vec![7_u8; 1_000 * MS as usize];
            let mut silence = Silence::new(&calls, Some(1_000 * MS));
            stream.chunks_mut(size).for_each(|piece| silence.over(piece));
            assert!(stream == expected, "pieces of {size}");
        }
    }
}
