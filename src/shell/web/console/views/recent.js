// The last calls of this person, to come back to a number.

import { html, useEffect } from '../vendor/preact.js';
import { t, time, phone, word } from '../i18n.js';
import { myCall } from '../store/office.js';
import { usePages, Listing } from '../components/list.js';
import { orderFor } from './orderform.js';

export function Recent() {
  const pages = usePages('/calls', {}, { limit: 12 });
  const busy = myCall.value ? myCall.value.id : '';
  useEffect(() => {
    if (busy) return undefined;
    // The journal is written in a moment.
    const wait = setTimeout(pages.reload, 800);
    return () => clearTimeout(wait);
  }, [busy]);
  return html`<section class="recent" aria-label=${t('recent.title')}>
    <h2>${t('recent.title')}</h2>
    <${Listing} pages=${pages} empty=${t('recent.none')}>
      ${(calls) => html`<ul class="lines">${calls.map(
        (call) => html`<li key=${call.id}>
          <span class="dim">${time(call.arrived_at)}</span>
          <button type="button" class="link" onClick=${() => orderFor({ phone: call.number })}>${phone(call.number)}</button>
          <span class="dim end">${word('disposition', call.disposition)}</span>
        </li>`,
      )}</ul>`}
    <//>
  </section>`;
}
