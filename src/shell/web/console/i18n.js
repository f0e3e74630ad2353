// Words in the language of the person. A catalogue maps keys to texts; a text with forms of the plural is a table by
// the rules of `Intl.PluralRules` and is chosen by `count`.

import { signal } from './vendor/preact.js';

const KEPT = 'perezvon.language';

export const LANGUAGES = ['ru', 'en'];

export const language = signal(remembered());

/// Read by every text, so that everything is drawn anew in another language.
const words = signal({});

function remembered() {
  try {
    const kept = localStorage.getItem(KEPT);
    if (LANGUAGES.includes(kept)) return kept;
  } catch {
    // A browser that keeps nothing.
  }
  return 'ru';
}

/// Fetches the catalogue of the language.
export async function load() {
  const response = await fetch(new URL(`./locales/${language.value}.json`, import.meta.url));
  const read = await response.json();
  document.documentElement.lang = language.value;
  words.value = read;
}

export async function speak(name) {
  language.value = name;
  try {
    localStorage.setItem(KEPT, name);
  } catch {
    // It is asked again next time.
  }
  await load();
}

/// The text of a key. `{name}` in it is replaced by `values.name`.
export function t(key, values) {
  let text = words.value[key];
  if (text && typeof text === 'object') {
    const form = new Intl.PluralRules(language.value).select(Number((values || {}).count || 0));
    text = text[form] || text.other;
  }
  if (text === undefined) return key;
  if (!values) return text;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (values[name] === undefined ? whole : String(values[name])));
}

/// There is such a key.
export const has = (key) => words.value[key] !== undefined;

/// A word of the API in the language of the person; the word itself where it is the office's own.
export const word = (group, value) => (value && has(`${group}.${value}`) ? t(`${group}.${value}`) : value || '');

export const money = (kopecks) =>
  kopecks === null || kopecks === undefined
    ? ''
    : new Intl.NumberFormat(language.value, { style: 'currency', currency: 'RUB', minimumFractionDigits: kopecks % 100 ? 2 : 0 }).format(kopecks / 100);

const clock = (options) => (moment) => (moment ? new Intl.DateTimeFormat(language.value, options).format(new Date(moment)) : '');
export const time = clock({ hour: '2-digit', minute: '2-digit' });
export const day = clock({ day: 'numeric', month: 'short' });
export const dayTime = clock({ day: '2-digit', month: '2-digit', hour: '2-digit', minute: '2-digit' });
export const dateTime = clock({ day: '2-digit', month: '2-digit', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit' });

/// `1:05` of milliseconds.
export function span(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n) => String(n).padStart(2, '0');
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/// A number as people read it: `+7 900 123-45-67`.
export function phone(number) {
  if (!number) return t('call.hidden');
  const found = /^\+7(\d{3})(\d{3})(\d{2})(\d{2})$/.exec(number);
  return found ? `+7 ${found[1]} ${found[2]}-${found[3]}-${found[4]}` : number;
}

/// An address in one line.
export function address(place) {
  if (!place) return '';
  const entrance = place.entrance ? t('address.entrance_short', { entrance: place.entrance }) : '';
  return [place.city, place.street, place.house, entrance].filter(Boolean).join(', ') || place.comment || '';
}

/// A car in one line.
export function car(one) {
  if (!one) return '';
  return [one.colour, one.make, one.model, one.plate, one.callsign && t('car.callsign_short', { callsign: one.callsign })]
    .filter(Boolean)
    .join(' ');
}
