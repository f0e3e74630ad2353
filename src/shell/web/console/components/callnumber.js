// Calls a number from the dispatcher's own phone.

import { html } from '../vendor/preact.js';
import { post } from '../api.js';
import { t } from '../i18n.js';
import { myAgent, myCall } from '../store/office.js';
import { attempt } from './dialog.js';

export function CallNumber({ number }) {
  if (!number || !myAgent.value) return '';
  return html`<button type="button" disabled=${!!myCall.value} onClick=${() => attempt(() => post('/calls', { number }))}>☎ ${t('call.dial')}</button>`;
}
