// The card of whoever calls: what came with the offer at once, the rest as soon as it is read.

import { html, useEffect, useLayoutEffect, useState } from '../vendor/preact.js';
import { get, post } from '../api.js';
import { t, word, phone, address, car, dayTime, money } from '../i18n.js';
import { changedClient, changedOrder, offeredAt } from '../store/office.js';
import { Facts, OrderState, Since, Until, Warnings } from '../components/bits.js';
import { attempt, FormDialog } from '../components/dialog.js';
import { OrderActions } from '../components/orderactions.js';
import { Note } from '../components/note.js';
import { CallContact } from '../components/callcontact.js';

// What a key was about; where the office called, why.
const about = ({ what, detail }) => (what === 'called_back' ? word('callback.kind', word('occasion', detail)) : detail);
const OPEN = ['searching', 'assigned', 'arrived', 'in_trip', 'not_found'];

/// Reads the client and the last orders, and again when they change.
function useClient(id) {
  const [read, setRead] = useState({ client: null, orders: null, of: null });
  const load = () => {
    if (!id) return;
    get(`/clients/${id}`).then((client) => setRead((old) => ({ ...(old.of === id ? old : {}), client, of: id }))).catch(() => {});
    get(`/orders?client=${id}&limit=6`).then((answer) => setRead((old) => ({ ...(old.of === id ? old : {}), orders: answer.items, of: id }))).catch(() => {});
  };
  useEffect(load, [id]);
  useEffect(() => {
    const [one, two] = [changedClient.value, changedOrder.value];
    if ((one && one.client === id) || (two && two.client === id)) load();
  }, [changedClient.value, changedOrder.value]);
  return { ...(read.of === id ? read : { client: null, orders: null }), reload: load };
}

export function CallCard({ call }) {
  const [found, setFound] = useState(null);
  const id = call.client || found;
  const { client, orders, reload } = useClient(id);
  useLayoutEffect(() => {
    if (!offeredAt.value) return;
    const start = offeredAt.value;
    // After the next frame it is on the screen.
    requestAnimationFrame(() => setTimeout(() => performance.measure('card', { start, end: performance.now(), detail: call.id }), 0));
  }, [call.id, offeredAt.value]);
  // A new number's card is made meanwhile: sought at first, and when a new one comes.
  const newCard = !id && changedClient.value && changedClient.value.version <= 1 ? changedClient.value.client : 0;
  useEffect(() => {
    if (!id && call.number) {
      get(`/clients?number=${encodeURIComponent(call.number)}&limit=1`).then((answer) => answer.items.length && setFound(answer.items[0].id)).catch(() => {});
    }
  }, [call.id, newCard]);
  const shown = orders || call.orders;
  const open = shown.filter((order) => OPEN.includes(order.state));
  const past = shown.filter((order) => !OPEN.includes(order.state));
  return html`<section class=${`card ${call.over || call.left ? 'past' : ''}`} aria-label=${t('card.title')} data-call=${call.id}>
    <header>
      <div>
        <h2>${(client && client.title !== call.number && client.title) || call.name || phone(call.number)}</h2>
        ${((client && client.title) || call.name) && (!client || client.title !== call.number) ? html`<p class="number">${phone(call.number)}</p>` : ''}
      </div>
      <div class="badges">
        <span class="badge">${call.over || call.left ? t('card.over') : word('stage', call.stage)}</span>
        <${Warnings} blocked=${client ? client.blocked : call.blocked} conflict=${client ? client.conflict : call.conflict} />
        ${client && client.company && html`<span class="badge">${client.company}</span>`}
      </div>
    </header>
    <${Note} client=${client} text=${call.note} reload=${reload} />
    <${CallContact} call=${call} />
    ${call.choices.length > 0 && html`<p class="choices">${t('card.choices')}: ${call.choices.map((choice) => `${word('choice', choice.what)}${choice.detail ? ` ${about(choice)}` : ''}`).join(' → ')}</p>`}
    ${open.map((order) => html`<${OpenOrder} key=${order.id} order=${order} />`)}
    ${past.length > 0 && html`<h3>${t('card.past')}</h3>
      <ul class="lines">${past.slice(0, 5).map((order) => html`<li key=${order.id}>
        <a href=${`#/orders/${order.id}`}>${dayTime(order.created_at)}</a>
        <span class="grow">${address(order.from)}${order.to && (Array.isArray(order.to) ? order.to[0] : order.to) ? ` → ${address(Array.isArray(order.to) ? order.to[order.to.length - 1] : order.to)}` : ''}</span>
        <${OrderState} state=${order.state} />
      </li>`)}</ul>`}
    ${client && html`<${Checks} client=${client} reload=${reload} />
      <${Facts} of=${[
        [t('client.completed'), client.counters.completed],
        [t('client.false'), client.counters.false],
        [t('client.complaints'), client.counters.complaints],
        [t('client.account'), client.balances.account ? money(client.balances.account) : ''],
        [t('client.bonus'), client.balances.bonus ? money(client.balances.bonus) : ''],
        [t('client.tags'), client.tags.join(', ')],
      ]} />
      <footer class="buttons"><a class="button" href=${`#/clients/${client.id}`}>${t('card.open')}</a><${Complain} client=${client} reload=${reload} /></footer>`}
  </section>`;
}

/// An order that is on its way, with what a caller asks about.
function OpenOrder({ order }) {
  const eta = order.eta ? order.eta.at : order.eta_at;
  const whole = order.version !== undefined;
  return html`<article class="open-order">
    <header><a href=${`#/orders/${order.id}`}>${t('order.number', { id: order.id })}</a> <${OrderState} state=${order.state} />
      ${order.state === 'assigned' && eta && html`<span>${t('order.in')} <${Until} at=${eta} /></span>`}
      ${order.state === 'arrived' && html`<span>${t('order.waits')} <${Since} at=${order.arrived_at} /></span>`}
      ${order.state === 'searching' && html`<span><${Since} at=${order.searching_at || order.created_at} /></span>`}
    </header>
    <p>${address(order.from)}${order.car ? html`<br /><b>${car(order.car)}</b>` : ''}</p>
    ${whole && html`<${OrderActions} order=${order} />`}
  </article>`;
}

/// Data that are old or missing: «уточните».
function Checks({ client, reload }) {
  if (!client.checks || !client.checks.length) return '';
  const confirm = (what) => attempt(() => post(`/clients/${client.id}/confirm`, { what })).then(reload);
  return html`<div class="checks"><span>${t('card.check')}</span>${client.checks.slice(0, 3).map(
    (check) => html`<span key=${JSON.stringify(check.what)}>${word('doubt', check.what.kind)}${check.what.number ? ` ${phone(check.what.number)}` : ''}
      ${!check.missing && html`<button type="button" class="quiet" onClick=${() => confirm(check.what)}>${t('card.right')}</button>`}</span>`,
  )}</div>`;
}

function Complain({ client, reload }) {
  const [open, setOpen] = useState(false);
  return html`<button type="button" onClick=${() => setOpen(true)}>${t('client.complaint')}</button>
    ${open && html`<${FormDialog} title=${t('client.complaint')} close=${() => setOpen(false)} button=${t('save')}
      fields=${[{ name: 'text', label: t('client.complaint_text'), kind: 'text-long', required: true, longest: 2000 }]}
      send=${(values) => post(`/clients/${client.id}/complaint`, { text: values.text }).then(reload)} />`}`;
}

