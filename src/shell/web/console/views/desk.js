// The dispatcher's desk: the telephone, the card of the caller, and the order that is being taken.

import { html } from '../vendor/preact.js';
import { t } from '../i18n.js';
import { lastCall, myCall } from '../store/office.js';
import { PhonePanel } from './phone.js';
import { CallCard } from './card.js';
import { OrderForm } from './orderform.js';
import { Recent } from './recent.js';

export function Desk() {
  const call = myCall.value || lastCall.value;
  return html`<div class="desk">
    <h1 class="unseen">${t('view.desk')}</h1>
    <div class="column left"><${PhonePanel} /><${Recent} /></div>
    <div class="column middle">${call ? html`<${CallCard} key=${call.id} call=${call} />` : html`<section class="card blank"><p class="empty">${t('card.none')}</p></section>`}</div>
    <div class="column right"><${OrderForm} /></div>
  </div>`;
}
