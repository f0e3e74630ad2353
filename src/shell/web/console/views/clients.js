// Clients: found by number, name or company; one card whole, with its timeline.

import { html, useEffect, useState } from '../vendor/preact.js';
import { t, word, address, dateTime, dayTime, money, phone, span, day } from '../i18n.js';
import { get, patch, post } from '../api.js';
import { changedClient, isSupervisor } from '../store/office.js';
import { usePages, useOne, Listing, Table, Trouble } from '../components/list.js';
import { Facts, OrderState, Warnings } from '../components/bits.js';
import { attempt, FormDialog, tell } from '../components/dialog.js';
import { Note } from '../components/note.js';
import { Player } from '../components/player.js';
import { ContactState } from '../components/contact.js';
import { purposeOf } from '../store/purposes.js';
import { orderFor } from './orderform.js';
import { CallNumber } from '../components/callnumber.js';
import { KeptDays } from '../components/keeping.js';

export default function Clients({ path }) {
  return path.length ? html`<${Card} key=${path[0]} id=${path[0]} />` : html`<${Found} />`;
}

function Found() {
  const [q, setQ] = useState('');
  const [making, setMaking] = useState(false);
  const byNumber = /^[+\d\s()-]{4,}$/.test(q.trim());
  const pages = usePages('/clients', byNumber ? { number: q.trim() } : { q: q.trim() }, { typed: true });
  return html`<section class="page">
    <header><h1>${t('view.clients')}</h1>
      <div class="filters"><label class="field"><span>${t('client.find')}</span><input type="search" value=${q} onInput=${(event) => setQ(event.target.value)} /></label>
      <button type="button" class="main" onClick=${() => setMaking(true)}>${t('client.new')}</button></div></header>
    <div class="sheet"><${Listing} pages=${pages} empty=${t('client.none')}>
      ${(clients) => html`<${Table} label=${t('view.clients')} rows=${clients} keyOf=${(one) => one.id} open=${(one) => { location.hash = `#/clients/${one.id}`; }} columns=${[
        { head: t('client.card'), cell: (one) => one.title },
        { head: t('client.phones'), cell: (one) => one.phones.map((own) => phone(own.number)).join(', '), cls: 'nowrap' },
        { head: t('client.completed'), cell: (one) => one.counters.completed, cls: 'num' },
        { head: t('client.false'), cell: (one) => one.counters.false || '', cls: 'num' },
        { head: t('client.note'), cell: (one) => one.note },
        { head: '', cell: (one) => html`<${Warnings} blocked=${one.blocked} conflict=${one.conflict} />` },
      ]} />`}
    <//></div>
    ${making && html`<${FormDialog} title=${t('client.new')} close=${() => setMaking(false)} fields=${fieldsOf(null, q)}
      send=${async (values) => { const made = await post('/clients', written(values)); location.hash = `#/clients/${made.id}`; }} />`}
  </section>`;
}

function fieldsOf(client, typed = '') {
  const name = client ? client.name : {};
  return [
    { name: 'surname', label: t('client.surname'), value: name.surname || '' },
    { name: 'name', label: t('client.name'), value: name.name || '' },
    { name: 'patronymic', label: t('client.patronymic'), value: name.patronymic || '' },
    { name: 'company', label: t('client.company'), value: (client && client.company) || '' },
    { name: 'phones', label: t('client.phones_hint'), kind: 'text-long', required: true, value: client ? client.phones.map((one) => one.number).join('\n') : /\d{4}/.test(typed) ? typed : '' },
    { name: 'email', label: t('client.email'), kind: 'email', value: (client && client.email) || '' },
    { name: 'tags', label: t('client.tags'), value: client ? client.tags.join(', ') : '' },
    { name: 'conflict', label: t('client.conflict_level'), kind: 'number', min: 0, max: 3, value: String((client && client.conflict) || 0) },
  ];
}

