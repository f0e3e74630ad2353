// Dispatchers as the office describes them: name, phone, queues.

import { html, useState } from '../vendor/preact.js';
import { t, word } from '../i18n.js';
import { patch, post } from '../api.js';
import { usePages, Listing, Table } from '../components/list.js';
import { AgentState } from '../components/bits.js';
import { Dialog, FormDialog } from '../components/dialog.js';

const PHONES = () => ['browser', 'desk'].map((kind) => [kind, word('phone.kind', kind)]);
const list = (text) => text.split(',').map((one) => one.trim()).filter(Boolean);

export default function Agents() {
  const [edited, setEdited] = useState(null);
  const [secret, setSecret] = useState('');
  const pages = usePages('/agents');
  const fields = (one) => [
    { name: 'name', label: t('agents.name'), value: one ? one.name : '', required: true },
    { name: 'endpoint', label: t('agents.endpoint'), value: one ? one.endpoint : 'agent-', required: true },
    { name: 'phone', label: t('agents.phone'), kind: 'select', value: one ? one.phone : 'browser', options: PHONES() },
    { name: 'queues', label: t('agents.queues'), value: one ? one.queues.join(', ') : '' },
    ...(one ? [{ name: 'sip_password', label: t('agents.new_password') }, { name: 'disabled', label: t('agents.disabled'), kind: 'check', value: one.disabled }] : []),
  ];
  const send = async (values) => {
    const body = { name: values.name, endpoint: values.endpoint, phone: values.phone, queues: list(values.queues) };
    if (edited.id) {
      body.disabled = values.disabled;
      body.version = edited.version;
      if (values.sip_password) body.sip_password = values.sip_password;
    }
    const done = edited.id ? await patch(`/agents/${edited.id}`, body) : await post('/agents', body);
    if (done.sip_password && done.phone === 'desk') setSecret(done.sip_password);
    await pages.reload();
  };
  return html`<section class="page">
    <header><h1>${t('view.agents')}</h1><button type="button" class="main" onClick=${() => setEdited({})}>${t('agents.add')}</button></header>
    <div class="sheet"><${Listing} pages=${pages} empty=${t('agents.none')}>
      ${(rows) => html`<${Table} label=${t('view.agents')} rows=${rows} keyOf=${(one) => one.id} open=${setEdited} columns=${[
        { head: t('agents.name'), cell: (one) => one.name },
        { head: t('agents.endpoint'), cell: (one) => one.endpoint },
        { head: t('agents.phone'), cell: (one) => word('phone.kind', one.phone) },
        { head: t('agents.queues'), cell: (one) => one.queues.join(', ') || t('all') },
        { head: t('board.state'), cell: (one) => (one.disabled ? html`<span class="badge">${t('agents.disabled')}</span>` : one.now ? html`<${AgentState} agent=${one.now} />` : word('status', one.status)) },
      ]} />`}
    <//></div>
    ${edited && html`<${FormDialog} title=${edited.id ? edited.name : t('agents.add')} close=${() => setEdited(null)} fields=${fields(edited.id ? edited : null)} send=${send} />`}
    ${secret && html`<${Dialog} title=${t('agents.password')} close=${() => setSecret('')}><div class="fields"><p class="secret">${secret}</p></div><//>`}
  </section>`;
}
