// A new contact, by keyboard alone: who came, what for, who is to see to it. What is typed is kept until it is sent.

import { html, useEffect, useState } from '../vendor/preact.js';
import { get, newKey, post, query } from '../api.js';
import { t, word } from '../i18n.js';
import { read, write } from '../store/kept.js';
import { peopleChoices, personOf, purposeChoices, want } from '../store/purposes.js';
import { Dialog, Field, tell } from './dialog.js';

const KINDS = ['visit', 'call_in', 'call_out'];
const blank = () => ({ kind: 'visit', waiting: true, purpose: '', phone: '', description: '', comment: '', responsible: '', key: newKey() });

export function NewContact({ close }) {
  const [values, setValues] = useState(() => ({ ...blank(), ...(read('contact') || {}) }));
  const [client, setClient] = useState(null);
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  want();
  const keep = (next) => {
    setValues(next);
    write('contact', next);
  };
  const set = (name) => (value) => keep({ ...values, [name]: value });
  // Whose number it is: the office may know the visitor.
  useEffect(() => {
    setClient(null);
    if (values.phone.replace(/\D/g, '').length < 5) return undefined;
    const wait = setTimeout(() => {
      get(`/clients${query({ number: values.phone, limit: 1 })}`).then((answer) => setClient(answer.items[0] || null)).catch(() => {});
    }, 250);
    return () => clearTimeout(wait);
  }, [values.phone]);
  const send = async (event) => {
    event.preventDefault();
    setBusy(true);
    setError('');
    const { kind, waiting, purpose, phone, description, comment, responsible, key } = values;
    try {
      const made = await post('/journal', {
        kind, waiting, phone, description, comment,
        purpose: purpose ? Number(purpose) : undefined,
        responsible: personOf(responsible) || undefined,
        client: client ? client.id : undefined,
      }, { key });
      write('contact', null);
      tell(t('journal.entered', { id: made.id }));
      close(made);
    } catch (cause) {
      setError(cause.offline ? t('list.offline') : cause.message);
      // Sent again after a lost connection it is entered once.
      if (cause.status) keep({ ...values, key: newKey() });
      setBusy(false);
    }
  };
  const leave = () => {
    write('contact', null);
    close(null);
  };
  const keys = (event) => {
    // In a choice a browser sends nothing by itself.
    if (event.key === 'Enter' && (event.ctrlKey || event.target.tagName === 'SELECT')) {
      event.preventDefault();
      event.currentTarget.requestSubmit();
    }
  };
  const field = (name, label, more = {}) => html`<${Field} field=${{ name, label, ...more }} value=${values[name]} set=${set(name)} />`;
  return html`<${Dialog} title=${t('journal.new')} close=${leave}>
    <form class="fields" onSubmit=${send} onKeyDown=${keys}>
      ${field('phone', t('call.number'), { kind: 'tel', longest: 120 })}
      ${client ? html`<p class="client"><a href=${`#/clients/${client.id}`}>${client.title}</a></p>` : field('description', t('journal.who'), { longest: 2000 })}
      ${field('purpose', t('journal.purpose'), { kind: 'select', options: purposeChoices(t('journal.no_purpose')) })}
      ${field('comment', t('journal.about'), { longest: 2000 })}
      ${field('responsible', t('journal.responsible'), { kind: 'select', options: peopleChoices(t('journal.all_specialists')) })}
      ${field('kind', t('journal.kind'), { kind: 'select', options: KINDS.map((kind) => [kind, word('journal.kind', kind)]) })}
      ${field('waiting', t('journal.waits'), { kind: 'check' })}
      ${error && html`<p class="trouble" role="alert">${error}</p>`}
      <footer>
        <button type="button" class="quiet" onClick=${leave}>${t('cancel')}</button>
        <button type="submit" class="main" disabled=${busy}>${t('journal.enter')} <kbd>Enter</kbd></button>
      </footer>
    </form>
  <//>`;
}
