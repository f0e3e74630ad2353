// What is shown of a contact, and what can be done with it in its state: the same as the domain's own rules, which have
// the last word.

import { html, useState } from '../vendor/preact.js';
import { post } from '../api.js';
import { t, word } from '../i18n.js';
import { attempt, FormDialog } from './dialog.js';
import { keyOf, peopleChoices, personOf, purposeChoices, want } from '../store/purposes.js';

const ACTIONS = {
  new: ['take', 'wait', 'done', 'transfer', 'ignore'],
  waiting: ['take', 'done', 'transfer', 'ignore'],
  in_work: ['done', 'wait', 'transfer', 'ignore'],
  done: ['transfer'],
  ignored: [],
};
const MAIN = { new: 'take', waiting: 'take', in_work: 'done' };
const AT_ONCE = ['take', 'wait'];
export const REASONS = ['spam', 'wrong_number', 'duplicate', 'unreachable', 'left', 'other'];
export const DOCUMENTS = ['worksheet', 'appointment', 'visit', 'work_order', 'order'];

export function ContactState({ state }) {
  return html`<span class=${`badge contact-${state}`}>${word('journal.state', state)}</span>`;
}

/// `few`: only what the state asks for first.
export function ContactActions({ contact, done, few }) {
  const [open, setOpen] = useState('');
  want();
  const all = ACTIONS[contact.state] || [];
  const actions = few ? all.filter((action) => MAIN[contact.state] === action) : all;
  if (!actions.length) return '';
  const send = (action, body = {}) => post(`/journal/${contact.id}/${action}`, { ...body, version: contact.version }).then((after) => done && done(after));
  const choose = (action) => (AT_ONCE.includes(action) ? attempt(() => send(action)) : setOpen(action));
  const comment = (required) => ({ name: 'comment', label: t('journal.outcome'), kind: 'text-long', longest: 2000, required });
  const fields = {
    done: () => [comment(false)],
    ignore: () => [
      { name: 'reason', label: t('reason'), kind: 'select', value: contact.kind === 'visit' ? 'left' : 'spam', options: REASONS.map((one) => [one, word('journal.ignored', one)]) },
      { ...comment(false), needs: (values) => values.reason === 'other' },
    ],
    transfer: () => [
      { name: 'responsible', label: t('journal.responsible'), kind: 'select', options: peopleChoices(t('journal.all_specialists')) },
      { name: 'purpose', label: t('journal.purpose'), kind: 'select', value: contact.purpose ? String(contact.purpose) : '', options: purposeChoices(t('journal.no_purpose')) },
      { ...comment(false), label: t('journal.to_know') },
    ],
  };
  const body = (action, values) => {
    if (action !== 'transfer') return values;
    const purpose = values.purpose && Number(values.purpose) !== contact.purpose ? Number(values.purpose) : undefined;
    return { responsible: personOf(values.responsible) || undefined, purpose, comment: values.comment };
  };
  return html`<div class="buttons">
    ${actions.map((action) => html`<button key=${action} type="button" class=${MAIN[contact.state] === action ? 'main' : ''} onClick=${() => choose(action)}>${t(`journal.do.${action}`)}</button>`)}
    ${open && html`<${FormDialog} title=${`${t(`journal.do.${open}`)}: ${t('journal.number', { id: contact.id })}`} button=${t(`journal.do.${open}`)}
      fields=${fields[open]()} send=${(values) => send(open, body(open, values))} close=${() => setOpen('')} />`}
  </div>`;
}

/// Whose it is.
export const Responsible = ({ contact }) => (contact.responsible ? contact.responsible.name || keyOf(contact.responsible) : '');
