// Keys of programs, with the scopes they were given.

import { html, useState } from '../vendor/preact.js';
import { t, dayTime } from '../i18n.js';
import { post, remove } from '../api.js';
import { usePages, Listing, Table } from '../components/list.js';
import { attempt, Dialog } from '../components/dialog.js';

export default function Keys() {
  const [adding, setAdding] = useState(false);
  const [secret, setSecret] = useState('');
  const pages = usePages('/keys');
  const scopes = (pages.whole && pages.whole.scopes) || [];
  const add = async (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    const good = await attempt(async () => {
      const made = await post('/keys', { name: form.get('name'), scopes: form.getAll('scope') });
      setSecret(made.key);
      await pages.reload();
    });
    if (good) setAdding(false);
  };
  return html`<section class="page">
    <header><h1>${t('view.keys')}</h1><button type="button" class="main" onClick=${() => setAdding(true)}>${t('keys.add')}</button></header>
    <div class="sheet"><${Listing} pages=${pages} empty=${t('keys.none')}>
      ${(rows) => html`<${Table} label=${t('view.keys')} rows=${rows} keyOf=${(one) => one.id} columns=${[
        { head: t('keys.name'), cell: (one) => html`${one.name} ${one.disabled ? html`<span class="badge">${t('agents.disabled')}</span>` : ''}` },
        { head: t('keys.scopes'), cell: (one) => one.scopes.join(', ') },
        { head: t('keys.used'), cell: (one) => `${dayTime(one.last_used_at)} ${one.last_used_from || ''}` },
        { head: '', cell: (one) => !one.disabled && html`<button type="button" class="bad" onClick=${() => attempt(() => remove(`/keys/${one.id}`)).then(pages.reload)}>${t('keys.revoke')}</button>` },
      ]} />`}
    <//></div>
    ${adding && html`<${Dialog} title=${t('keys.add')} close=${() => setAdding(false)}><form class="fields" onSubmit=${add}>
      <label class="field"><span>${t('keys.name')}</span><input name="name" required maxlength="100" /></label>
      <fieldset><legend>${t('keys.scopes')}</legend>${scopes.map((scope) => html`<label class="check"><input type="checkbox" name="scope" value=${scope} /> ${scope}</label>`)}</fieldset>
      <footer><button type="submit" class="main">${t('add')}</button></footer></form><//>`}
    ${secret && html`<${Dialog} title=${t('keys.once')} close=${() => setSecret('')}><div class="fields"><p class="secret">${secret}</p></div><//>`}
  </section>`;
}
