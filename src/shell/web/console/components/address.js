// A field for an address: hints from the client's own places first, then streets. Arrows choose, Enter takes, and what
// is typed without a hint is taken as it is. A combobox as the ARIA practices describe it.

import { html, useEffect, useId, useRef, useState } from '../vendor/preact.js';
import { get, query } from '../api.js';
import { t, address as line } from '../i18n.js';

const ENTRANCE = new RegExp('(?:^|[\\s,])(?:п|подъезд|под|ent)\\.?\\s*(\\d{1,3})\\s*$', 'i');

/// «Ленина 12 п3» without a hint: the last word with a digit is the house.
export function parse(text) {
  const entrance = ENTRANCE.exec(text);
  const rest = entrance ? text.slice(0, entrance.index).trim().replace(/,$/, '') : text.trim();
  const house = /^(.*\D)[\s,]+(\d[\wа-яё/-]*)$/i.exec(rest);
  return {
    street: (house ? house[1] : rest).replace(/,\s*$/, '').trim(),
    house: house ? house[2] : '',
    entrance: entrance ? entrance[1] : '',
  };
}

const asAddress = (hint) => ({ city: hint.city, street: hint.street, house: hint.house, entrance: hint.entrance, comment: hint.comment });

/// `value` is `{text, place}`: what is typed, and the address that it stands for.
/// With `usual`, Enter in the empty field takes the client's most usual place.
export function AddressField({ label, value, set, client, onEnter, name, refTo, required, usual }) {
  const id = useId();
  const [hints, setHints] = useState([]);
  const [at, setAt] = useState(-1);
  const [open, setOpen] = useState(false);
  const asked = useRef(0);
  const own = useRef(null);
  const input = refTo || own;

  const ask = (text) => {
    const mine = (asked.current += 1);
    get(`/addresses/hints${query({ q: text, client, limit: 7 })}`)
      .then((answer) => {
        if (mine === asked.current) {
          setHints(answer.items);
          setAt(-1);
        }
      })
      .catch(() => mine === asked.current && setHints([]));
  };
  useEffect(() => {
    if (document.activeElement === input.current) ask(value.text);
  }, [client]);

  const offered = usual && open && !value.text.trim() && hints.length && hints[0].uses ? hints[0] : null;
  const take = (hint) => {
    const place = asAddress(hint);
    set({ text: line(place), place });
    setOpen(false);
    setAt(-1);
    if (!hint.house) {
      // A street without a house: the house is typed on.
      const text = `${line(place)} `;
      set({ text, place: null });
      ask(text);
      return false;
    }
    return true;
  };
  const keys = (event) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      setOpen(true);
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setAt((old) => (hints.length ? (old + step + hints.length + 1) % (hints.length + 1) : -1));
    } else if (event.key === 'Escape' && open) {
      event.preventDefault();
      setOpen(false);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      const chosen = open && at >= 0 && at < hints.length ? hints[at] : null;
      const typed = value.text.trim();
      // The client's first usual place, when nothing is typed and the list shows it.
      const hint = chosen || (typed ? null : offered);
      if (hint) {
        if (take(hint)) onEnter(asAddress(hint));
        return;
      }
      setOpen(false);
      onEnter(value.place || (typed ? parse(typed) : null));
    }
  };
  const shown = open && hints.length > 0;
  return html`<div class="field combo">
    <label for=${id}>${label}</label>
    <input id=${id} name=${name} ref=${input} role="combobox" autocomplete="off" aria-expanded=${shown} aria-controls=${`${id}-list`} aria-autocomplete="list"
      aria-activedescendant=${shown && at >= 0 && at < hints.length ? `${id}-${at}` : undefined} value=${value.text} required=${required}
      onFocus=${() => { setOpen(true); ask(value.text); }}
      onBlur=${() => setTimeout(() => setOpen(false), 150)}
      onInput=${(event) => { set({ text: event.target.value, place: null }); setOpen(true); ask(event.target.value); }}
      onKeyDown=${keys} />
    <ul id=${`${id}-list`} role="listbox" aria-label=${label} class=${shown ? 'hints' : 'hints unseen'}>
      ${shown && hints.map(
        (hint, index) => html`<li id=${`${id}-${index}`} role="option" aria-selected=${index === at} class=${index === at || (at < 0 && hint === offered) ? 'at' : ''}
          onMouseDown=${(event) => { event.preventDefault(); if (take(hint)) onEnter(asAddress(hint)); }}>
          <span>${line(hint)}</span>${hint.uses ? html`<small>${at < 0 && hint === offered ? html`<kbd>Enter</kbd> ` : ''}${t('address.uses', { count: hint.uses })}</small>` : ''}
        </li>`,
      )}
    </ul>
  </div>`;
}
