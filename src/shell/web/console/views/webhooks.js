// Webhooks: programs that are told of orders and calls.

import { html, useState } from '../vendor/preact.js';
import { t, dayTime } from '../i18n.js';
import { patch, post, remove } from '../api.js';
import { usePages, Listing, Table } from '../components/list.js';
import { attempt, Dialog, FormDialog, tell } from '../components/dialog.js';

export default function Webhooks() {
  const [edited, setEdited] = useState(null);
  const [secret, setSecret] = useState('');
  const pages = usePages('/webhooks');
  const fields = (one) => [
    { name: 'url', label: t('webhooks.url'), kind: 'url', value: one ? one.url : 'https://', required: true },
    { name: 'events', label: t('webhooks.events'), value: one ? one.events.join(', ') : '*', required: true },
    { name: 'description', label: t('webhooks.description'), value: one ? one.description : '' },
    { name: 'disabled', label: t('agents.disabled'), kind: 'check', value: one ? one.disabled : false },
  ];
  const send = async (values) => {
    const body = { ...values, events: values.events.split(',').map((one) => one.trim()).filter(Boolean) };
    const done = edited.id ? await patch(`/webhooks/${edited.id}`, { ...body, version: edited.version }) : await post('/webhooks', body);
    if (done.secret) setSecret(done.secret);
    await pages.reload();
  };
  return html`<section class="page">
    <header><h1>${t('view.webhooks')}</h1><button type="button" class="main" onClick=${() => setEdited({})}>${t('webhooks.add')}</button></header>
    <div class="sheet"><${Listing} pages=${pages} empty=${t('webhooks.none')}>
      ${(rows) => html`<${Table} label=${t('view.webhooks')} rows=${rows} keyOf=${(one) => one.id} open=${setEdited} columns=${[
        { head: t('webhooks.url'), cell: (one) => one.url },
        { head: t('webhooks.events'), cell: (one) => one.events.join(', ') },
        { head: t('webhooks.delivered'), cell: (one) => one.delivered, cls: 'num' },
        { head: t('webhooks.pending'), cell: (one) => one.pending, cls: 'num' },
        { head: t('webhooks.error'), cell: (one) => (one.last_error ? `${dayTime(one.last_error_at)} ${one.last_error}` : '') },
        { head: '', cell: (one) => html`<div class="buttons"><button type="button" onClick=${() => attempt(() => post(`/webhooks/${one.id}/ping`)).then((good) => good && tell(t('webhooks.ping')))}>${t('webhooks.ping')}</button>
          <button type="button" class="bad" onClick=${() => attempt(() => remove(`/webhooks/${one.id}`)).then(pages.reload)}>${t('webhooks.remove')}</button></div>` },
      ]} />`}
    <//></div>
    ${edited && html`<${FormDialog} title=${edited.id ? edited.url : t('webhooks.add')} close=${() => setEdited(null)} fields=${fields(edited.id ? edited : null)} send=${send} />`}
    ${secret && html`<${Dialog} title=${t('webhooks.secret')} close=${() => setSecret('')}><div class="fields"><p class="secret">${secret}</p></div><//>`}
  </section>`;
}
