// What can be done with an order in its state, each with what it asks for.

import { html, useState } from '../vendor/preact.js';
import { post } from '../api.js';
import { t, word } from '../i18n.js';
import { attempt, FormDialog } from './dialog.js';

/// Which actions a state allows: the same as the domain's own rules, which have the last word.
export const ACTIONS = {
  searching: ['assign', 'no-car', 'cancel'],
  assigned: ['arrive', 'eta', 'reassign', 'release', 'cancel'],
  arrived: ['start', 'no-show', 'cancel'],
  in_trip: ['finish'],
  not_found: ['search-again'],
  completed: [],
  cancelled: [],
  false: [],
};
const AT_ONCE = ['arrive', 'start', 'no-car', 'search-again', 'wake'];
const MAIN = { searching: 'assign', assigned: 'arrive', arrived: 'start', in_trip: 'finish', not_found: 'search-again' };

function fields(action, order) {
  const crew = () => [
    { name: 'callsign', label: t('car.callsign') },
    { name: 'plate', label: t('car.plate') },
    { name: 'make', label: t('car.make') },
    { name: 'model', label: t('car.model') },
    { name: 'colour', label: t('car.colour') },
    { name: 'driver', label: t('driver.name') },
    { name: 'driver_phone', label: t('driver.phone'), kind: 'tel' },
    { name: 'eta', label: t('order.eta_minutes'), kind: 'number', min: 0, max: 10080, value: '7', required: true },
  ];
  switch (action) {
    case 'assign':
    case 'reassign':
      return crew();
    case 'eta':
      return [{ name: 'eta', label: t('order.eta_minutes'), kind: 'number', min: 0, max: 10080, value: '5', required: true }];
    case 'release':
      return [{ name: 'reason', label: t('reason'), kind: 'text-long', longest: 2000 }];
    case 'cancel':
      return [
        { name: 'by', label: t('order.cancelled_by'), kind: 'select', value: 'client', options: ['client', 'dispatcher', 'driver', 'office'].map((who) => [who, word('by', who)]) },
        { name: 'reason', label: t('reason'), kind: 'text-long', longest: 2000, required: true },
      ];
    case 'finish':
      return [{ name: 'price', label: t('order.price'), kind: 'number', min: 0, value: order.estimate ? String(order.estimate / 100) : '' }];
    default:
      return [];
  }
}

function body(action, values, order) {
  const version = order.version;
  switch (action) {
    case 'assign':
    case 'reassign': {
      const { callsign, plate, make, model, colour } = values;
      return { car: { callsign, plate, make, model, colour }, driver: { name: values.driver, phone: values.driver_phone }, eta_minutes: Number(values.eta), version };
    }
    case 'eta':
      return { eta_minutes: Number(values.eta), version };
    case 'cancel':
      return { by: values.by, reason: values.reason, version };
    case 'release':
      return { reason: values.reason, version };
    case 'finish':
      return values.price === '' ? { version } : { price: Math.round(Number(values.price) * 100), version };
    default:
      return { version };
  }
}

export function OrderActions({ order, done }) {
  const [open, setOpen] = useState(null);
  const actions = [...(ACTIONS[order.state] || []), ...(order.state === 'searching' && order.wake_at ? ['wake'] : [])];
  if (!actions.length) return '';
  const send = (action, values = {}) => post(`/orders/${order.id}/${action}`, body(action, values, order)).then((after) => done && done(after));
  const choose = (action) => {
    if (AT_ONCE.includes(action) || action === 'no-show') attempt(() => send(action));
    else setOpen(action);
  };
  return html`<div class="buttons">
    ${actions.map(
      (action) => html`<button key=${action} type="button" class=${MAIN[order.state] === action ? 'main' : ''} onClick=${() => choose(action)}>${t(`order.do.${action}`)}</button>`,
    )}
    ${open && html`<${FormDialog} title=${`${t(`order.do.${open}`)}: ${t('order.number', { id: order.id })}`} fields=${fields(open, order)} button=${t(`order.do.${open}`)}
      send=${(values) => send(open, values)} close=${() => setOpen(null)} />`}
  </div>`;
}
