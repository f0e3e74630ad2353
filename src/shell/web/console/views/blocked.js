// Blocked numbers: their calls are refused before they are answered.

import { html, useState } from '../vendor/preact.js';
import { t, dayTime, phone } from '../i18n.js';
import { post, remove } from '../api.js';
import { usePages, Listing, Table } from '../components/list.js';
import { attempt, FormDialog } from '../components/dialog.js';

export default function Blocked() {
  const [adding, setAdding] = useState(false);
  const pages = usePages('/blocked-numbers');
  return html`<section class="page">
    <header><h1>${t('view.blocked')}</h1><button type="button" class="main" onClick=${() => setAdding(true)}>${t('blocked.add')}</button></header>
    <div class="sheet"><${Listing} pages=${pages} empty=${t('blocked.none')}>
      ${(rows) => html`<${Table} label=${t('view.blocked')} rows=${rows} keyOf=${(one) => one.number} columns=${[
        { head: t('call.number'), cell: (one) => phone(one.number), cls: 'nowrap' },
        { head: t('reason'), cell: (one) => one.reason },
        { head: t('blocked.by'), cell: (one) => `${one.by} ${dayTime(one.at)}` },
        { head: '', cell: (one) => html`<button type="button" onClick=${() => attempt(() => remove(`/blocked-numbers/${encodeURIComponent(one.number)}`)).then(pages.reload)}>${t('blocked.remove')}</button>` },
      ]} />`}
    <//></div>
    ${adding && html`<${FormDialog} title=${t('blocked.add')} close=${() => setAdding(false)} fields=${[
      { name: 'number', label: t('call.number'), kind: 'tel', required: true },
      { name: 'reason', label: t('reason'), longest: 500 },
    ]} send=${(values) => post('/blocked-numbers', values).then(pages.reload)} />`}
  </section>`;
}
