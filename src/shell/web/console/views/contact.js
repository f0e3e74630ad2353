// One contact: what it is about, what can be done with it, its documents and its history.

import { html, useEffect, useState } from '../vendor/preact.js';
import { patch, post } from '../api.js';
import { t, word, dateTime, dayTime, phone } from '../i18n.js';
import { changedContact } from '../store/office.js';
import { titleOf } from '../store/notices.js';
import { purposeChoices, purposeName, purposeOf, purposes } from '../store/purposes.js';
import { useOne, Trouble } from '../components/list.js';
import { Facts, Since } from '../components/bits.js';
import { ContactActions, ContactState, DOCUMENTS, Responsible } from '../components/contact.js';
import { attempt, FormDialog } from '../components/dialog.js';
import { CallNumber } from '../components/callnumber.js';
import { OneCall } from './calls.js';
import { orderFor } from './orderform.js';

export function OneContact({ id }) {
  const read = useOne(`/journal/${id}`);
  const history = useOne(`/journal/${id}/history`);
  const [open, setOpen] = useState('');
  const again = () => Promise.all([read.reload(), history.reload()]);
  useEffect(() => {
    if (changedContact.value && String(changedContact.value.contact) === id) again();
  }, [changedContact.value]);
  const contact = read.value;
  if (read.error && !contact) return html`<div class="page"><${Trouble} error=${read.error} again=${read.reload} /></div>`;
  if (!contact) return html`<p class="loading">${t('list.loading')}</p>`;
  const close = () => setOpen('');
  return html`<section class="page" data-contact=${id}>
    <header><h1>${t('journal.number', { id: contact.id })} <${ContactState} state=${contact.state} /></h1><a href="#/journal">${t('view.journal')}</a></header>
    <div class="two">
      <div class="sheet inner page">
        <h2>${contact.client ? html`<a href=${`#/clients/${contact.client}`}>${titleOf(contact)}</a>` : titleOf(contact)}</h2>
        <${Facts} of=${[
          [t('journal.purpose'), purposeOf(contact)],
          [t('journal.kind'), word('journal.kind', contact.kind)],
          [t('call.number'), contact.phone ? phone(contact.phone) : ''],
          [t('journal.responsible'), contact.responsible ? html`<${Responsible} contact=${contact} />` : t('journal.all_specialists')],
          [t('journal.waits'), contact.waiting_since ? html`<${Since} at=${contact.waiting_since} />` : ''],
          [t('journal.came'), dateTime(contact.created_at)],
          [t('journal.ended'), dateTime(contact.ended_at)],
          [t('journal.who'), contact.client_name ? contact.description : ''],
          [t('journal.about'), contact.comment],
          [t('journal.outcome'), contact.outcome],
          [t('reason'), contact.ignored ? word('journal.ignored', contact.ignored) : ''],
        ]} />
        <${ContactActions} contact=${contact} done=${again} />
        <div class="buttons">
          <button type="button" onClick=${() => setOpen('edit')}>${t('journal.edit')}</button>
          ${contact.phone && html`<${CallNumber} number=${contact.phone} />`}
          ${contact.phone && html`<button type="button" onClick=${() => orderFor({ phone: contact.phone, client: contact.client })}>${t('client.order')}</button>`}
          ${contact.call && html`<button type="button" onClick=${() => setOpen('call')}>${t('call.details')}</button>`}
        </div>
        <${Documents} contact=${contact} again=${again} />
      </div>
      <div class="sheet inner"><h2>${t('order.history')}</h2>
        ${history.error && !history.value && html`<${Trouble} error=${history.error} again=${history.reload} />`}
        ${history.value && html`<ul class="timeline">${history.value.items.map((line) => html`<li key=${line.version}>
          <span class="dim">${dayTime(line.at)}</span><span>${word('journal.event', line.event)}</span>
          <div><${What} line=${line} /> <span class="dim">${line.actor.name || word('source', line.source)}</span></div></li>`)}</ul>`}
      </div>
    </div>
    ${open === 'call' && html`<${OneCall} id=${contact.call} close=${close} />`}
    ${open === 'edit' && html`<${FormDialog} title=${t('journal.edit')} close=${close} fields=${[
      { name: 'purpose', label: t('journal.purpose'), kind: 'select', value: contact.purpose ? String(contact.purpose) : '', options: purposeChoices(t('journal.no_purpose')) },
      { name: 'phone', label: t('call.number'), kind: 'tel', value: contact.phone, longest: 120 },
      { name: 'description', label: t('journal.who'), value: contact.description, longest: 2000 },
      { name: 'comment', label: t('journal.about'), kind: 'text-long', value: contact.comment, longest: 2000 },
    ]} send=${(values) => patch(`/journal/${id}`, { ...values, purpose: values.purpose ? Number(values.purpose) : null, version: contact.version }).then(again)} />`}
  </section>`;
}

