// The board of orders: live, filtered, with every action; and one order with its history.

import { html, useEffect, useState } from '../vendor/preact.js';
import { t, word, address, car, dateTime, dayTime, money, phone, time } from '../i18n.js';
import { changedOrder } from '../store/office.js';
import { get } from '../api.js';
import { usePages, useOne, Listing, Table, Trouble } from '../components/list.js';
import { Facts, OrderState, Since, Until } from '../components/bits.js';
import { OrderActions } from '../components/orderactions.js';

const FILTERS = ['active', 'searching', 'assigned', 'arrived', 'in_trip', 'not_found', 'completed', 'cancelled', 'false', ''];

export default function Orders({ path }) {
  return path.length ? html`<${OneOrder} id=${path[0]} />` : html`<${Board} />`;
}

function Board() {
  const [state, setState] = useState('active');
  const [number, setNumber] = useState('');
  const pages = usePages('/orders', { state, phone: number.replace(/\D/g, '').length >= 4 ? number : '' }, { typed: true });
  const [changed, setChanged] = useState(new Map());
  // An order that changed is read alone: the board stays where it is.
  useEffect(() => {
    const news = changedOrder.value;
    if (!news) return;
    const known = pages.items && pages.items.some((order) => order.id === news.order);
    if (known) get(`/orders/${news.order}`).then((order) => setChanged((old) => new Map(old).set(order.id, order))).catch(() => {});
    else if (pages.items) pages.reload();
  }, [changedOrder.value]);
  useEffect(() => setChanged(new Map()), [pages.items]);
  const fresh = (order) => {
    const other = changed.get(order.id);
    return other && other.version > order.version ? other : order;
  };
  const open = (order) => {
    location.hash = `#/orders/${order.id}`;
  };
  return html`<section class="page">
    <header><h1>${t('view.orders')}</h1>
      <div class="filters">
        <label class="field"><span>${t('order.state_head')}</span><select value=${state} onChange=${(event) => setState(event.target.value)}>
          ${FILTERS.map((name) => html`<option value=${name} selected=${name === state}>${name === '' ? t('all') : name === 'active' ? t('order.active') : word('order.state', name)}</option>`)}</select></label>
        <label class="field"><span>${t('order.phone')}</span><input type="search" value=${number} onInput=${(event) => setNumber(event.target.value)} /></label>
      </div></header>
    <div class="sheet"><${Listing} pages=${pages} empty=${t('order.none')}>
      ${(orders) => html`<${Table} label=${t('view.orders')} rows=${orders.map(fresh)} keyOf=${(order) => order.id} open=${open} marked=${(order) => order.state === 'not_found'} columns=${[
        { head: '№', cell: (order) => order.id, cls: 'num' },
        { head: t('order.created'), cell: (order) => dayTime(order.created_at), cls: 'nowrap' },
        { head: t('order.state_head'), cell: (order) => html`<${OrderState} state=${order.state} /> <${Running} order=${order} />` },
        { head: t('order.from'), cell: (order) => address(order.from) },
        { head: t('order.to'), cell: (order) => order.to.map(address).join(' → ') },
        { head: t('order.phone'), cell: (order) => phone(order.phone), cls: 'nowrap' },
        { head: t('order.car'), cell: (order) => car(order.car) },
        { head: '', cell: (order) => html`<${OrderActions} order=${order} />` },
      ]} />`}
    <//></div>
  </section>`;
}

/// What runs in this state: the search, the way of the car, the waiting.
function Running({ order }) {
  if (order.wanted && order.state === 'searching' && order.wake_at && Date.parse(order.wake_at) > Date.now()) return html`<span class="dim">${dayTime(order.wanted.at)}</span>`;
  if (order.state === 'searching') return html`<${Since} at=${order.searching_at} />`;
  if (order.state === 'assigned' && order.eta) return html`<${Until} at=${order.eta.at} />`;
  if (order.state === 'arrived') return html`<${Since} at=${order.arrived_at} />`;
  return '';
}

function OneOrder({ id }) {
  const read = useOne(`/orders/${id}`);
  const fare = useOne(read.value && read.value.fare ? `/orders/${id}/fare` : null);
  useEffect(() => {
    if (changedOrder.value && String(changedOrder.value.order) === id) read.reload();
  }, [changedOrder.value]);
  const order = read.value;
  if (read.error && !order) return html`<div class="page"><${Trouble} error=${read.error} again=${read.reload} /></div>`;
  if (!order) return html`<p class="loading">${t('list.loading')}</p>`;
  return html`<section class="page">
    <header><h1>${t('order.number', { id: order.id })} <${OrderState} state=${order.state} /></h1><a href="#/orders">${t('view.orders')}</a></header>
    <div class="two">
      <div class="sheet inner page">
        <${Facts} of=${[
          [t('order.from'), address(order.from)],
          [t('order.to'), order.to.map(address).join(' → ')],
          [t('order.phone'), phone(order.phone)],
          [t('order.client'), order.client ? html`<a href=${`#/clients/${order.client}`}>${order.passenger || `№ ${order.client}`}</a>` : order.passenger],
          [t('order.when'), order.wanted ? dateTime(order.wanted.at) : ''],
          [t('order.payment'), word('payment', order.payment)],
          [t('order.estimate'), money(order.estimate)],
          [t('order.fare'), order.fare ? money(order.fare.total) : ''],
          [t('order.car'), car(order.car)],
          [t('driver.name'), order.driver ? [order.driver.name, phone(order.driver.phone)].filter(Boolean).join(' · ') : ''],
          [t('order.comment'), order.comment],
          [t('order.source'), word('source', order.source)],
          [t('reason'), order.cancellation ? `${word('by', order.cancellation.by)}: ${order.cancellation.reason}` : ''],
        ]} />
        <${OrderActions} order=${order} done=${read.reload} />
        ${fare.value && html`<ul class="lines">${fare.value.lines.map((line) => html`<li>${line}</li>`)}</ul>`}
      </div>
      <div class="sheet inner"><h2>${t('order.history')}</h2>
        <ul class="timeline">${order.history.map((line) => html`<li key=${line.version}>
          <span class="dim">${time(line.at)}</span><span>${word('order.event', line.event)}</span>
          <span class="dim">${[line.reason, line.eta_minutes !== undefined ? t('order.eta_minutes') + ` ${line.eta_minutes}` : '', car(line.car), line.actor.name || word('source', line.source)].filter(Boolean).join(' · ')}</span></li>`)}</ul></div>
    </div>
  </section>`;
}
