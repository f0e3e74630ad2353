// Sounds of the console itself, made on the spot: the ring on the loudspeaker, the beep before a call is taken by
// itself, the tone that tries a device.

import { setting } from '../store/kept.js';

let context = null;
let ring = null;

function audio() {
  context ||= new AudioContext();
  // Without a gesture of the person a browser keeps silent; the log-in was one, and a microphone in use counts too.
  if (context.state === 'suspended') context.resume();
  return context;
}

async function through(sink) {
  const out = audio();
  if (out.setSinkId) {
    try {
      await out.setSinkId(sink || '');
    } catch {
      // The device is gone: the usual one.
      await out.setSinkId('');
    }
  }
  return out;
}

/// One tone of so many milliseconds from `at` (seconds of the context's clock).
function tone(out, hertz, at, ms, loud) {
  const source = new OscillatorNode(out, { frequency: hertz });
  const gain = new GainNode(out, { gain: 0 });
  const end = at + ms / 1000;
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(loud, at + 0.015);
  gain.gain.setValueAtTime(loud, end - 0.03);
  gain.gain.linearRampToValueAtTime(0, end);
  source.connect(gain).connect(out.destination);
  source.start(at);
  source.stop(end);
}

function once(out) {
  const loud = 0.25 * setting('ring_volume', 0.7);
  for (const [hertz, after] of [[880, 0], [1108, 0.18], [880, 0.36], [1108, 0.54]]) {
    tone(out, hertz, out.currentTime + after, 160, loud);
  }
}

/// Rings on the ring device until [`ringOff`].
export async function ringOn() {
  if (ring) return;
  ring = setInterval(() => context && once(context), 2400);
  once(await through(setting('ring_device', '')));
}

export function ringOff() {
  clearInterval(ring);
  ring = null;
}

/// Before a call that is taken by itself. Answers when it is over.
export async function beep() {
  const out = await through(setting('voice_device', ''));
  tone(out, 1000, out.currentTime, 220, 0.3);
  await new Promise((done) => setTimeout(done, 240));
}

/// Somebody is to see to something: two soft notes on the ring device.
export async function chime() {
  const out = await through(setting('ring_device', ''));
  [659, 880].forEach((hertz, at) => tone(out, hertz, out.currentTime + at * 0.16, 150, 0.2 * setting('ring_volume', 0.7)));
}

/// Something to hear on a device: three rising notes.
export async function tryDevice(sink) {
  const out = await through(sink);
  [523, 659, 784].forEach((hertz, at) => tone(out, hertz, out.currentTime + at * 0.25, 220, 0.25));
}
