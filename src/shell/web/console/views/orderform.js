// Taking an order: by keyboard alone. Enter goes from field to field, the last one sends. What is typed stays over a
// push, a reload and a lost connection, and a second call does not touch it.

import { html, signal, effect, useEffect, useRef, useState } from '../vendor/preact.js';
import { get, newKey, patch, post, query } from '../api.js';
import { t, money, phone as pretty, word } from '../i18n.js';
import { myCall } from '../store/office.js';
import { read, write } from '../store/kept.js';
import { tell } from '../components/dialog.js';
import { AddressField, parse } from '../components/address.js';

const blank = () => ({ call: '', phone: '', client: null, name: '', from: { text: '', place: null }, to: { text: '', place: null }, when: '', tariff: '', payment: 'cash', comment: '', km: '', key: newKey() });

/// The order that is being typed.
export const draft = signal({ ...blank(), ...(read('order') || {}) });
effect(() => write('order', draft.value));

const typed = (order) => !!(order.name || order.from.text || order.to.text || order.comment || order.km || order.when);
const set = (what) => {
  draft.value = { ...draft.value, ...what };
};

/// Begins an order for a number, if nothing is being typed.
export function orderFor({ phone, client = null, call = '' }) {
  if (typed(draft.value)) {
    tell(t('order.unsent'), 'bad');
    return false;
  }
  draft.value = { ...blank(), phone: phone || '', client, call };
  location.hash = '#/desk';
  focusSoon();
  return true;
}

let focusFrom = () => {};
const focusSoon = () => setTimeout(() => focusFrom(), 30);

function nameOf(text) {
  const words = text.trim().split(/\s+/);
  if (words.length === 1) return { name: words[0] };
  return { surname: words[0], name: words[1], patronymic: words.slice(2).join(' ') };
}

/// «18:30», «1830» or «+40»: when the car is wanted.
export function moment(text) {
  const plain = text.trim();
  if (!plain) return null;
  const minutes = /^\+(\d{1,4})$/.exec(plain);
  if (minutes) return new Date(Date.now() + Number(minutes[1]) * 60000);
  const clock = /^(\d{1,2})[:. ]?(\d{2})$/.exec(plain);
  if (!clock || Number(clock[1]) > 23 || Number(clock[2]) > 59) return undefined;
  const at = new Date();
  at.setHours(Number(clock[1]), Number(clock[2]), 0, 0);
  if (at < Date.now()) at.setDate(at.getDate() + 1);
  return at;
}

function useTariffs() {
  const [tariffs, setTariffs] = useState([]);
  useEffect(() => {
    get('/tariffs').then((answer) => setTariffs(answer.items.filter((one) => !one.retired))).catch(() => {});
  }, []);
  return tariffs;
}

/// The price: of the distance that was typed, else the least.
function useEstimate(tariff, km, client) {
  const [fare, setFare] = useState(null);
  useEffect(() => {
    if (!tariff) return undefined;
    const metres = Number(km.replace(',', '.')) * 1000;
    // In town a car makes some 25 km an hour.
    const wait = setTimeout(() => {
      get(`/tariffs/${tariff}/estimate${query({ inside_m: Math.round(metres) || 0, duration_s: Math.round(metres / 7) || 0, client })}`).then(setFare).catch(() => setFare(null));
    }, 150);
    return () => clearTimeout(wait);
  }, [tariff, km, client]);
  return fare;
}

