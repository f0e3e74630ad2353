// For how long recordings are kept: a hold that nothing deletes, and what a client wishes for all the own talks.

import { html, useEffect, useState } from '../vendor/preact.js';
import { get, post, put, remove } from '../api.js';
import { t, dateTime } from '../i18n.js';
import { attempt, Dialog } from './dialog.js';

/// What stands at this address; null where nothing does.
const found = (path) => get(path).catch((cause) => {
  if (cause.status === 404) return null;
  throw cause;
});

/// A button that holds a recording against deletion, and lifts the hold.
export function Hold({ id }) {
  const [open, setOpen] = useState(false);
  return html`<button type="button" onClick=${() => setOpen(true)}>${t('hold.title')}</button>
    ${open && html`<${Holding} id=${id} close=${() => setOpen(false)} />`}`;
}

function Holding({ id, close }) {
  const at = `/recordings/${id}/hold`;
  const [hold, setHold] = useState(undefined);
  const [reason, setReason] = useState('');
  const read = () => found(at).then(setHold);
  useEffect(() => {
    attempt(read);
  }, [id]);
  const send = (event) => {
    event.preventDefault();
    attempt(() => post(at, { reason }).then(() => (setReason(''), read())), t('hold.done'));
  };
  return html`<${Dialog} title=${t('hold.title')} close=${close}><form class="fields" onSubmit=${send}>
    <p class="note">${t('hold.note')}</p>
    ${hold && html`<p class="held"><span class="badge warn">${t('hold.held')}</span> ${hold.reason} <span class="dim">${hold.by}, ${dateTime(hold.at)}</span></p>`}
    <label class="field"><span>${t('reason')}</span><input name="reason" required value=${reason} maxlength="500" onInput=${(event) => setReason(event.target.value)} /></label>
    <footer>
      ${hold && html`<button type="button" class="bad" onClick=${() => attempt(() => remove(at).then(read), t('hold.lifted'))}>${t('hold.lift')}</button>`}
      <button type="submit" class="main" disabled=${hold === undefined}>${t(hold ? 'hold.change' : 'hold.set')}</button>
    </footer>
  </form><//>`;
}

/// For how many days a client wants the own talks kept.
export function KeptDays({ id }) {
  const at = `/clients/${id}/recording-days`;
  const [wish, setWish] = useState(undefined);
  const [days, setDays] = useState('');
  const read = () => found(at).then((answer) => (setWish(answer), setDays(answer ? answer.days : '')));
  const send = (event) => {
    event.preventDefault();
    attempt(() => put(at, { days: Number(days) }).then(read), t('kept.done'));
  };
  return html`<details class="sheet inner kept" onToggle=${(event) => event.target.open && attempt(read)}><summary>${t('kept.title')}</summary>
    ${wish !== undefined && html`<form class="fields" onSubmit=${send}>
      <p class="note">${t('kept.note')}</p>
      ${wish && html`<p class="dim">${wish.by}, ${dateTime(wish.at)}</p>`}
      <label class="field"><span>${t('kept.days')}</span><input type="number" name="days" min="0" max="3650" required value=${days} onInput=${(event) => setDays(event.target.value)} /></label>
      <footer>
        ${wish && html`<button type="button" class="quiet" onClick=${() => attempt(() => remove(at).then(read), t('kept.forgotten'))}>${t('kept.forget')}</button>`}
        <button type="submit">${t('save')}</button>
      </footer>
    </form>`}
  </details>`;
}
