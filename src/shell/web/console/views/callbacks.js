// Callbacks: lost callers, announcements and messages, and what became of each.

import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { t, word, dayTime, phone } from '../i18n.js';
import { post } from '../api.js';
import { usePages, Listing, Table } from '../components/list.js';
import { changedCallback } from '../store/office.js';
import { attempt, FormDialog } from '../components/dialog.js';
import { CallNumber } from '../components/callnumber.js';

export default function Callbacks() {
  const [open, setOpen] = useState(true);
  const [kind, setKind] = useState('');
  const [writing, setWriting] = useState(false);
  const pages = usePages('/callbacks', { open: open || '', kind });
  // Changes come in bursts: the list is read again once they pause, and within two seconds at the latest.
  const since = useRef(0);
  const reload = useRef(null);
  reload.current = pages.reload;
  useEffect(() => {
    if (!changedCallback.value) return undefined;
    since.current = since.current || Date.now();
    const wait = Math.max(0, Math.min(300, since.current + 2000 - Date.now()));
    const timer = setTimeout(() => {
      since.current = 0;
      reload.current();
    }, wait);
    return () => clearTimeout(timer);
  }, [changedCallback.value]);
  const act = (one, what) => attempt(() => post(`/callbacks/${one.id}/${what}`)).then(pages.reload);
  const pending = (one) => one.state === 'pending' && !one.calling;
  const forPeople = (one) => (one.state === 'exhausted' || one.state === 'listed') && !one.closed_at;
  return html`<section class="page">
    <header><h1>${t('view.callbacks')}</h1><div class="filters">
      <label class="field"><span>${t('callback.kind')}</span><select value=${kind} onChange=${(event) => setKind(event.target.value)}>
        <option value="">${t('all')}</option>${['order', 'lost', 'place', 'words', 'attention'].map((one) => html`<option value=${one}>${word('callback.kind', one)}</option>`)}</select></label>
      <label class="check"><input type="checkbox" checked=${open} onChange=${(event) => setOpen(event.target.checked)} /> ${t('callback.open')}</label>
      <button type="button" class="quiet" onClick=${pages.reload}>${t('list.again')}</button>
      <button type="button" class="main" onClick=${() => setWriting(true)}>${t('callback.new')}</button>
    </div></header>
    <div class="sheet"><${Listing} pages=${pages} empty=${t('callback.none')}>
      ${(rows) => html`<${Table} label=${t('view.callbacks')} rows=${rows} keyOf=${(one) => one.id} marked=${forPeople} columns=${[
        { head: t('call.time'), cell: (one) => dayTime(one.created_at), cls: 'nowrap' },
        { head: t('call.number'), cell: (one) => (one.client ? html`<a href=${`#/clients/${one.client}`}>${phone(one.number)}</a>` : phone(one.number)), cls: 'nowrap' },
        { head: t('callback.kind'), cell: (one) => html`${word('callback.kind', one.kind)} ${one.occasion ? html`<span class="dim">${word('occasion', one.occasion)}</span>` : ''} ${one.order ? html`<a href=${`#/orders/${one.order}`}>№ ${one.order}</a>` : ''} ${one.words}` },
        { head: t('callback.state'), cell: (one) => word('callback.state', one.state) },
        { head: t('callback.attempts'), cell: (one) => one.attempts, cls: 'num' },
        { head: t('callback.last'), cell: (one) => word('callback.outcome', one.outcome) },
        { head: t('callback.due'), cell: (one) => dayTime(one.due_at), cls: 'nowrap' },
        { head: '', cell: (one) => html`<div class="buttons">
          ${forPeople(one) && one.number && html`<${CallNumber} number=${one.number} />`}
          ${(pending(one) || forPeople(one)) && html`${one.number && html`<button type="button" onClick=${() => act(one, 'now')}>${t('callback.now')}</button>`}<button type="button" onClick=${() => act(one, 'cancel')}>${t('callback.cancel')}</button>`}</div>` },
      ]} />`}
    <//></div>
    ${writing && html`<${FormDialog} title=${t('callback.new')} close=${() => setWriting(false)} fields=${[
      { name: 'number', label: t('call.number'), kind: 'tel', required: true },
      { name: 'words', label: t('callback.words'), kind: 'text-long', required: true, longest: 500 },
    ]} send=${(values) => post('/callbacks', values).then(pages.reload)} />`}
  </section>`;
}
