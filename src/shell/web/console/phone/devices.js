// The microphone, opened once for a shift, and the devices that can be chosen.

import { signal } from '../vendor/preact.js';
import { setting, keepSetting } from '../store/kept.js';

/// 'unknown', 'ok', 'denied' (the browser forbids it), 'missing' (there is none) or 'insecure' (not https).
export const microphone = signal('unknown');
/// `[{kind, id, label}]`.
export const devices = signal([]);

let stream = null;

/// What to ask the browser for: first the chosen device, then any.
function wanted() {
  const clean = setting('voice_processing', true);
  const chosen = setting('microphone', '');
  const audio = { echoCancellation: clean, noiseSuppression: clean, autoGainControl: clean };
  return [...(chosen ? [{ ...audio, deviceId: { exact: chosen } }] : []), audio];
}

/// The chosen one; where that is unplugged, the usual one.
async function take() {
  const ways = wanted();
  for (const [at, audio] of ways.entries()) {
    try {
      return await navigator.mediaDevices.getUserMedia({ audio, video: false });
    } catch (cause) {
      const gone = cause.name === 'OverconstrainedError' || cause.name === 'NotFoundError';
      if (!gone || at + 1 === ways.length) throw cause;
    }
  }
  return null;
}

const alive = () => stream && stream.getAudioTracks().some((track) => track.readyState === 'live');

/// The microphone; throws where there is none, and `microphone` says why.
export async function open() {
  if (alive()) return stream;
  if (!navigator.mediaDevices) {
    microphone.value = 'insecure';
    throw new Error('insecure');
  }
  try {
    stream = await take();
  } catch (cause) {
    microphone.value = cause.name === 'NotAllowedError' || cause.name === 'SecurityError' ? 'denied' : 'missing';
    throw cause;
  }
  for (const track of stream.getAudioTracks()) {
    track.addEventListener('ended', () => {
      if (stream && stream.getTracks().includes(track)) microphone.value = 'missing';
    });
  }
  microphone.value = 'ok';
  await list();
  return stream;
}

export function close() {
  if (stream) for (const track of stream.getTracks()) track.stop();
  stream = null;
}

export async function list() {
  if (!navigator.mediaDevices) return;
  const all = await navigator.mediaDevices.enumerateDevices();
  devices.value = all
    .filter((device) => device.kind !== 'videoinput' && device.deviceId)
    .map((device) => ({ kind: device.kind, id: device.deviceId, label: device.label }));
}

let onChoice = () => {};

/// Calls `act(what)` after a device was chosen: a talk goes on with the new one.
export function whenChosen(act) {
  onChoice = act;
}

/// Chooses a device: `microphone`, `voice_device` (headset) or `ring_device` (loudspeaker).
export async function choose(what, id) {
  keepSetting(what, id);
  if (what === 'microphone') {
    // The new one first: between the two the other side would hear nothing.
    const before = stream;
    stream = null;
    await open();
    await onChoice(what);
    if (before) for (const track of before.getTracks()) track.stop();
    return;
  }
  await onChoice(what);
}

if (navigator.mediaDevices) navigator.mediaDevices.addEventListener('devicechange', list);
