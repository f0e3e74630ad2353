// The journal of calls, and one call with all that happened in it.

import { html, useState } from '../vendor/preact.js';
import { t, word, dateTime, dayTime, phone, span } from '../i18n.js';
import { usePages, useOne, Listing, Table, Trouble } from '../components/list.js';
import { Facts } from '../components/bits.js';
import { Dialog } from '../components/dialog.js';
import { Player } from '../components/player.js';
import { orderFor } from './orderform.js';

const OUTCOMES = ['', 'COMPLETECALLER', 'COMPLETEAGENT', 'ABANDON', 'INFORMED', 'AFTERHOURS', 'BLOCKED', 'ENDED', 'FALLBACK', 'UNHEARD', 'LOST'];

export default function Calls() {
  const [number, setNumber] = useState('');
  const [disposition, setDisposition] = useState('');
  const [open, setOpen] = useState(null);
  const pages = usePages('/calls', { number: number.replace(/\D/g, '').length >= 4 ? number : '', disposition }, { typed: true });
  return html`<section class="page">
    <header><h1>${t('view.calls')}</h1><div class="filters">
      <label class="field"><span>${t('call.number')}</span><input type="search" value=${number} onInput=${(event) => setNumber(event.target.value)} /></label>
      <label class="field"><span>${t('call.outcome')}</span><select value=${disposition} onChange=${(event) => setDisposition(event.target.value)}>
        ${OUTCOMES.map((one) => html`<option value=${one}>${one ? `${word('disposition', one)} (${one})` : t('all')}</option>`)}</select></label>
      <button type="button" class="quiet" onClick=${pages.reload}>${t('list.again')}</button>
    </div></header>
    <div class="sheet"><${Listing} pages=${pages} empty=${t('call.none')}>
      ${(calls) => html`<${Table} label=${t('view.calls')} rows=${calls} keyOf=${(call) => call.id} open=${(call) => setOpen(call.id)} marked=${(call) => call.disposition === 'ABANDON'} columns=${[
        { head: t('call.time'), cell: (call) => dayTime(call.arrived_at), cls: 'nowrap' },
        { head: t('call.number'), cell: (call) => html`${phone(call.number)}${call.outgoing ? html` <span class="badge">${t('call.outgoing')}</span>` : ''}`, cls: 'nowrap' },
        { head: t('call.agent'), cell: (call) => call.agent_name || '' },
        { head: t('call.queue'), cell: (call) => call.queue || '' },
        { head: t('call.waited'), cell: (call) => (call.waited_ms ? span(call.waited_ms) : ''), cls: 'num' },
        { head: t('call.talked'), cell: (call) => (call.talked_ms ? span(call.talked_ms) : ''), cls: 'num' },
        { head: t('call.outcome'), cell: (call) => word('disposition', call.disposition) },
        { head: '', cell: (call) => call.number && html`<button type="button" class="quiet" onClick=${() => orderFor({ phone: call.number })}>${t('call.order')}</button>` },
      ]} />`}
    <//></div>
    ${open && html`<${OneCall} id=${open} close=${() => setOpen(null)} />`}
  </section>`;
}

export function OneCall({ id, close }) {
  const read = useOne(`/calls/${id}`);
  const whole = read.value;
  const call = whole && (whole.call || whole.now);
  return html`<${Dialog} title=${t('call.details')} close=${close} wide=${true}><div class="fields">
    ${read.error && html`<${Trouble} error=${read.error} again=${read.reload} />`}
    ${!whole && !read.error && html`<p class="loading">${t('list.loading')}</p>`}
    ${call && html`
      <${Facts} of=${[
        [t('call.number'), phone(call.number)],
        [t('call.time'), dateTime(call.arrived_at)],
        [t('call.agent'), call.agent_name],
        [t('call.queue'), call.queue],
        [t('call.waited'), call.waited_ms ? span(call.waited_ms) : ''],
        [t('call.talked'), call.talked_ms ? span(call.talked_ms) : ''],
        [t('call.outcome'), word('disposition', call.disposition)],
      ]} />
      ${whole.recordings.filter((one) => one.state === 'stored').map((one) => html`<${Player} key=${one.id} id=${one.id} />`)}
      ${whole.offers.length > 0 && html`<h3>${t('call.offers')}</h3><ul class="lines">${whole.offers.map((offer) => html`<li key=${offer.offer}><span class="dim">${dayTime(offer.made_at)}</span> ${offer.agent_name} <span class="end">${word('offer', offer.outcome)}</span></li>`)}</ul>`}
      ${whole.notes.length > 0 && html`<h3>${t('call.notes')}</h3><ul class="lines">${whole.notes.map((note, at) => html`<li key=${at}><span class="dim">${dayTime(note.at)}</span> ${word('choice', note.what)} ${note.detail} <span class="end dim">${note.actor}</span></li>`)}</ul>`}`}
  </div><//>`;
}
