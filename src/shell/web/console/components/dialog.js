// Dialogs and short messages.

import { html, signal, useEffect, useRef, useState } from '../vendor/preact.js';
import { t } from '../i18n.js';

const shown = signal([]);
let last = 0;

/// Tells something for a few seconds: `kind` is 'good' or 'bad'.
export function tell(text, kind = 'good') {
  const id = (last += 1);
  shown.value = [...shown.value, { id, text, kind }];
  setTimeout(() => dismiss(id), kind === 'bad' ? 9000 : 4000);
}

function dismiss(id) {
  shown.value = shown.value.filter((one) => one.id !== id);
}

export function Messages() {
  return html`<div class="messages" role="status" aria-live="polite">
    ${shown.value.map(
      (one) => html`<div key=${one.id} class=${`message ${one.kind}`}>
        <span>${one.text}</span>
        <button type="button" class="quiet" aria-label=${t('close')} onClick=${() => dismiss(one.id)}>×</button>
      </div>`,
    )}
  </div>`;
}

/// Does something and tells how it went wrong, if it did. Answers whether it went well.
export async function attempt(act, good) {
  try {
    await act();
    if (good) tell(good);
    return true;
  } catch (error) {
    tell(error.offline ? t('list.offline') : error.message, 'bad');
    return false;
  }
}

/// A dialog over the page. Escape and the cross close it.
export function Dialog({ title, close, children, wide }) {
  const box = useRef(null);
  useEffect(() => {
    const element = box.current;
    element.showModal();
    const first = element.querySelector('[autofocus], input, select, textarea');
    if (first) first.focus();
    return () => element.close();
  }, []);
  return html`<dialog ref=${box} class=${wide ? 'wide' : ''} onCancel=${(event) => { event.preventDefault(); close(); }} aria-label=${title}>
    <header><h2>${title}</h2><button type="button" class="quiet" aria-label=${t('close')} onClick=${close}>×</button></header>
    ${children}
  </dialog>`;
}

/// A form in a dialog. `fields` are `{name, label, kind, value, options, required}`, where `needs(values)` tells of one
/// that is required by what stands in another; `send(values)` does it.
export function FormDialog({ title, fields, send, close, button, note }) {
  const [values, setValues] = useState(() => Object.fromEntries(fields.map((field) => [field.name, field.value ?? ({ check: false, many: [] }[field.kind] ?? '')])));
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await send(values);
      close();
    } catch (cause) {
      setError(cause.offline ? t('list.offline') : cause.message);
      setBusy(false);
    }
  };
  const set = (name, value) => setValues((old) => ({ ...old, [name]: value }));
  return html`<${Dialog} title=${title} close=${close}>
    <form onSubmit=${submit} class="fields">
      ${note && html`<p class="note">${note}</p>`}
      ${fields.map((field) => html`<${Field} key=${field.name} field=${field.needs ? { ...field, required: field.needs(values) } : field} value=${values[field.name]} set=${(value) => set(field.name, value)} />`)}
      ${error && html`<p class="trouble" role="alert">${error}</p>`}
      <footer>
        <button type="button" class="quiet" onClick=${close}>${t('cancel')}</button>
        <button type="submit" class="main" disabled=${busy}>${button || t('save')}</button>
      </footer>
    </form>
  <//>`;
}

/// One labelled field of a form.
export function Field({ field, value, set }) {
  const { name, label, kind, options, required } = field;
  const change = (event) => set(kind === 'check' ? event.target.checked : event.target.value);
  if (kind === 'check') {
    return html`<label class="check"><input type="checkbox" name=${name} checked=${value} onChange=${change} /> ${label}</label>`;
  }
  if (kind === 'many') {
    const turn = (key) => (event) => set(event.target.checked ? [...value, key] : value.filter((other) => other !== key));
    return html`<fieldset class="many"><legend>${label}</legend>
      ${options.map(([key, text]) => html`<label class="check" key=${key}><input type="checkbox" name=${name} value=${key} checked=${value.includes(key)} onChange=${turn(key)} /> ${text}</label>`)}
    </fieldset>`;
  }
  let input = html`<input name=${name} type=${kind || 'text'} value=${value} required=${required} onInput=${change} min=${field.min} max=${field.max} maxlength=${field.longest} autocomplete=${field.autocomplete || 'off'} />`;
  if (kind === 'select') {
    input = html`<select name=${name} value=${value} required=${required} onChange=${change}>
      ${options.map(([key, text]) => html`<option value=${key} selected=${String(key) === String(value)}>${text}</option>`)}
    </select>`;
  }
  if (kind === 'text-long') input = html`<textarea name=${name} rows="3" required=${required} onInput=${change} maxlength=${field.longest}>${value}</textarea>`;
  return html`<label class="field"><span>${label}</span>${input}</label>`;
}
