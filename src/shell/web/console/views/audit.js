// The audit: who did what, and when. Nobody can change it.

import { html, useState } from '../vendor/preact.js';
import { t, dateTime } from '../i18n.js';
import { usePages, Listing, Table } from '../components/list.js';

export default function Audit() {
  const [actor, setActor] = useState('');
  const [action, setAction] = useState('');
  const pages = usePages('/audit', { actor: actor.trim(), action: action.trim() }, { typed: true });
  return html`<section class="page">
    <header><h1>${t('view.audit')}</h1><div class="filters">
      <label class="field"><span>${t('audit.actor')}</span><input type="search" value=${actor} onInput=${(event) => setActor(event.target.value)} /></label>
      <label class="field"><span>${t('audit.action')}</span><input type="search" value=${action} onInput=${(event) => setAction(event.target.value)} /></label>
    </div></header>
    <div class="sheet"><${Listing} pages=${pages} empty=${t('audit.none')}>
      ${(rows) => html`<${Table} label=${t('view.audit')} rows=${rows} keyOf=${(one) => one.id} columns=${[
        { head: t('call.time'), cell: (one) => dateTime(one.at), cls: 'nowrap' },
        { head: t('audit.actor'), cell: (one) => one.actor },
        { head: t('audit.action'), cell: (one) => one.action },
        { head: t('audit.subject'), cell: (one) => one.subject },
        { head: t('audit.detail'), cell: (one) => (one.detail && Object.keys(one.detail).length ? JSON.stringify(one.detail) : '') },
        { head: t('audit.address'), cell: (one) => one.address, cls: 'nowrap' },
      ]} />`}
    <//></div>
  </section>`;
}