function Documents({ contact, again }) {
  const [linking, setLinking] = useState(false);
  const at = `/journal/${contact.id}`;
  const unlink = ({ document, number }) => attempt(() => post(`${at}/unlink`, { document, number })).then(again);
  return html`<h3>${t('journal.documents')}</h3>
    ${contact.references.length > 0 && html`<ul class="lines documents">${contact.references.map((one) => html`<li key=${`${one.document} ${one.number}`}>
      <span class="dim">${word('journal.document', one.document)}</span>
      <span class="grow">${one.link ? html`<a href=${one.link} target="_blank" rel="noreferrer noopener">${one.number}</a>` : one.number}</span>
      <button type="button" class="quiet" aria-label=${`${t('journal.unlink')} ${one.number}`} onClick=${() => unlink(one)}>${t('journal.unlink')}</button></li>`)}</ul>`}
    <div class="buttons"><button type="button" onClick=${() => setLinking(true)}>${t('journal.link')}</button></div>
    ${linking && html`<${FormDialog} title=${t('journal.link')} button=${t('add')} close=${() => setLinking(false)} fields=${[
      { name: 'document', label: t('journal.document_kind'), kind: 'select', value: DOCUMENTS[0], options: DOCUMENTS.map((one) => [one, word('journal.document', one)]) },
      { name: 'number', label: t('journal.document_number'), required: true, longest: 120 },
      { name: 'link', label: t('journal.document_link'), kind: 'url', longest: 500 },
    ]} send=${(values) => post(`${at}/link`, values).then(again)} />`}`;
}

function named(id) {
  const known = (purposes.value || []).find((one) => one.id === id);
  return known ? purposeName(known.value) : id ? `№ ${id}` : '';
}

/// What a line of the history tells beside its name.
function What({ line }) {
  const person = (one) => (one ? one.name || `${one.kind} ${one.id}` : '');
  switch (line.event) {
    case 'created':
      return [word('journal.kind', line.way), word('journal.state', line.state), named(line.purpose), person(line.responsible), line.comment].filter(Boolean).join(' · ');
    case 'edited':
      return line.changes.map(({ after }) => `${t(`journal.field.${after.field}`)}: ${after.field === 'purpose' ? named(after.value) : after.value || '—'}`).join('; ');
    case 'taken':
      return person(line.person);
    case 'transferred':
      return [person(line.responsible) || t('journal.all_specialists'), named(line.purpose), line.comment, line.with_call && t('journal.with_call')].filter(Boolean).join(' · ');
    case 'ignored':
      return [word('journal.ignored', line.reason), line.comment].filter(Boolean).join(' · ');
    case 'linked':
      return `${word('journal.document', line.reference.document)} ${line.reference.number}`;
    case 'unlinked':
      return `${word('journal.document', line.document)} ${line.number}`;
    case 'done':
      return line.comment;
    case 'call_ended':
    case 'reached':
      return person(line.responsible);
    default:
      return '';
  }
}
