// The journal of contacts: on top those who wait, as a reminder; below everything, by filters. One contact is in
// contact.js.

import { html, useEffect, useState } from '../vendor/preact.js';
import { get } from '../api.js';
import { t, word, dayTime, phone } from '../i18n.js';
import { changedContact } from '../store/office.js';
import { titleOf } from '../store/notices.js';
import { keyOf, peopleChoices, purposeChoices, purposeOf, want } from '../store/purposes.js';
import { usePages, useOne, Listing, Table } from '../components/list.js';
import { Since } from '../components/bits.js';
import { ContactActions, ContactState, Responsible } from '../components/contact.js';
import { NewContact } from '../components/newcontact.js';
import { begin, end } from '../components/days.js';
import { OneContact } from './contact.js';

const STATES = ['open', 'new', 'waiting', 'in_work', 'done', 'ignored', ''];
const KINDS = ['', 'call_in', 'call_out', 'visit'];
/// What changes together is read together.
const TOGETHER_MS = 100;

export default function Journal({ path }) {
  want();
  if (path.length && path[0] !== 'new') return html`<${OneContact} key=${path[0]} id=${path[0]} />`;
  return html`<${All} making=${path[0] === 'new'} />`;
}

/// Does it soon after a contact has changed, once for many.
export function useNews(act) {
  useEffect(() => {
    if (!changedContact.value) return undefined;
    const wait = setTimeout(act, TOGETHER_MS);
    return () => clearTimeout(wait);
  }, [changedContact.value]);
}

function All({ making }) {
  const [filter, setFilter] = useState({ state: 'open', kind: '', purpose: '', responsible: '', q: '', from: '', till: '' });
  const set = (name) => (event) => setFilter({ ...filter, [name]: event.target.value });
  const { from, till, q, ...rest } = filter;
  const number = /^[+\d\s()-]{4,}$/.test(q.trim());
  const pages = usePages('/journal', { ...rest, from: begin(from), to: end(till), phone: number ? q.trim() : '', q: number ? '' : q.trim() }, { typed: true });
  const board = useOne('/journal/board');
  const [changed, setChanged] = useState(new Map());
  useNews(board.reload);
  // What changed is read alone: the list stays where it is. What is new to it makes it be read again.
  useNews(() => {
    const news = changedContact.value;
    if (!pages.items) return;
    if (pages.items.some((one) => one.id === news.contact)) get(`/journal/${news.contact}`).then(fresher).catch(() => {});
    else pages.reload();
  });
  useEffect(() => setChanged(new Map()), [pages.items]);
  const fresher = (one) => setChanged((old) => new Map(old).set(one.id, one));
  const fresh = (one) => {
    const other = changed.get(one.id);
    return other && other.version > one.version ? other : one;
  };
  const pick = (name, label, options) => html`<label class="field"><span>${label}</span><select name=${name} value=${filter[name]} onChange=${set(name)}>
    ${options.map(([key, text]) => html`<option value=${key} selected=${key === filter[name]}>${text}</option>`)}</select></label>`;
  const day = (name, label) => html`<label class="field day"><span>${label}</span><input type="date" name=${name} value=${filter[name]} onInput=${set(name)} /></label>`;
  const open = (one) => {
    location.hash = `#/journal/${one.id}`;
  };
  const done = (one) => {
    fresher(one);
    board.reload();
  };
  return html`<section class="page">
    <header><h1>${t('view.journal')}</h1><a class="button strong" href="#/journal/new">${t('journal.new')} <kbd>F8</kbd></a></header>
    <${Waiting} board=${board} done=${done} open=${open} />
    <div class="filters many-of">
      ${pick('state', t('journal.state_head'), STATES.map((one) => [one, one ? word('journal.state', one) : t('all')]))}
      ${pick('purpose', t('journal.purpose'), purposeChoices(t('all')))}
      ${pick('responsible', t('journal.responsible'), [['', t('all')], ['me', t('journal.me')], ...peopleChoices('').slice(1)])}
      ${pick('kind', t('journal.kind'), KINDS.map((one) => [one, one ? word('journal.kind', one) : t('all')]))}
      ${day('from', t('record.from'))}${day('till', t('record.till'))}
      <label class="field"><span>${t('journal.find')}</span><input type="search" name="q" value=${q} onInput=${set('q')} /></label>
    </div>
    <div class="sheet"><${Listing} pages=${pages} empty=${t('journal.none')}>
      ${(rows) => html`<${Table} label=${t('view.journal')} rows=${rows.map(fresh)} keyOf=${(one) => one.id} open=${open} marked=${(one) => one.state === 'waiting'} columns=${[
        { head: '№', cell: (one) => one.id, cls: 'num' },
        { head: t('call.time'), cell: (one) => dayTime(one.created_at), cls: 'nowrap' },
        { head: t('journal.kind'), cell: (one) => word('journal.kind', one.kind) },
        { head: t('journal.state_head'), cell: (one) => html`<${ContactState} state=${one.state} /> ${one.waiting_since ? html`<${Since} at=${one.waiting_since} />` : ''}` },
        { head: t('journal.who'), cell: (one) => html`${one.client ? html`<a href=${`#/clients/${one.client}`}>${titleOf(one)}</a>` : titleOf(one)}${one.phone && one.client_name !== one.phone && (one.client_name || one.description) ? html` <span class="dim nowrap">${phone(one.phone)}</span>` : ''}` },
        { head: t('journal.purpose'), cell: purposeOf },
        { head: t('journal.about'), cell: (one) => one.comment || one.outcome },
        { head: t('journal.documents'), cell: (one) => one.references.map((document) => document.number).join(', ') },
        { head: t('journal.responsible'), cell: (one) => html`<${Responsible} contact=${one} />` },
        { head: '', cell: (one) => html`<${ContactActions} contact=${one} done=${done} few=${true} />` },
      ]} />`}
    <//></div>
    ${making && html`<${NewContact} close=${(made) => { location.hash = '#/journal'; if (made) pages.reload(); }} />`}
  </section>`;
}

/// Who is here and waits, the longest first; and how many contacts nobody has looked at.
function Waiting({ board, done, open }) {
  if (!board.value) return '';
  const { waiting, new: fresh } = board.value;
  if (!waiting.length && !fresh.length) return '';
  return html`<section aria-label=${t('journal.board')}>
    ${fresh.length > 0 && html`<p class="queue-line">${t('journal.new_ones', { count: fresh.length })}</p>`}
    <ul class="waiting">${waiting.map((one) => html`<li key=${one.id} data-contact=${one.id}>
      <header><button type="button" class="link" onClick=${() => open(one)}>${titleOf(one)}</button> <${Since} at=${one.waiting_since} /></header>
      <p>${[purposeOf(one), one.comment].filter(Boolean).join(' · ')}</p>
      <footer><span class="dim">${one.responsible ? one.responsible.name || keyOf(one.responsible) : t('journal.all_specialists')}</span><${ContactActions} contact=${one} done=${done} few=${true} /></footer>
    </li>`)}</ul>
  </section>`;
}
