// A section of the settings as a form: what is typed outlives a reload, what is wrong is told at its field.

import { html, useEffect, useLayoutEffect, useRef, useState } from '../vendor/preact.js';
import { dayTime, t } from '../i18n.js';
import { put, remove } from '../api.js';
import { useOne, Trouble } from './list.js';
import { tell } from './dialog.js';
import * as kept from '../store/kept.js';

/// `list[1].keys` as the steps to it.
const steps = (path) => path.replace(/\[(\d+)\]/g, '.$1').split('.').filter(Boolean);
const at = (value, path) => steps(path).reduce((inner, step) => (inner === null || inner === undefined ? undefined : inner[step]), value);

function changed(value, [step, ...rest], to) {
  const copy = Array.isArray(value) ? [...value] : { ...value };
  copy[step] = rest.length ? changed(copy[step] || {}, rest, to) : to;
  return copy;
}

/// The section with this name. `shape` turns what the API says into what the form holds, and back.
export function useSection(name, shape = { form: (value) => value, value: (form) => form }) {
  const read = useOne(`/settings/${name}`);
  const key = `settings.${name}`;
  const [draft, setDraft] = useState(() => kept.read(key));
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  // Before it is painted: a reload in the moment after the last letter loses nothing.
  useLayoutEffect(() => kept.write(key, draft), [draft]);
  const now = read.value;
  const form = draft ? draft.form : now ? shape.form(now.value) : null;
  const change = (path, to) => {
    setError((old) => (old && old.field === path ? null : old));
    // What was seen when the first letter was typed is what the change is made to.
    setDraft((old) => ({ version: old ? old.version : now.version, form: changed(old ? old.form : form, steps(path), to) }));
  };
  const discard = () => {
    setDraft(null);
    setError(null);
    read.reload();
  };
  const send = async (act, done) => {
    setBusy(true);
    setError(null);
    try {
      await act();
      setDraft(null);
      await read.reload();
      tell(t(done));
    } catch (cause) {
      setError({ text: cause.offline ? t('list.offline') : cause.message, field: cause.problem && cause.problem.field, kind: cause.kind });
    }
    setBusy(false);
  };
  const save = () => send(() => put(`/settings/${name}`, { value: shape.value(form), version: draft.version }), /* one of the words */ 'section.saved');
  const reset = () => send(() => remove(`/settings/${name}`), 'section.was_reset');
  return { name, read, now, form, get: (path) => at(form, path), change, error, busy, save, reset, discard, typed: !!draft };
}

/// The page of a section: its form, where it comes from, and what can be done with it. `draw(section)` gives the fields.
export function Section({ section, title, children }) {
  const { now, read, error, busy, typed } = section;
  const form = useRef(null);
  const [asked, ask] = useState(false);
  useEffect(() => {
    const wrong = error && form.current && form.current.querySelector('[aria-invalid=true]');
    if (wrong) wrong.focus();
  }, [error]);
  if (!now) {
    return html`<section class="page"><header><h1>${title}</h1></header>
      <div class="sheet inner">${read.error ? html`<${Trouble} error=${read.error} again=${read.reload} />` : html`<p class="loading">${t('list.loading')}</p>`}</div></section>`;
  }
  const submit = (event) => {
    event.preventDefault();
    section.save();
  };
  return html`<section class="page"><form ref=${form} class="section" onSubmit=${submit}>
    <header><h1>${title}</h1>
      <span class="note">${now.from === 'console' ? t('section.from_console', { who: now.changed_by, when: dayTime(now.changed_at) }) : t('section.from_file')}</span>
      <div class="buttons end">
        ${now.from === 'console' && !typed && (asked
          ? html`<span>${t('section.sure')}</span><button type="button" class="bad" disabled=${busy} onClick=${() => { ask(false); section.reset(); }}>${t('section.reset')}</button><button type="button" class="quiet" onClick=${() => ask(false)}>${t('cancel')}</button>`
          : html`<button type="button" class="quiet" onClick=${() => ask(true)}>${t('section.reset')}</button>`)}
        ${typed && html`<button type="button" class="quiet" onClick=${section.discard}>${t('section.discard')}</button>`}
        <button type="submit" class="main" disabled=${busy || !typed}>${t('save')}</button>
      </div>
    </header>
    ${error && html`<p class="trouble" role="alert"><span>${error.text}</span>${error.kind === 'stale' && html`<button type="button" class="quiet" onClick=${section.discard}>${t('section.present')}</button>`}</p>`}
    ${children}
  </form></section>`;
}

