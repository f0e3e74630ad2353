// The bell: how much there is to see to, and taking it at once.

import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { get, post } from '../api.js';
import { t } from '../i18n.js';
import { changedContact } from '../store/office.js';
import { keepSetting, setting } from '../store/kept.js';
import { notices, titleOf } from '../store/notices.js';
import { Since } from './bits.js';
import { attempt } from './dialog.js';

/// More than these nobody reads here: the journal has all.
const MOST_SHOWN = 12;

export function Bell() {
  const [open, setOpen] = useState(false);
  const box = useRef(null);
  const count = notices.value.length;
  const fresh = notices.value.some((one) => !one.seen_at);
  useEffect(() => {
    if (!open) return undefined;
    const leave = (event) => {
      if (event.type === 'keydown' ? event.key === 'Escape' : !box.current || !box.current.contains(event.target)) setOpen(false);
    };
    addEventListener('keydown', leave);
    addEventListener('mousedown', leave);
    return () => {
      removeEventListener('keydown', leave);
      removeEventListener('mousedown', leave);
    };
  }, [open]);
  return html`<div class="bell" ref=${box}>
    <button type="button" class=${`quiet ${fresh ? 'fresh' : ''}`} aria-expanded=${open} aria-label=${t('notice.count', { count })} title=${t('notice.title')} data-notices=${count} onClick=${() => setOpen(!open)}>
      <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true"><path fill="currentColor" d="M10 2a5 5 0 0 0-5 5v3.6L3.4 14h13.2L15 10.6V7a5 5 0 0 0-5-5zM8 15.5a2 2 0 0 0 4 0z" /></svg>
      ${count > 0 && html`<b>${count}</b>`}
    </button>
    ${open && html`<${Panel} close=${() => setOpen(false)} />`}
  </div>`;
}

function Panel({ close }) {
  const [, again] = useState(0);
  const all = notices.value;
  useEffect(() => {
    // Shown is seen.
    for (const one of all.slice(0, MOST_SHOWN)) {
      if (!one.seen_at) post(`/notifications/${one.id}/seen`).then((seen) => (notices.value = notices.value.map((old) => (old.id === seen.id ? seen : old)))).catch(() => {});
    }
  }, [all.length]);
  const wish = (name, usual, label, also) => html`<label class="check"><input type="checkbox" checked=${setting(name, usual)}
    onChange=${(event) => { keepSetting(name, event.target.checked); if (also && event.target.checked) also(); again((n) => n + 1); }} /> ${label}</label>`;
  return html`<section class="notices" role="dialog" aria-label=${t('notice.title')}>
    <h2>${t('notice.title')}</h2>
    ${all.length === 0 ? html`<p class="empty">${t('notice.none')}</p>` : html`<ul>${all.slice(0, MOST_SHOWN).map((one) => html`<${Notice} key=${one.id} notice=${one} close=${close} />`)}</ul>`}
    ${all.length > MOST_SHOWN && html`<p class="dim">${t('notice.more', { count: all.length - MOST_SHOWN })}</p>`}
    <footer>
      ${wish('notice_sound', true, t('notice.sound'))}
      ${wish('notifications', false, t('notice.desktop'), () => window.Notification && Notification.requestPermission())}
      <a href="#/journal" onClick=${close}>${t('view.journal')}</a>
    </footer>
  </section>`;
}

function Notice({ notice, close }) {
  const [contact, setContact] = useState(null);
  const news = changedContact.value && changedContact.value.contact === notice.contact ? changedContact.value.version : 0;
  useEffect(() => {
    get(`/journal/${notice.contact}`).then(setContact).catch(() => {});
  }, [notice.contact, news]);
  const take = () => attempt(() => post(`/journal/${notice.contact}/take`)).then((good) => {
    if (!good) return;
    location.hash = `#/journal/${notice.contact}`;
    close();
  });
  return html`<li>
    <div class="grow"><a href=${`#/journal/${notice.contact}`} onClick=${close}>${contact ? titleOf(contact) : t('journal.number', { id: notice.contact })}</a>
      <small class="dim">${t(`notice.why.${notice.why}`)}${contact && contact.purpose_title ? ` · ${contact.purpose_title}` : ''}</small></div>
    ${contact && contact.waiting_since && html`<${Since} at=${contact.waiting_since} />`}
    <button type="button" class="main" onClick=${take}>${t('journal.do.take')}</button>
  </li>`;
}
