// The note of a client: shown when an order is taken, changed on the spot. What is being typed is kept.

import { html, useState } from '../vendor/preact.js';
import { patch } from '../api.js';
import { t } from '../i18n.js';
import { read, write } from '../store/kept.js';
import { attempt } from './dialog.js';

export function Note({ client, text, reload }) {
  const name = client ? `note.${client.id}` : '';
  const [typed, setTyped] = useState(null);
  const kept = client && typed === null ? read(name) : typed;
  const shown = client ? client.note : text;
  const type = (value) => {
    setTyped(value);
    write(name, value);
  };
  const save = async () => {
    const good = await attempt(() => patch(`/clients/${client.id}`, { note: kept, version: client.version }));
    if (good) {
      type(null);
      reload();
    }
  };
  if (kept !== null && client) {
    return html`<div class="note-edit"><label class="unseen" for=${name}>${t('client.note')}</label>
      <textarea id=${name} rows="2" maxlength="2000" onInput=${(event) => type(event.target.value)}>${kept}</textarea>
      <button type="button" class="main" onClick=${save}>${t('save')}</button>
      <button type="button" class="quiet" onClick=${() => type(null)}>${t('cancel')}</button></div>`;
  }
  return html`<p class=${shown ? 'note strong' : 'note'}>${shown || ''}
    ${client && html`<button type="button" class="quiet" onClick=${() => type(client.note || '')}>${shown ? t('client.change_note') : t('client.add_note')}</button>`}</p>`;
}