/// A group of fields.
export const Group = ({ title, note, children }) => html`<fieldset class="sheet inner group"><legend>${title}</legend>${note && html`<p class="note">${note}</p>`}<div class="grid">${children}</div></fieldset>`;

/// One field of the section. `kind` is text, number, check, long, select, or choice (yes, no, as usual). A field that
/// may be left out is `null` then.
export function F({ of, path, label, kind = 'text', field = path, options, optional, min, max, required, pattern, longest, wide, hint, fixed }) {
  const value = of.get(path);
  const wrong = of.error && of.error.field && (of.error.field === field || of.error.field.startsWith(`${field}[`) || of.error.field.startsWith(`${field}.`));
  const id = `f-${of.name}-${path.replace(/[^a-z0-9]+/gi, '-')}`;
  const set = (to) => of.change(path, to);
  const empty = (text) => (optional && text === '' ? null : text);
  const own = { id, 'aria-invalid': wrong ? 'true' : undefined, 'aria-describedby': wrong || hint ? `${id}-why` : undefined };
  const told = wrong ? html`<small class="wrong" id=${`${id}-why`}>${of.error.text}</small>` : hint ? html`<small class="note" id=${`${id}-why`}>${hint}</small>` : '';
  if (kind === 'check') {
    return html`<div class=${wide ? 'wide' : ''}><label class="check"><input type="checkbox" ...${own} checked=${!!value} onChange=${(event) => set(event.target.checked)} /> ${label}</label>${told}</div>`;
  }
  let input;
  if (kind === 'number') {
    input = html`<input type="number" ...${own} value=${value ?? ''} required=${!optional} min=${min} max=${max} placeholder=${optional ? t('section.usual') : ''} onInput=${(event) => set(event.target.value === '' ? null : Number(event.target.value))} />`;
  } else if (kind === 'select') {
    const all = optional ? [['', t('section.usual')], ...options] : options;
    input = html`<select ...${own} value=${value ?? ''} required=${required} onChange=${(event) => set(empty(event.target.value))}>${all.map(([key, text]) => html`<option value=${key} selected=${key === (value ?? '')}>${text}</option>`)}</select>`;
  } else if (kind === 'choice') {
    const word = value === null || value === undefined ? '' : String(value);
    input = html`<select ...${own} value=${word} onChange=${(event) => set(event.target.value === '' ? null : event.target.value === 'true')}>${[['', t('section.usual')], ['true', t('yes')], ['false', t('no')]].map(([key, text]) => html`<option value=${key} selected=${key === word}>${text}</option>`)}</select>`;
  } else if (kind === 'lines') {
    input = html`<textarea ...${own} rows="3" onInput=${(event) => set(event.target.value.split('\n'))}>${(value || []).join('\n')}</textarea>`;
  } else if (kind === 'long') {
    input = html`<textarea ...${own} rows="3" required=${required} maxlength=${longest} onInput=${(event) => set(empty(event.target.value))}>${value ?? ''}</textarea>`;
  } else {
    input = html`<input ...${own} value=${value ?? ''} required=${required} readonly=${fixed} pattern=${pattern} maxlength=${longest} autocomplete="off" placeholder=${optional ? t('section.usual') : ''} onInput=${(event) => set(empty(event.target.value))} />`;
  }
  return html`<div class=${`field ${wide ? 'wide' : ''}`}><label for=${id}>${label}</label>${input}${told}</div>`;
}

/// What can be done with an element of a list: up, down, away.
export function Moves({ of, path, index, name }) {
  const list = of.get(path);
  const swap = (a, b) => {
    const copy = [...list];
    [copy[a], copy[b]] = [copy[b], copy[a]];
    of.change(path, copy);
  };
  return html`<div class="buttons wide">
    <button type="button" class="quiet" disabled=${index === 0} aria-label=${t('section.up', { name })} title=${t('section.up', { name })} onClick=${() => swap(index, index - 1)}>↑</button>
    <button type="button" class="quiet" disabled=${index === list.length - 1} aria-label=${t('section.down', { name })} title=${t('section.down', { name })} onClick=${() => swap(index, index + 1)}>↓</button>
    <button type="button" class="quiet" aria-label=${t('section.remove', { name })} onClick=${() => of.change(path, list.filter((_, other) => other !== index))}>${t('remove')}</button>
  </div>`;
}

/// Lines of text that say something.
export const lines = (list) => list.map((line) => line.trim()).filter(Boolean);

/// Names of the queues that there are.
export function useQueues() {
  const { value } = useOne('/settings/queues');
  const names = value ? value.value.list.map((one) => one.name) : [];
  return names.length ? names : value ? ['main'] : [];
}
