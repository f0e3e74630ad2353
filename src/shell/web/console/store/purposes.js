// Why clients come, and who sees to it: read when it is first needed, and again with every whole picture.

import { computed, effect, signal } from '../vendor/preact.js';
import { get } from '../api.js';
import { language } from '../i18n.js';
import { epoch, me } from './office.js';

/// As the API lists them, the retired ones too; `null` until they are read.
export const purposes = signal(null);
/// Whoever may be responsible: `[{kind, id, name}]`.
export const people = signal([]);
/// Those that may be chosen.
export const inUse = computed(() => (purposes.value || []).filter((one) => !one.retired));

const wanted = signal(false);

/// From now on they are kept up to date.
export function want() {
  wanted.value = true;
}

export async function readAgain() {
  try {
    const [list, all] = await Promise.all([get('/purposes'), get('/journal/people')]);
    purposes.value = list.items;
    people.value = all.items;
  } catch {
    // The next picture of the stream brings it.
  }
}

effect(() => {
  if (wanted.value && me.value && epoch.value >= 0) readAgain();
});

/// Section and name in the language of the person.
export function purposeName(value) {
  const name = (language.value === 'en' && value.name_en) || value.name;
  return value.section ? `${value.section}. ${name}` : name;
}

/// The purpose of a contact in the language of the person.
export function purposeOf(contact) {
  if (!contact.purpose) return '';
  const known = (purposes.value || []).find((one) => one.id === contact.purpose);
  return known ? purposeName(known.value) : contact.purpose_title || '';
}

/// `agent:7`, as the API wants a person in a filter, and forms keep one.
export const keyOf = (person) => (person ? `${person.kind}:${person.id}` : '');
export function personOf(key) {
  const [kind, id] = key.split(':');
  return id ? { kind, id: Number(id) } : null;
}

/// Choices for a form; `nobody` is the text of the empty one.
export const purposeChoices = (nobody) => [['', nobody], ...inUse.value.map((one) => [String(one.id), purposeName(one.value)])];
export const peopleChoices = (nobody) => [['', nobody], ...people.value.filter((one) => one.name).map((one) => [keyOf(one), one.name])];