function written(values, client) {
  const labels = new Map((client ? client.phones : []).map((one) => [one.number, one.label]));
  return {
    name: { surname: values.surname, name: values.name, patronymic: values.patronymic },
    company: values.company || null,
    phones: values.phones.split(/[\n,;]+/).map((one) => one.trim()).filter(Boolean).map((number) => ({ number, label: labels.get(number) || '' })),
    email: values.email,
    tags: values.tags.split(',').map((one) => one.trim()).filter(Boolean),
    conflict: Number(values.conflict) || 0,
  };
}

function Card({ id }) {
  const read = useOne(`/clients/${id}`);
  const [open, setOpen] = useState('');
  const client = read.value;
  useEffect(() => {
    if (changedClient.value && String(changedClient.value.client) === id) read.reload();
  }, [changedClient.value]);
  if (read.error && !client) return html`<div class="page"><${Trouble} error=${read.error} again=${read.reload} /></div>`;
  if (!client) return html`<p class="loading">${t('list.loading')}</p>`;
  const at = `/clients/${id}`;
  const close = () => setOpen('');
  const done = (act) => async (values) => {
    await act(values);
    await read.reload();
  };
  const kopecks = (text) => Math.round(Number(String(text).replace(',', '.')) * 100);
  const money_fields = [{ name: 'sum', label: t('client.sum'), kind: 'number', min: 0.01, required: true }, { name: 'comment', label: t('ledger.comment') }];
  const entry = (path) => done((values) => post(`${at}/ledger/${path}`, { amount: kopecks(values.sum), comment: values.comment }));
  const main = client.phones[0];
  return html`<section class="page">
    <header><h1>${client.title} <${Warnings} blocked=${client.blocked} conflict=${client.conflict} /></h1><a href="#/clients">${t('view.clients')}</a></header>
    <div class="two">
      <div class="sheet inner page">
        <${Note} client=${client} reload=${read.reload} />
        <${Facts} of=${[
          [t('client.phones'), client.phones.map((one) => `${phone(one.number)}${one.label ? ` (${one.label})` : ''}`).join(', ')],
          [t('client.company'), client.company],
          [t('client.address'), address(client.address)],
          [t('client.email'), client.email],
          [t('client.account'), money(client.balances.account)],
          [t('client.bonus'), money(client.balances.bonus)],
          [t('client.completed'), client.counters.completed],
          [t('client.false'), client.counters.false],
          [t('client.cancelled'), client.counters.cancelled],
          [t('client.complaints'), client.counters.complaints],
          [t('client.calls'), client.counters.calls],
          [t('client.tags'), client.tags.join(', ')],
          [t('client.since'), day(client.created_at)],
          [t('reason'), client.blocked ? client.blocked.reason : ''],
        ]} />
        <div class="buttons">
          <button type="button" class="main" onClick=${() => orderFor({ phone: main ? main.number : '', client: client.id })}>${t('client.order')}</button>
          ${main && html`<${CallNumber} number=${main.number} />`}
          <button type="button" onClick=${() => setOpen('edit')}>${t('client.edit')}</button>
          <button type="button" onClick=${() => setOpen('complaint')}>${t('client.complaint')}</button>
          <button type="button" onClick=${() => setOpen('top-up')}>${t('client.top_up')}</button>
          <button type="button" onClick=${() => setOpen('accrue')}>${t('client.accrue')}</button>
          ${client.blocked
            ? isSupervisor.value && html`<button type="button" onClick=${() => attempt(() => post(`${at}/unblock`)).then(read.reload)}>${t('client.unblock')}</button>`
            : html`<button type="button" class="bad" onClick=${() => setOpen('block')}>${t('client.block')}</button>`}
          ${isSupervisor.value && html`<button type="button" onClick=${() => setOpen('merge')}>${t('client.merge')}</button>`}
        </div>
      </div>
      <${Timeline} id=${id} version=${client.version} />
    </div>
    ${isSupervisor.value && html`<${Heard} id=${id} /><${KeptDays} id=${id} />`}
    ${open === 'edit' && html`<${FormDialog} title=${t('client.edit')} close=${close} fields=${fieldsOf(client)} send=${done((values) => patch(at, { ...written(values, client), version: client.version }))} />`}
    ${open === 'complaint' && html`<${FormDialog} title=${t('client.complaint')} close=${close} fields=${[{ name: 'text', label: t('client.complaint_text'), kind: 'text-long', required: true, longest: 2000 }]} send=${done((values) => post(`${at}/complaint`, values))} />`}
    ${open === 'block' && html`<${FormDialog} title=${t('client.block')} close=${close} fields=${[{ name: 'reason', label: t('reason'), required: true, longest: 500 }]} send=${done((values) => post(`${at}/block`, values))} />`}
    ${open === 'merge' && html`<${FormDialog} title=${t('client.merge')} close=${close} fields=${[{ name: 'other', label: t('client.merge_with'), kind: 'number', required: true }]} send=${done((values) => post(`${at}/merge`, { other: Number(values.other) }).then(() => tell(t('client.merge'))))} />`}
    ${open === 'top-up' && html`<${FormDialog} title=${t('client.top_up')} close=${close} fields=${money_fields} send=${entry('top-up')} />`}
    ${open === 'accrue' && html`<${FormDialog} title=${t('client.accrue')} close=${close} fields=${money_fields} send=${entry('accrue')} />`}
  </section>`;
}

