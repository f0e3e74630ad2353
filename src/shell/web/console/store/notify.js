// Tells of an incoming call outside the page: in the title, and by a notification of the desktop where that is wished.

import { lastCall, myAgent, offeredAt } from './office.js';
import { t, phone } from '../i18n.js';
import { setting } from './kept.js';

let notification = null;
let told = '';

/// Runs whenever a call or the agent changes.
export function notifyOf() {
  const agent = myAgent.value;
  const call = lastCall.value;
  const rings = agent && agent.state === 'offered' && call && call.id === agent.call;
  document.title = rings ? `☎ ${call.name || phone(call.number)}` : t('brand');
  if (rings && told !== call.id + offeredAt.value) {
    told = call.id + offeredAt.value;
    if (setting('notifications', false) && window.Notification && Notification.permission === 'granted' && document.hidden) {
      notification = new Notification(t('notify.rings'), { body: `${call.name || ''} ${phone(call.number)}`.trim(), tag: 'perezvon-call' });
      notification.onclick = () => window.focus();
    }
  }
  if (!rings && notification) {
    notification.close();
    notification = null;
  }
}
