// Entries of all accounts and bonuses.

import { html, useState } from '../vendor/preact.js';
import { t, word, dayTime, money } from '../i18n.js';
import { usePages, Listing, Table } from '../components/list.js';

const KINDS = ['top_up', 'payment', 'refund', 'accrual', 'referral', 'write_off', 'transfer'];

export default function Ledger() {
  const [book, setBook] = useState('');
  const [kind, setKind] = useState('');
  const pages = usePages('/ledger', { book, kind });
  const pick = (label, value, set, names, group) => html`<label class="field"><span>${label}</span><select value=${value} onChange=${(event) => set(event.target.value)}>
    <option value="">${t('all')}</option>${names.map((one) => html`<option value=${one}>${word(group, one)}</option>`)}</select></label>`;
  return html`<section class="page">
    <header><h1>${t('view.ledger')}</h1><div class="filters">${pick(t('ledger.book'), book, setBook, ['account', 'bonus'], 'ledger.book')}${pick(t('ledger.kind'), kind, setKind, KINDS, 'ledger.kind')}</div></header>
    <div class="sheet"><${Listing} pages=${pages} empty=${t('ledger.none')}>
      ${(rows) => html`<${Table} label=${t('view.ledger')} rows=${rows} keyOf=${(one) => `${one.client}-${one.number}`} columns=${[
        { head: t('call.time'), cell: (one) => dayTime(one.at), cls: 'nowrap' },
        { head: t('order.client'), cell: (one) => html`<a href=${`#/clients/${one.client}`}>№ ${one.client}</a>` },
        { head: t('ledger.book'), cell: (one) => word('ledger.book', one.book) },
        { head: t('ledger.kind'), cell: (one) => word('ledger.kind', one.kind) },
        { head: t('ledger.sum'), cell: (one) => money(one.amount), cls: 'num' },
        { head: t('ledger.balance'), cell: (one) => money(one.balance), cls: 'num' },
        { head: t('ledger.comment'), cell: (one) => html`${one.comment} ${one.order ? html`<a href=${`#/orders/${one.order}`}>№ ${one.order}</a>` : ''}` },
        { head: t('blocked.by'), cell: (one) => one.actor.name },
      ]} />`}
    <//></div>
  </section>`;
}