function Timeline({ id, version }) {
  const pages = usePages(`/clients/${id}/timeline`, {}, { limit: 30 });
  useEffect(() => {
    if (pages.items) pages.reload();
  }, [version]);
  return html`<div class="sheet inner"><h2>${t('client.timeline')}</h2>
    <${Listing} pages=${pages}>${(lines) => html`<ul class="timeline">${lines.map((line, at) => html`<li key=${`${line.at}-${at}`}>
      <span class="dim">${dayTime(line.at)}</span><span>${t(`timeline.${line.kind}`)}</span><div><${Event} line=${line} /></div></li>`)}</ul>`}<//></div>`;
}

/// Who heard, took away or shared the recordings of this client's talks.
function Heard({ id }) {
  const [lines, setLines] = useState(null);
  const read = () => get(`/clients/${id}/hearings`).then((answer) => setLines(answer.items)).catch(() => {});
  return html`<details class="sheet inner heard" onToggle=${(event) => event.target.open && read()}><summary>${t('heard.title')}</summary>
    ${lines && (lines.length ? html`<ul class="lines">${lines.map((line, at) => html`<li key=${at}><span class="dim">${dateTime(line.at)}</span> <b>${line.actor}</b> ${t(`heard.${line.action}`)} <span class="end dim">№ ${line.recording}</span></li>`)}</ul>` : html`<p class="empty">${t('heard.none')}</p>`)}
  </details>`;
}

function Event({ line }) {
  switch (line.kind) {
    case 'call':
      return html`${phone(line.number)} · ${word('disposition', line.disposition)} ${line.talked_ms ? span(line.talked_ms) : ''} ${line.contact ? html`<a href=${`#/journal/${line.contact}`}>${t('journal.number', { id: line.contact })}</a>` : ''} ${line.recording && isSupervisor.value ? html`<${Player} id=${line.recording} />` : ''}`;
    case 'order':
      return html`<a href=${`#/orders/${line.order.id}`}>${t('order.number', { id: line.order.id })}</a> <${OrderState} state=${line.order.state} /> ${address(line.order.from)}`;
    case 'ledger':
      return html`${word('ledger.kind', line.entry.kind)} ${money(line.entry.amount)} · ${word('ledger.book', line.entry.book)} ${line.entry.comment}`;
    case 'card':
      return html`${word('event', line.change.event)} ${line.change.text || line.change.reason || (line.change.changes || []).map((one) => one.field).join(', ')} <span class="dim">${line.change.actor.name}</span>`;
    case 'sms':
      return html`${line.sms.direction === 'in' ? '→' : '←'} ${line.sms.text} <span class="dim">${word('sms.state', line.sms.state)}</span>`;
    case 'contact':
      return html`<a href=${`#/journal/${line.contact.id}`}>${t('journal.number', { id: line.contact.id })}</a> <${ContactState} state=${line.contact.state} /> ${[purposeOf(line.contact), line.contact.comment].filter(Boolean).join(' · ')}`;
    default:
      return dateTime(line.at);
  }
}