export function OrderForm() {
  const order = draft.value;
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const [client, setClient] = useState(null);
  const tariffs = useTariffs();
  const fields = { phone: useRef(null), name: useRef(null), from: useRef(null), to: useRef(null), comment: useRef(null), send: useRef(null) };
  const go = (name) => fields[name].current && fields[name].current.focus();
  const usual = tariffs.find((one) => one.id === (client && client.tariff)) || tariffs.find((one) => one.is_default) || tariffs[0];
  const tariff = order.tariff ? Number(order.tariff) : usual && usual.id;
  const fare = useEstimate(tariff, order.km, order.client);
  // A price that does not depend on the way is known at once; any other begins at the least.
  const chosen = tariffs.find((one) => one.id === tariff);
  const fixed = !!chosen && !['per_km_inside', 'per_km_outside', 'per_minute'].some((name) => chosen.value[name]);
  const call = myCall.value;

  focusFrom = () => go('from');
  // A call fills the number in, unless something is being typed for another.
  useEffect(() => {
    if (!call || call.id === draft.value.call || typed(draft.value)) return;
    draft.value = { ...blank(), call: call.id, phone: call.number, client: call.client || null };
    setError('');
  }, [call && call.id]);
  useEffect(() => {
    if (call && call.id === draft.value.call && call.client && !draft.value.client) set({ client: call.client });
    if (call && call.stage === 'talking' && call.id === draft.value.call && !typed(draft.value)) focusSoon();
  }, [call && call.client, call && call.stage]);
  // Whose number it is.
  useEffect(() => {
    setClient(null);
    if (order.client) {
      get(`/clients/${order.client}`).then(setClient).catch(() => {});
      return undefined;
    }
    if (order.phone.replace(/\D/g, '').length < 5) return undefined;
    const wait = setTimeout(() => {
      get(`/clients${query({ number: order.phone, limit: 1 })}`)
        .then((answer) => answer.items.length && set({ client: answer.items[0].id }))
        .catch(() => {});
    }, 250);
    return () => clearTimeout(wait);
  }, [order.client, order.phone]);

  const nameless = client && !client.company && !client.name.name && !client.name.surname;
  const clear = () => {
    draft.value = { ...blank(), ...(call ? { call: call.id, phone: call.number, client: call.client || null } : {}) };
    setError('');
    focusSoon();
  };
  const send = async (event) => {
    if (event) event.preventDefault();
    const now = draft.value;
    const from = now.from.place || (now.from.text.trim() ? parse(now.from.text) : null);
    const at = moment(now.when);
    if (!from) {
      setError(t('order.needs_from'));
      go('from');
      return;
    }
    if (at === undefined) {
      setError(t('order.wrong_time'));
      return;
    }
    const to = now.to.place || (now.to.text.trim() ? parse(now.to.text) : null);
    setBusy(true);
    setError('');
    try {
      const made = await post(
        '/orders',
        {
          client: now.client || undefined,
          phone: now.phone,
          passenger: client || !now.name ? '' : now.name,
          from,
          to: to ? [to] : [],
          wanted: at ? { at: at.toISOString() } : undefined,
          tariff: now.tariff ? Number(now.tariff) : undefined,
          payment: now.payment,
          comment: now.comment,
          estimate: (now.km || fixed) && fare ? fare.fare.total : undefined,
        },
        { key: now.key },
      );
      const who = made.client || now.client;
      if (now.name && who && (nameless || !client)) {
        await patch(`/clients/${who}`, { name: nameOf(now.name) }).catch(() => {});
      }
      tell(t('order.taken', { id: made.id }));
      performance.mark('order-taken', { detail: made.id });
      draft.value = { ...blank(), call: now.call, phone: now.phone, client: who };
    } catch (cause) {
      // Sent again with the same key it is taken once, whatever happened to the first.
      setError(cause.offline ? t('order.offline') : cause.message);
      if (cause.status) set({ key: newKey() });
    } finally {
      setBusy(false);
    }
  };
  const onEnter = (next) => (event) => {
    if (event.key === 'Enter' && !event.ctrlKey) {
      event.preventDefault();
      go(next);
    }
  };
  const all = (event) => {
    if (event.key === 'Enter' && event.ctrlKey) send(event);
  };
  return html`<form class="order-form" aria-label=${t('order.new')} onSubmit=${send} onKeyDown=${all} autocomplete="off">
    <header><h2>${t('order.new')}</h2>
      ${call && order.call !== call.id && html`<button type="button" class="main" onClick=${clear}>${t('order.for_call', { number: pretty(call.number) })}</button>`}
      <button type="button" class="quiet" onClick=${clear}>${t('order.clear')}</button></header>
    <div class="with">
      <label class="field"><span>${t('order.phone')}</span><input ref=${fields.phone} name="phone" type="tel" value=${order.phone} onKeyDown=${onEnter('from')}
        onInput=${(event) => set({ phone: event.target.value, client: null })} /></label>
      ${client && !nameless
        ? html`<p class="client"><a href=${`#/clients/${client.id}`}>${client.title}</a>${client.blocked ? html` <span class="badge bad">${t('client.blocked')}</span>` : ''}</p>`
        : html`<label class="field"><span>${t('order.name')}</span><input ref=${fields.name} name="name" value=${order.name} maxlength="120" onKeyDown=${onEnter('from')} onInput=${(event) => set({ name: event.target.value })} /></label>`}
    </div>
    ${client && client.note && html`<p class="note strong">${client.note}</p>`}
    <${AddressField} label=${t('order.from')} name="from" value=${order.from} set=${(from) => set({ from })} client=${order.client} refTo=${fields.from} usual=${true} onEnter=${() => go('to')} />
    <${AddressField} label=${t('order.to')} name="to" value=${order.to} set=${(to) => set({ to })} client=${order.client} refTo=${fields.to} onEnter=${() => go('comment')} />
    <label class="field"><span>${t('order.comment')}</span><input ref=${fields.comment} name="comment" value=${order.comment} maxlength="2000" onKeyDown=${onEnter('send')} onInput=${(event) => set({ comment: event.target.value })} /></label>
    <div class="with">
      <label class="field"><span>${t('order.when')}</span><input name="when" value=${order.when} placeholder=${t('order.now')} onKeyDown=${onEnter('send')} onInput=${(event) => set({ when: event.target.value })} /></label>
      <label class="field"><span>${t('order.tariff')}</span><select name="tariff" value=${tariff || ''} onChange=${(event) => set({ tariff: event.target.value })}>
        ${tariffs.map((one) => html`<option value=${one.id} selected=${one.id === tariff}>${one.value.name}</option>`)}</select></label>
      <label class="field"><span>${t('order.payment')}</span><select name="payment" value=${order.payment} onChange=${(event) => set({ payment: event.target.value })}>
        ${['cash', 'account', 'bonus'].map((one) => html`<option value=${one} selected=${one === order.payment}>${word('payment', one)}</option>`)}</select></label>
      <label class="field short"><span>${t('order.km')}</span><input name="km" inputmode="decimal" value=${order.km} onKeyDown=${onEnter('send')} onInput=${(event) => set({ km: event.target.value })} /></label>
    </div>
    ${error && html`<p class="trouble" role="alert">${error}</p>`}
    <footer>
      <output class="estimate">${fare ? (order.km || fixed ? money(fare.fare.total) : html`${t('order.at_least', { sum: money(fare.fare.total) })} <small>${t('order.needs_km')}</small>`) : ''}</output>
      <button ref=${fields.send} type="submit" class="main big" disabled=${busy}>${t('order.send')} <kbd>Ctrl Enter</kbd></button>
    </footer>
  </form>`;
}
