// Beside the sound of a recording: marks and comments at a moment, what was said, a link to share, the file to take away.

import { html, useEffect, useState } from '../vendor/preact.js';
import { get, patch, post, remove } from '../api.js';
import { t, word, dateTime, span } from '../i18n.js';
import { isSupervisor, me } from '../store/office.js';
import { attempt, Dialog, FormDialog } from './dialog.js';
import { Hold } from './keeping.js';

const HOURS = [1, 24, 72, 168, 720];
/// A new line of the transcript after so long a silence.
const NEW_LINE_MS = 1500;

export function Listening({ id, at, length, seek, marks, setMarks, setPauses }) {
  const [kinds, setKinds] = useState([]);
  const [open, setOpen] = useState(null);
  const read = () => get(`/recordings/${id}/marks`).then((answer) => (setMarks(answer.items), setKinds(answer.kinds)));
  useEffect(() => {
    read().catch(() => {});
    get(`/recordings/${id}`).then((one) => setPauses(one.pauses || [])).catch(() => {});
  }, [id]);
  const close = () => setOpen(null);
  const form = (mark) => [
    { name: 'kind', label: t('mark.kind'), kind: 'select', value: kinds.includes(mark.kind) ? mark.kind : '', options: [...kinds.map((one) => [one, word('mark', one)]), ['', t('mark.own')]] },
    { name: 'label', label: t('mark.label'), value: kinds.includes(mark.kind) ? '' : mark.kind, longest: 40, needs: (values) => !values.kind },
    { name: 'text', label: t('mark.text'), kind: 'text-long', value: mark.text, longest: 2000 },
  ];
  const words = (values) => ({ kind: values.kind || values.label, text: values.text });
  return html`<div class="listening">
    <div class="buttons">
      <button type="button" onClick=${() => setOpen({ at_ms: Math.round(at), kind: 'note', text: '' })}>${t('mark.add', { at: span(at) })}</button>
      ${isSupervisor.value && html`<button type="button" onClick=${() => setOpen('share')}>${t('share.title')}</button> <${Hold} id=${id} />`}
      ${me.value && me.value.downloads && html`<a class="button" href=${`/api/v1/recordings/${id}/download`} download>${t('record.download')}</a>`}
    </div>
    ${marks.length > 0 && html`<ul class="marks" aria-label=${t('mark.list')}>${marks.map((mark) => html`<li key=${mark.id}>
      <button type="button" class="quiet clock" onClick=${() => seek(mark.at_ms)} aria-label=${t('mark.go', { at: span(mark.at_ms) })}>${span(mark.at_ms)}</button>
      <span class="badge">${word('mark', mark.kind)}</span><span class="grow">${mark.text}</span><span class="dim">${mark.author}</span>
      ${mark.own && html`<button type="button" class="quiet" onClick=${() => setOpen(mark)}>${t('mark.edit')}</button>`}
      ${(mark.own || isSupervisor.value) && html`<button type="button" class="quiet" aria-label=${t('mark.remove', { at: span(mark.at_ms) })} onClick=${() => attempt(() => remove(`/recordings/${id}/marks/${mark.id}`).then(read))}>×</button>`}
    </li>`)}</ul>`}
    <${Said} id=${id} at=${at} seek=${seek} />
    ${open && open !== 'share' && html`<${FormDialog} title=${open.id ? t('mark.edit') : t('mark.add', { at: span(open.at_ms) })} close=${close} fields=${form(open)}
      send=${(values) => (open.id ? patch(`/recordings/${id}/marks/${open.id}`, words(values)) : post(`/recordings/${id}/marks`, { at_ms: Math.min(open.at_ms, Math.round(length)), ...words(values) })).then(read)} />`}
    ${open === 'share' && html`<${Shares} id=${id} close=${close} />`}
  </div>`;
}

/// What was said: follows the sound, and a click on a word seeks.
function Said({ id, at, seek }) {
  const [words, setWords] = useState([]);
  useEffect(() => {
    get(`/recordings/${id}/transcript`).then((answer) => setWords(answer.words)).catch(() => {});
  }, [id]);
  if (!words.length) return '';
  const lines = [];
  for (const one of words) {
    const line = lines[lines.length - 1];
    const last = line && line.words[line.words.length - 1];
    if (line && line.channel === one.channel && one.from_ms - last.to_ms < NEW_LINE_MS) line.words.push(one);
    else lines.push({ channel: one.channel, words: [one] });
  }
  const isNow = (one) => at >= one.from_ms && at < one.to_ms;
  return html`<div class="said" role="group" aria-label=${t('said.title')}>${lines.map((line) => html`<p key=${`${line.words[0].from_ms}-${line.channel}`}>
    <span class=${line.channel ? 'who agent' : 'who caller'}>${t(line.channel ? 'record.right' : 'record.left')}</span>
    ${line.words.map((one) => html`<button type="button" key=${one.from_ms} class=${isNow(one) ? 'word now' : 'word'} aria-current=${isNow(one) ? 'true' : undefined} onClick=${() => seek(one.from_ms)}>${one.text}</button>`)}
  </p>`)}</div>`;
}

/// Links that play without a log-in: made, listed, taken back.
function Shares({ id, close }) {
  const [list, setList] = useState([]);
  const [made, setMade] = useState('');
  const [hours, setHours] = useState(72);
  const [reason, setReason] = useState('');
  const read = () => get(`/recordings/${id}/shares`).then((answer) => setList(answer.items));
  useEffect(() => {
    attempt(read);
  }, [id]);
  const make = (event) => {
    event.preventDefault();
    attempt(() => post(`/recordings/${id}/share`, { expires_in_h: Number(hours), reason }).then((answer) => (setMade(`${location.origin}${answer.path}`), read())));
  };
  return html`<${Dialog} title=${t('share.title')} close=${close} wide=${true}><form class="fields" onSubmit=${make}>
    <p class="note">${t('share.note')}</p>
    <label class="field"><span>${t('share.ends_in')}</span><select name="hours" value=${hours} onChange=${(event) => setHours(event.target.value)}>
      ${HOURS.map((one) => html`<option value=${one} selected=${one === Number(hours)}>${one < 24 ? t('share.hours', { count: one }) : t('share.days', { count: one / 24 })}</option>`)}</select></label>
    <label class="field"><span>${t('reason')}</span><input name="reason" value=${reason} maxlength="500" onInput=${(event) => setReason(event.target.value)} /></label>
    <footer><button type="submit" class="main">${t('share.make')}</button></footer>
    ${made && html`<label class="field"><span>${t('share.link')}</span><input name="link" readonly value=${made} onFocus=${(event) => event.target.select()} /></label>
      <button type="button" onClick=${() => attempt(() => navigator.clipboard.writeText(made), t('share.copied'))}>${t('share.copy')}</button>`}
    ${list.length > 0 && html`<ul class="marks" aria-label=${t('share.list')}>${list.map((one) => html`<li key=${one.id}>
      <span class=${`badge ${one.works ? 'good' : 'dim'}`}>${t(one.works ? 'share.works' : 'share.ended')}</span>
      <span class="grow">${t('share.until', { at: dateTime(one.revoked_at || one.expires_at) })} ${one.reason} <span class="dim">${one.author}</span></span>
      <span class="dim">${t('share.opened', { count: one.opened })}</span>
      ${one.works && html`<button type="button" class="quiet" onClick=${() => attempt(() => remove(`/recordings/${id}/shares/${one.id}`).then(read))}>${t('share.revoke')}</button>`}
    </li>`)}</ul>`}
  </form><//>`;
}
