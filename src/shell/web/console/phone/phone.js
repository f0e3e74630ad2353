// The telephone in the browser: JsSIP over our own WebSocket. It registers while this tab is the one that holds the
// phone, rings, answers and keeps a talk over a lost connection. Hold and transfer are the engine's business (api.js),
// so they work the same with a desk phone.

import { signal, computed } from '../vendor/preact.js';
import * as devices from './devices.js';
import * as sound from './sound.js';
import { post } from '../api.js';
import { setting } from '../store/kept.js';

/// 'off' (another kind of phone), 'elsewhere' (another tab holds it), 'starting', 'ready', 'lost', 'refused'.
export const state = signal('off');
/// The talk: `{stage: 'ringing' | 'answering' | 'talking', call, muted, silent}` or null.
export const talk = signal(null);
export const busy = computed(() => talk.value !== null);

const LOCK = 'perezvon.phone';
const REJOIN = 'perezvon.rejoin';
const REJOIN_MS = 20000;
const HEARTBEAT_MS = 5000;
const HEARTBEAT_ANSWER_MS = 3000;
const MEDIA = { iceServers: [], bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' };
/// Q.850 "destination out of order": the page went away, not the person.
const PAGE_GONE = 'Reason: Q.850;cause=27;text="page unloaded"';

let account = null;
let agent = null;
let socket = null;
let session = null;
let speaker = null;
let heartbeat = 0;
let dropped = false;
let release = null;

/// Begins to be the phone of this account: `{endpoint, password, socket}`.
export async function start(mine) {
  account = mine;
  if (release || agent) return;
  await hold(false);
}

/// Takes the phone over from another tab.
export async function takeOver() {
  await hold(true);
}

/// Is no phone any more.
export function stop() {
  account = null;
  shut();
  if (release) release();
  release = null;
  state.value = 'off';
}

// ---- one tab at a time

async function hold(steal) {
  if (!navigator.locks) {
    await register();
    return;
  }
  if (!steal) {
    const held = (await navigator.locks.query()).held.some((lock) => lock.name === LOCK);
    if (held) state.value = 'elsewhere';
  }
  const options = steal ? { steal: true } : {};
  navigator.locks
    .request(LOCK, options, () => {
      // Held until released: the promise is settled when this tab gives the phone up.
      const held = new Promise((done) => {
        release = done;
      });
      if (account) register();
      return held;
    })
    .catch(() => {
      // Another tab took it.
      shut();
      release = null;
      if (account) {
        state.value = 'elsewhere';
        hold(false);
      }
    });
}

// ---- registration

async function register() {
  state.value = 'starting';
  const [{ default: JsSIP }] = await Promise.all([import('../vendor/jssip.js'), microphoneOpens()]);
  if (!account || agent) return;
  // JsSIP notices a dead line after 84 s only: with `kill` the heartbeat can tell it.
  class Line extends JsSIP.WebSocketInterface {
    kill() {
      super.disconnect();
      if (this.ondisconnect) this.ondisconnect(true, 1006, 'no answer to the heartbeat');
    }
  }
  socket = new Line(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${account.socket}`);
  const own = new JsSIP.UA({
    sockets: [socket],
    uri: `sip:${account.endpoint}@${location.hostname.includes(':') ? 'perezvon.invalid' : location.hostname}`,
    password: account.password,
    register_expires: 60,
    session_timers: false,
    connection_recovery_min_interval: 1,
    connection_recovery_max_interval: 4,
    user_agent: 'Perezvon console',
  });
  agent = own;
  // What a phone says that was given up is of no more interest.
  const hear = (name, act) => own.on(name, (event) => agent === own && act(event));
  hear('registered', registered);
  hear('unregistered', () => {
    state.value = 'lost';
  });
  hear('registrationFailed', (event) => {
    state.value = event.response && [401, 403, 404].includes(event.response.status_code) ? 'refused' : 'lost';
    setTimeout(() => agent === own && own.isConnected() && !own.isRegistered() && own.register(), 2000);
  });
  hear('disconnected', () => {
    dropped = true;
    state.value = 'lost';
  });
  hear('newRTCSession', incoming);
  own.start();
  heartbeat = setInterval(beat, HEARTBEAT_MS);
}

/// Waits for a microphone: a phone without one would take calls that nobody can answer.
async function microphoneOpens() {
  for (;;) {
    try {
      return await devices.open();
    } catch {
      if (!account) throw new Error('given up');
      state.value = 'refused';
      await new Promise((again) => {
        setTimeout(again, 3000);
        if (navigator.mediaDevices) navigator.mediaDevices.addEventListener('devicechange', again, { once: true });
      });
    }
  }
}

function registered() {
  if (state.value !== 'ready') here();
  state.value = 'ready';
  // After a lost connection Asterisk still aims at the dead one: a request inside the call shows it the way.
  if (dropped && session && session.isEstablished()) session.renegotiate({ useUpdate: true });
  dropped = false;
}

/// Whoever was kept for this phone while its page was loaded anew is put through now.
const here = () => post('/me/phone/here').catch(() => {});

function beat() {
  if (!agent || !agent.isConnected()) return;
  let answered = false;
  const heard = () => {
    answered = true;
  };
  agent.sendOptions(`sip:ping@${location.hostname}`, null, {
    eventHandlers: { succeeded: heard, failed: (event) => event.originator === 'remote' && heard() },
  });
  setTimeout(() => {
    if (!answered && agent && agent.isConnected()) socket.kill();
  }, HEARTBEAT_ANSWER_MS);
}

function shut() {
  clearInterval(heartbeat);
  sound.ringOff();
  if (agent) {
    const old = agent;
    agent = null;
    old.stop();
  }
  devices.close();
  session = null;
  talk.value = null;
}

// ---- a call

function incoming({ originator, session: offered, request }) {
  if (originator !== 'remote') return;
  if (session) {
    offered.terminate({ status_code: 486 });
    return;
  }
  session = offered;
  const call = request.getHeader('X-Call-Id') || '';
  talk.value = { stage: 'ringing', call, muted: false, silent: false };
  offered.on('confirmed', () => change({ stage: 'talking' }));
  offered.on('ended', over);
  offered.on('failed', over);
  // The first way is enough: others are found out by the connection itself, and waiting for all costs 100 ms.
  offered.on('icecandidate', (event) => event.ready());
  offered.on('peerconnection', ({ peerconnection }) => hearken(peerconnection, offered));
  sound.ringOn();
  if (rejoins(call)) answer();
  else if (setting('auto_answer', false)) sound.beep().then(answer);
}

function change(what) {
  if (talk.value) talk.value = { ...talk.value, ...what };
}

function over() {
  sound.ringOff();
  session = null;
  talk.value = null;
  if (speaker) speaker.srcObject = null;
}

/// Takes the call.
export async function answer() {
  const own = session;
  if (!own || !talk.value || talk.value.stage !== 'ringing') return;
  change({ stage: 'answering' });
  sound.ringOff();
  const options = { mediaConstraints: { audio: true, video: false }, pcConfig: MEDIA };
  try {
    options.mediaStream = await devices.open();
  } catch {
    // JsSIP asks once more and refuses the call if there is none.
  }
  if (session === own) own.answer(options);
}

/// Puts down, or refuses what rings.
export function hangUp() {
  if (session) session.terminate(session.isEstablished() ? {} : { status_code: 603 });
}

export function toggleMute() {
  if (!session || !session.isEstablished()) return;
  const muted = session.isMuted().audio;
  if (muted) session.unmute();
  else session.mute();
  change({ muted: !muted });
}

/// Sends a key.
export function key(digit) {
  if (session && session.isEstablished()) session.sendDTMF(digit, { transportType: 'RFC2833' });
}

// Another device in the middle of a talk.
devices.whenChosen(async (what) => {
  if (what === 'voice_device' && speaker && speaker.setSinkId) await speaker.setSinkId(setting('voice_device', '')).catch(() => {});
  if (what !== 'microphone' || !session || !session.isEstablished()) return;
  const [track] = (await devices.open()).getAudioTracks();
  track.enabled = !session.isMuted().audio;
  for (const sender of session.connection.getSenders()) if (sender.track && sender.track.kind === 'audio') await sender.replaceTrack(track);
});

/// Plays what comes, and watches that something comes.
function hearken(connection, own) {
  connection.addEventListener('track', (event) => {
    speaker ||= new Audio();
    speaker.srcObject = event.streams[0] || new MediaStream([event.track]);
    const device = setting('voice_device', '');
    if (device && speaker.setSinkId) speaker.setSinkId(device).catch(() => {});
    speaker.play().catch(() => {});
  });
  connection.addEventListener('iceconnectionstatechange', () => {
    if (connection.iceConnectionState === 'failed' && session === own && own.isEstablished()) {
      own.renegotiate({ rtcOfferConstraints: { iceRestart: true } });
    }
  });
  let packets = 0;
  let still = 0;
  const watch = setInterval(async () => {
    if (session !== own) {
      clearInterval(watch);
      return;
    }
    let came = 0;
    for (const report of (await connection.getStats()).values()) {
      if (report.type === 'inbound-rtp') came += report.packetsReceived;
    }
    still = came === packets && own.isEstablished() ? still + 1 : 0;
    packets = came;
    if (talk.value && talk.value.silent !== still >= 3) change({ silent: still >= 3 });
  }, 1000);
}

// ---- a reload in a call

function rejoins(call) {
  try {
    const kept = JSON.parse(sessionStorage.getItem(REJOIN));
    sessionStorage.removeItem(REJOIN);
    return !!kept && kept.call === call && Date.now() - kept.at < REJOIN_MS;
  } catch {
    return false;
  }
}

// The page goes away: the caller is not hung up on but kept for this phone, which comes back in a moment.
addEventListener('pagehide', () => {
  if (!agent) return;
  if (session) {
    if (session.isEstablished()) {
      sessionStorage.setItem(REJOIN, JSON.stringify({ call: talk.value ? talk.value.call : '', at: Date.now() }));
      session.terminate({ extraHeaders: [PAGE_GONE] });
    } else {
      // 502 is how SIP says the same before the answer.
      session.terminate({ status_code: 502 });
    }
  }
  agent.unregister();
});
