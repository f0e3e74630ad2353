// People who log in to the console, and what they may.

import { html, useState } from '../vendor/preact.js';
import { t, word, dayTime } from '../i18n.js';
import { patch, post } from '../api.js';
import { usePages, useOne, Listing, Table } from '../components/list.js';
import { FormDialog } from '../components/dialog.js';

const ROLES = () => ['agent', 'supervisor', 'administrator'].map((role) => [role, word('role', role)]);

export default function Users() {
  const [edited, setEdited] = useState(null);
  const pages = usePages('/users');
  const agents = useOne('/agents');
  const all = agents.value ? agents.value.items : [];
  const name = (id) => (all.find((one) => one.id === id) || {}).name || '';
  const fields = (one) => [
    ...(one ? [] : [{ name: 'login', label: t('login.login'), required: true }]),
    { name: 'password', label: one ? t('users.new_password') : t('login.password'), kind: 'password', required: !one, autocomplete: 'new-password' },
    { name: 'role', label: t('users.role'), kind: 'select', value: one ? one.role : 'agent', options: ROLES() },
    { name: 'agent', label: t('users.agent'), kind: 'select', value: one && one.agent ? String(one.agent) : '', options: [['', t('users.nobody')], ...all.map((agent) => [String(agent.id), agent.name])] },
    ...(one && one.second_factor ? [{ name: 'lost', label: t('users.lost'), kind: 'check', value: false }] : []),
    ...(one ? [{ name: 'disabled', label: t('agents.disabled'), kind: 'check', value: one.disabled }] : []),
  ];
  const send = async (values) => {
    const agent = values.agent ? Number(values.agent) : null;
    if (edited.id) {
      const change = { role: values.role, agent, disabled: values.disabled };
      if (values.lost) change.second_factor = false;
      if (values.password) change.password = values.password;
      await patch(`/users/${edited.id}`, change);
    } else {
      await post('/users', { login: values.login, password: values.password, role: values.role, agent });
    }
    await pages.reload();
  };
  return html`<section class="page">
    <header><h1>${t('view.users')}</h1><button type="button" class="main" onClick=${() => setEdited({})}>${t('users.add')}</button></header>
    <div class="sheet"><${Listing} pages=${pages} empty=${t('users.none')}>
      ${(rows) => html`<${Table} label=${t('view.users')} rows=${rows} keyOf=${(one) => one.id} open=${setEdited} columns=${[
        { head: t('login.login'), cell: (one) => one.login },
        { head: t('users.role'), cell: (one) => word('role', one.role) },
        { head: t('users.agent'), cell: (one) => name(one.agent) },
        { head: t('users.created'), cell: (one) => dayTime(one.created_at) },
        { head: '', cell: (one) => (one.disabled ? html`<span class="badge">${t('agents.disabled')}</span>` : '') },
      ]} />`}
    <//></div>
    ${edited && html`<${FormDialog} title=${edited.id ? edited.login : t('users.add')} close=${() => setEdited(null)} fields=${fields(edited.id ? edited : null)} send=${send} />`}
  </section>`;
}
