// Purposes of contacts: who sees to them, which queue's calls they are, and how those callers are greeted.

import { html, useState } from '../vendor/preact.js';
import { t } from '../i18n.js';
import { patch, post } from '../api.js';
import { queues } from '../store/office.js';
import { keyOf, people, personOf, purposeName, readAgain, want } from '../store/purposes.js';
import { usePages, Listing, Table } from '../components/list.js';
import { FormDialog } from '../components/dialog.js';

export default function Purposes() {
  const [edited, setEdited] = useState(null);
  const pages = usePages('/purposes');
  want();
  const names = (keys) => keys.map((key) => (people.value.find((one) => keyOf(one) === key) || {}).name || key);
  const fields = (one) => {
    const value = one ? one.value : {};
    const chosen = (value.specialists || []).map(keyOf);
    const known = people.value.filter((person) => person.name).map((person) => [keyOf(person), person.name]);
    const queue = value.queue || '';
    const names = new Set([...queues.value.map((queue) => queue.name), ...(queue ? [queue] : [])]);
    return [
      { name: 'section', label: t('purposes.section'), value: value.section, longest: 120 },
      { name: 'name', label: t('purposes.name'), value: value.name, required: true, longest: 120 },
      { name: 'name_en', label: t('purposes.name_en'), value: value.name_en, longest: 120 },
      { name: 'specialists', label: t('purposes.specialists'), kind: 'many', value: chosen, options: [...known, ...chosen.filter((key) => !known.some(([other]) => other === key)).map((key) => [key, key])] },
      { name: 'queue', label: t('purposes.queue'), kind: 'select', value: queue, options: [['', t('purposes.no_queue')], ...[...names].map((name) => [name, name])] },
      { name: 'greeting', label: t('purposes.greeting'), kind: 'text-long', value: value.greeting, longest: 2000 },
      ...(one ? [{ name: 'active', label: t('purposes.active'), kind: 'check', value: !one.retired }] : []),
    ];
  };
  const send = async (values) => {
    const { active, specialists, ...rest } = values;
    const value = { ...rest, specialists: specialists.map(personOf) };
    if (edited.id) await patch(`/purposes/${edited.id}`, { value, retired: active === edited.retired ? !active : undefined, version: edited.version });
    else await post('/purposes', value);
    await Promise.all([pages.reload(), readAgain()]);
  };
  return html`<section class="page">
    <header><h1>${t('view.purposes')}</h1><button type="button" class="main" onClick=${() => setEdited({})}>${t('purposes.add')}</button></header>
    <div class="sheet"><${Listing} pages=${pages} empty=${t('purposes.none')}>
      ${(rows) => html`<${Table} label=${t('view.purposes')} rows=${rows} keyOf=${(one) => one.id} open=${setEdited} columns=${[
        { head: t('purposes.name'), cell: (one) => purposeName(one.value) },
        { head: t('purposes.specialists'), cell: (one) => names(one.value.specialists.map(keyOf)).join(', ') },
        { head: t('purposes.queue'), cell: (one) => one.value.queue },
        { head: t('purposes.greeting'), cell: (one) => one.value.greeting },
        { head: '', cell: (one) => (one.retired ? html`<span class="badge">${t('purposes.retired')}</span>` : '') },
      ]} />`}
    <//></div>
    ${edited && html`<${FormDialog} title=${edited.id ? purposeName(edited.value) : t('purposes.add')} close=${() => setEdited(null)} fields=${fields(edited.id ? edited : null)} send=${send} />`}
  </section>`;
}
