// Tariffs: what a trip costs.

import { html, useState } from '../vendor/preact.js';
import { t, money } from '../i18n.js';
import { patch, post } from '../api.js';
import { usePages, Listing, Table } from '../components/list.js';
import { FormDialog } from '../components/dialog.js';

/// `[field of the API, key of its label, how many of the API's units make one of the form's]`.
const FIELDS = [
  ['minimum', 'tariffs.minimum', 100],
  ['boarding', 'tariffs.boarding', 100],
  ['per_km_inside', 'tariffs.km_inside', 100],
  ['per_km_outside', 'tariffs.km_outside', 100],
  ['per_minute', 'tariffs.minute', 100],
  ['per_waiting_minute', 'tariffs.waiting', 100],
  ['free_waiting_s', 'tariffs.free_waiting', 60],
];

export default function Tariffs() {
  const [edited, setEdited] = useState(null);
  const pages = usePages('/tariffs');
  const fields = (one) => [
    { name: 'name', label: t('tariffs.name'), value: one ? one.value.name : '', required: true },
    ...FIELDS.map(([name, label, unit]) => ({ name, label: t(/* one of FIELDS */ label), kind: 'number', min: 0, value: one ? String((one.value[name] || 0) / unit) : '0' })),
    ...(one ? [{ name: 'make_default', label: t('tariffs.make_default'), kind: 'check', value: one.is_default }, { name: 'retired', label: t('tariffs.retired'), kind: 'check', value: one.retired }] : []),
  ];
  const send = async (values) => {
    const value = { ...(edited.value || {}), name: values.name };
    for (const [name, , unit] of FIELDS) value[name] = Math.round(Number(values[name]) * unit);
    if (edited.id) await patch(`/tariffs/${edited.id}`, { value, retired: values.retired, make_default: values.make_default && !edited.is_default, version: edited.version });
    else await post('/tariffs', value);
    await pages.reload();
  };
  const sum = (name) => (one) => money(one.value[name] || 0);
  return html`<section class="page">
    <header><h1>${t('view.tariffs')}</h1><button type="button" class="main" onClick=${() => setEdited({})}>${t('tariffs.add')}</button></header>
    <div class="sheet"><${Listing} pages=${pages} empty=${t('tariffs.none')}>
      ${(rows) => html`<${Table} label=${t('view.tariffs')} rows=${rows} keyOf=${(one) => one.id} open=${setEdited} columns=${[
        { head: t('tariffs.name'), cell: (one) => html`${one.value.name} ${one.is_default ? html`<span class="badge good">${t('tariffs.default')}</span>` : ''}${one.retired ? html`<span class="badge">${t('tariffs.retired')}</span>` : ''}` },
        { head: t('tariffs.minimum'), cell: sum('minimum'), cls: 'num' },
        { head: t('tariffs.boarding'), cell: sum('boarding'), cls: 'num' },
        { head: t('tariffs.km_inside'), cell: sum('per_km_inside'), cls: 'num' },
        { head: t('tariffs.km_outside'), cell: sum('per_km_outside'), cls: 'num' },
        { head: t('tariffs.minute'), cell: sum('per_minute'), cls: 'num' },
        { head: t('tariffs.waiting'), cell: sum('per_waiting_minute'), cls: 'num' },
      ]} />`}
    <//></div>
    ${edited && html`<${FormDialog} title=${edited.id ? edited.value.name : t('tariffs.add')} close=${() => setEdited(null)} fields=${fields(edited.id ? edited : null)} send=${send} />`}
  </section>`;
}
