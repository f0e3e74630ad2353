// The contact that the call in hand is: its purpose can be set right while one talks, and it is handed on with the call.

import { html, useEffect, signal } from '../vendor/preact.js';
import { get, patch, post, query } from '../api.js';
import { t } from '../i18n.js';
import { changedContact } from '../store/office.js';
import { inUse, purposeChoices, purposeName, want } from '../store/purposes.js';
import { ContactState } from './contact.js';
import { attempt } from './dialog.js';

/// `{call, contact}` of the call whose card is open.
const current = signal({ call: '', contact: null });

const read = (call) =>
  get(`/journal${query({ call, limit: 1 })}`)
    .then((answer) => {
      if (current.value.call === call) current.value = { call, contact: answer.items[0] || null };
    })
    .catch(() => {});

/// Shown where the office has purposes: a taxi's needs none.
export function CallContact({ call }) {
  want();
  const used = inUse.value.length > 0;
  const contact = current.value.call === call.id ? current.value.contact : null;
  const news = changedContact.value;
  useEffect(() => {
    if (!used) return;
    if (current.value.call !== call.id) current.value = { call: call.id, contact: null };
    read(call.id);
  }, [call.id, used]);
  useEffect(() => {
    if (!used || !news) return;
    // It enters when the talk begins: until then any may be it.
    if (contact ? contact.id === news.contact : !news.client || !call.client || news.client === call.client) read(call.id);
  }, [news]);
  // What it is about shows before the talk too: a queue that only one purpose has.
  const ofQueue = inUse.value.filter((one) => one.value.queue && one.value.queue === call.queue);
  const purpose = contact ? inUse.value.find((one) => one.id === contact.purpose) : ofQueue.length === 1 ? ofQueue[0] : null;
  const greeting = purpose && purpose.value.greeting ? html`<p class="choices">${t('journal.greeting', { text: purpose.value.greeting })}</p>` : '';
  if (!contact) return purpose && !call.over ? html`<p>${t('journal.purpose')}: <b>${purposeName(purpose.value)}</b></p>${greeting}` : '';
  const choose = (event) => attempt(() => patch(`/journal/${contact.id}`, { purpose: event.target.value ? Number(event.target.value) : null })).then(() => read(call.id));
  const chosen = contact.purpose ? String(contact.purpose) : '';
  const choices = purposeChoices(t('journal.no_purpose'));
  return html`<div class="with call-contact">
    <label class="field"><span>${t('journal.purpose')}</span><select name="purpose" value=${chosen} onChange=${choose}>
      ${(choices.some(([key]) => key === chosen) ? choices : [...choices, [chosen, contact.purpose_title]]).map(([key, text]) => html`<option value=${key} selected=${key === chosen}>${text}</option>`)}</select></label>
    <p><a href=${`#/journal/${contact.id}`}>${t('journal.number', { id: contact.id })}</a> <${ContactState} state=${contact.state} /></p>
  </div>${greeting}`;
}

/// The call is another's from now on, and its contact with it: that of an agent, or of the purpose of a queue.
export async function handOn(call, to) {
  const { contact, call: of } = current.value;
  if (of !== call.id || !contact) return;
  const purposes = to.queue ? inUse.value.filter((one) => one.value.queue === to.queue) : [];
  const body = to.agent ? { responsible: { kind: 'agent', id: to.agent } } : purposes.length === 1 ? { purpose: purposes[0].id } : null;
  if (body) await attempt(() => post(`/journal/${contact.id}/transfer`, { ...body, with_call: true }));
}
