// A recording: fetched when somebody wants to hear it. The wave with both voices is the slider: clicks and keys seek.
// Speed, skipping of silence, either side alone; marks and what was said below. Each hearing stands in the audit.

import { html, useCallback, useEffect, useRef, useState } from '../vendor/preact.js';
import { get } from '../api.js';
import { t, span } from '../i18n.js';
import { drawWave, silences } from './wave.js';
import { mixer, SIDES } from './sides.js';

const SPEEDS = [0.75, 1, 1.25, 1.5, 1.75, 2];
/// What is skipped ends so long before somebody speaks.
const BEFORE_SPEECH_MS = 250;

/// A button; the player when it is pressed. `more` is drawn below it, with the player's handle.
export function Player({ id }) {
  const [open, setOpen] = useState(false);
  const [More, setMore] = useState(null);
  useEffect(() => {
    if (open) import('./listening.js').then((module) => setMore(() => module.Listening), () => {});
  }, [open]);
  if (!open) return html`<button type="button" class="quiet" onClick=${() => setOpen(true)}>▶ ${t('record.play')}</button>`;
  return html`<${Sound} base=${`/api/v1/recordings/${id}`} begin=${true} more=${More && ((handle) => html`<${More} id=${id} ...${handle} />`)} />`;
}

/// `base` is where `/audio` and `/peaks` are.
export function Sound({ base, begin, more }) {
  const sound = useRef(null);
  const mix = useRef(null);
  const [peaks, setPeaks] = useState(null);
  const [now, setNow] = useState({ at: 0, playing: false, length: 0, failed: false });
  const [speed, setSpeed] = useState(1);
  const [skip, setSkip] = useState(false);
  const [side, setSide] = useState('both');
  const [marks, setMarks] = useState([]);
  const [pauses, setPauses] = useState([]);
  const length = now.length || (peaks ? peaks.duration_ms : 0);
  useEffect(() => {
    let there = true;
    const read = base.startsWith('/api/v1') ? get(`${base.slice(7)}/peaks`) : fetch(`${base}/peaks`).then((answer) => (answer.ok ? answer.json() : null));
    read.then((picture) => there && setPeaks(picture)).catch(() => {});
    return () => {
      there = false;
      if (mix.current) mix.current.close();
    };
  }, [base]);
  const seek = useCallback((ms) => {
    const element = sound.current;
    if (!element || !Number.isFinite(element.duration)) return;
    element.currentTime = Math.min(Math.max(0, ms / 1000), element.duration);
    tick();
  }, []);
  const quiet = useRef([]);
  quiet.current = skip && peaks ? silences(peaks) : [];
  const tick = () => {
    const element = sound.current;
    if (!element) return;
    const at = element.currentTime * 1000;
    const silence = !element.paused && quiet.current.find(([from, to]) => at >= from + BEFORE_SPEECH_MS && at < to - 2 * BEFORE_SPEECH_MS);
    if (silence) element.currentTime = (silence[1] - BEFORE_SPEECH_MS) / 1000;
    setNow((old) => ({ ...old, at, playing: !element.paused, length: Number.isFinite(element.duration) ? element.duration * 1000 : old.length }));
  };
  // Ten times a second while it plays: the browser itself tells four.
  useEffect(() => {
    if (!now.playing) return undefined;
    const clock = setInterval(tick, 100);
    return () => clearInterval(clock);
  }, [now.playing]);
  useEffect(() => {
    if (sound.current) sound.current.playbackRate = speed;
  }, [speed]);
  const toggle = () => (sound.current.paused ? sound.current.play().catch(() => {}) : sound.current.pause());
  const hear = (way) => {
    if (!mix.current) mix.current = mixer(sound.current);
    mix.current.resume();
    mix.current.choose(way);
    setSide(way);
  };
  const handle = { at: now.at, length, seek, marks, setMarks, setPauses };
  return html`<div class="player">
    <audio ref=${sound} autoplay=${begin} preload="metadata" src=${`${base}/audio`} onTimeUpdate=${tick} onPlay=${tick} onPause=${tick} onEnded=${tick} onSeeked=${tick}
      onLoadedMetadata=${() => { sound.current.playbackRate = speed; tick(); }} onError=${() => setNow((old) => ({ ...old, failed: true }))}></audio>
    ${now.failed && html`<p class="trouble" role="alert">${t('record.unplayable')}</p>`}
    <${Wave} peaks=${peaks} at=${now.at} length=${length} marks=${marks} pauses=${pauses} seek=${seek} toggle=${toggle} />
    <div class="player-bar">
      <button type="button" class="play" aria-label=${t(now.playing ? 'record.pause' : 'record.play')} onClick=${toggle}>${now.playing ? '❚❚' : '▶'}</button>
      <span class="clock" aria-hidden="true">${span(now.at)} / ${span(length)}</span>
      <label class="short-field"><span>${t('record.speed')}</span><select name="speed" value=${speed} onChange=${(event) => setSpeed(Number(event.target.value))}>
        ${SPEEDS.map((one) => html`<option value=${one} selected=${one === speed}>${String(one).replace('.', ',')}×</option>`)}</select></label>
      <label class="short-field"><span>${t('record.sides')}</span><select name="sides" value=${side} onChange=${(event) => hear(event.target.value)}>
        ${SIDES.map((one) => html`<option value=${one} selected=${one === side}>${t(`record.sides.${one}`)}</option>`)}</select></label>
      <label class="check"><input type="checkbox" name="skip" checked=${skip} onChange=${(event) => setSkip(event.target.checked)} /> ${t('record.skip')}</label>
    </div>
    ${more && more(handle)}
  </div>`;
}

function Wave({ peaks, at, length, marks, pauses, seek, toggle }) {
  const picture = useRef(null);
  useEffect(() => {
    if (picture.current) drawWave(picture.current, { peaks, at, length, marks, pauses });
  });
  const click = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    seek(((event.clientX - box.left) / box.width) * length);
  };
  const keys = { ArrowLeft: at - 5000, ArrowDown: at - 5000, ArrowRight: at + 5000, ArrowUp: at + 5000, PageDown: at - 30000, PageUp: at + 30000, Home: 0, End: length };
  const press = (event) => {
    if (event.key === ' ' || event.key === 'Enter') toggle();
    else if (event.key in keys) seek(keys[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const told = pauses.length ? ` ${t('record.paused', { count: pauses.length })}` : '';
  return html`<div class="wave" role="slider" tabindex="0" aria-label=${t('record.place')} aria-valuemin="0" aria-valuemax=${Math.round(length / 1000)} aria-valuenow=${Math.round(at / 1000)}
      aria-valuetext=${`${t('record.of', { at: span(at), length: span(length) })}${told}`} onClick=${click} onKeyDown=${press}>
    <canvas ref=${picture} aria-hidden="true"></canvas>
  </div>`;
}
