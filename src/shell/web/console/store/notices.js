// What this person is to see to: clients who wait, contacts that were handed on. Whoever takes one makes the notices of
// the others go away. A notice is told by a sound and, by wish, on the desktop.

import { signal, effect } from '../vendor/preact.js';
import { get } from '../api.js';
import * as live from '../live.js';
import { t, phone } from '../i18n.js';
import { setting } from './kept.js';
import { epoch, me } from './office.js';
import { chime } from '../phone/sound.js';

/// `[{id, contact, why, told_at, times, seen_at}]`, newest first.
export const notices = signal([]);

/// Several that come at once are read once.
const TOGETHER_MS = 60;
const onDesktop = new Map();
let timer = 0;
let turn = 0;

async function read() {
  const mine = (turn += 1);
  try {
    const answer = await get('/notifications');
    if (mine === turn) notices.value = answer.items;
  } catch {
    // The next picture of the stream brings it.
  }
}

function readSoon() {
  clearTimeout(timer);
  timer = setTimeout(read, TOGETHER_MS);
}

live.listen((message) => {
  if (message.type !== 'notification') return;
  if (message.open) {
    readSoon();
    tellOf(message);
    return;
  }
  // A list that is on its way may still name it.
  readSoon();
  notices.value = notices.value.filter((one) => one.id !== message.notification);
  const shown = onDesktop.get(message.contact);
  if (shown) shown.close();
  onDesktop.delete(message.contact);
});

effect(() => {
  if (me.value && epoch.value) readSoon();
  else if (!me.value) notices.value = [];
});

function tellOf({ contact, why }) {
  if (setting('notice_sound', true)) chime();
  if (!setting('notifications', false) || !window.Notification || Notification.permission !== 'granted' || !document.hidden) return;
  get(`/journal/${contact}`)
    .then((one) => {
      const body = [titleOf(one), one.purpose_title, one.comment].filter(Boolean).join(' · ');
      const shown = new Notification(t(`notice.why.${why}`), { body, tag: `perezvon-contact-${contact}`, renotify: true });
      shown.onclick = () => {
        window.focus();
        location.hash = `#/journal/${contact}`;
      };
      onDesktop.set(contact, shown);
    })
    .catch(() => {});
}

/// Who it is about: the client's name, else how somebody described the person, else the number.
export const titleOf = (contact) => contact.client_name || contact.description || (contact.phone ? phone(contact.phone) : t('journal.nobody'));
