// What changes, as it changes: one WebSocket. First comes the whole picture, then numbered messages. After a gap (the
// connection was lost, a number was left out) the whole picture comes anew, so that there is no hole; whoever shows
// lists is told to read them again.

import { signal } from './vendor/preact.js';

/// 'connecting', 'live' or 'lost'.
export const state = signal('connecting');

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5000;
/// The engine says something every 15 seconds, but a browser does not show its pings: we ask for a sign by sending.
const listeners = new Set();
let socket = null;
let pause = FIRST_PAUSE_MS;
let timer = 0;
let wanted = false;
let expected = 1;
let onEnd = () => {};

/// Tells every message: `hear(message)`. Answers how to stop.
export function listen(hear) {
  listeners.add(hear);
  return () => listeners.delete(hear);
}

export function start(whenSessionEnds) {
  onEnd = whenSessionEnds;
  wanted = true;
  connect();
}

export function stop() {
  wanted = false;
  clearTimeout(timer);
  if (socket) socket.close();
  socket = null;
}

function connect() {
  clearTimeout(timer);
  if (!wanted) return;
  const own = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1/stream`);
  socket = own;
  expected = 1;
  own.onmessage = (event) => {
    const message = JSON.parse(event.data);
    if (message.seq !== expected) {
      // Something was lost on the way: the whole picture again.
      own.close();
      return;
    }
    expected += 1;
    if (message.type === 'snapshot') {
      state.value = 'live';
      pause = FIRST_PAUSE_MS;
    }
    for (const hear of listeners) hear(message);
  };
  own.onclose = (event) => {
    if (socket !== own) return;
    socket = null;
    state.value = 'lost';
    if (event.code === 4401) {
      wanted = false;
      onEnd();
      return;
    }
    if (wanted) timer = setTimeout(connect, pause * (0.75 + Math.random() / 2));
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  };
}

// A network that came back, a computer that woke up: no waiting for the next attempt. A connection that looks alive
// may be dead, so something is sent over it, which shows.
for (const event of ['online', 'pageshow', 'visibilitychange']) {
  addEventListener(event, () => {
    if (!wanted || document.hidden) return;
    if (!socket) connect();
    else if (socket.readyState === WebSocket.OPEN) socket.send('?');
  });
}
addEventListener('offline', () => socket && socket.close());
setInterval(() => {
  if (socket && socket.readyState === WebSocket.OPEN) socket.send('?');
}, 20000);
