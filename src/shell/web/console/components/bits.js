// Small parts that many views use.

import { html } from '../vendor/preact.js';
import { span, t, word } from '../i18n.js';
import { now } from '../store/clock.js';

/// How long something lasts by now.
export function Since({ at, until }) {
  if (!at) return '';
  const end = until ? Date.parse(until) : now.value;
  return html`<span class="clock">${span(end - Date.parse(at))}</span>`;
}

/// How long until something.
export function Until({ at }) {
  return at ? html`<span class="clock">${span(Date.parse(at) - now.value)}</span>` : '';
}

/// How an agent stands.
export function AgentState({ agent }) {
  const shown = agent.state === 'idle' ? agent.status : agent.state;
  const tone = { ready: 'good', pause: 'warn', offline: 'dim', offered: 'ring', talking: 'busy', wrap_up: 'warn', releasing: 'busy', dialling: 'busy' };
  const text = agent.state === 'idle' ? word('status', agent.status) : word('agent.state', agent.state);
  const reason = agent.status === 'pause' && agent.state === 'idle' && agent.reason ? word('pause', agent.reason) : '';
  return html`<span class=${`badge ${tone[shown] || ''}`}>${text}${reason && html`<small>${reason}</small>`}</span>`;
}

export function OrderState({ state }) {
  return html`<span class=${`badge order-${state}`}>${word('order.state', state)}</span>`;
}

/// What warns whoever talks with this client.
export function Warnings({ blocked, conflict }) {
  return html`${blocked ? html`<span class="badge bad">${t('client.blocked')}</span>` : ''}
  ${conflict ? html`<span class="badge bad">${t('client.conflict', { level: conflict })}</span>` : ''}`;
}

/// A row of `[label, value]`; what is empty is left out.
export function Facts({ of }) {
  return html`<dl class="facts">
    ${of.filter(([, value]) => value !== '' && value !== null && value !== undefined && value !== false).map(
      ([label, value]) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`,
    )}
  </dl>`;
}
