// SMS: sent and received.

import { html, useState } from '../vendor/preact.js';
import { t, word, dayTime, phone } from '../i18n.js';
import { post } from '../api.js';
import { usePages, Listing, Table } from '../components/list.js';
import { FormDialog } from '../components/dialog.js';

export default function Sms() {
  const [direction, setDirection] = useState('');
  const [number, setNumber] = useState('');
  const [writing, setWriting] = useState(false);
  const pages = usePages('/sms', { direction, number: number.replace(/\D/g, '').length >= 4 ? number : '' }, { typed: true });
  return html`<section class="page">
    <header><h1>${t('view.sms')}</h1><div class="filters">
      <label class="field"><span>${t('call.number')}</span><input type="search" value=${number} onInput=${(event) => setNumber(event.target.value)} /></label>
      <label class="field"><span>${t('sms.direction')}</span><select value=${direction} onChange=${(event) => setDirection(event.target.value)}>
        <option value="">${t('all')}</option><option value="in">${t('sms.in')}</option><option value="out">${t('sms.out')}</option></select></label>
      <button type="button" class="main" onClick=${() => setWriting(true)}>${t('sms.new')}</button>
    </div></header>
    <div class="sheet"><${Listing} pages=${pages} empty=${t('sms.none')}>
      ${(rows) => html`<${Table} label=${t('view.sms')} rows=${rows} keyOf=${(one) => one.id} columns=${[
        { head: t('call.time'), cell: (one) => dayTime(one.created_at), cls: 'nowrap' },
        { head: '', cell: (one) => (one.direction === 'in' ? t('sms.in') : t('sms.out')) },
        { head: t('call.number'), cell: (one) => (one.client ? html`<a href=${`#/clients/${one.client}`}>${phone(one.number)}</a>` : phone(one.number)), cls: 'nowrap' },
        { head: t('sms.text'), cell: (one) => one.text },
        { head: t('callback.state'), cell: (one) => html`${word('sms.state', one.state)} ${one.error && html`<span class="dim">${one.error}</span>`}` },
      ]} />`}
    <//></div>
    ${writing && html`<${FormDialog} title=${t('sms.new')} close=${() => setWriting(false)} fields=${[
      { name: 'to', label: t('sms.to'), kind: 'tel', required: true },
      { name: 'text', label: t('sms.text'), kind: 'text-long', required: true, longest: 1000 },
    ]} send=${(values) => post('/sms', values).then(pages.reload)} />`}
  </section>`;
}
