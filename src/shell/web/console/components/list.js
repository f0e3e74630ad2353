// Lists that are read page by page, with everything that a list can be: being read, empty, refused, out of reach.

import { html, useEffect, useRef, useState, useCallback } from '../vendor/preact.js';
import { get, query } from '../api.js';
import { t } from '../i18n.js';
import { epoch } from '../store/office.js';

/// Reads `path` with `filter`; again when the filter changes or the connection came back. What was read before stays on
/// the screen until the new is there.
export function usePages(path, filter = {}, options = {}) {
  const wanted = path === null ? null : `${path}${query({ limit: options.limit || 50, ...filter })}`;
  const [pages, setPages] = useState({ items: null, next: null, error: null, reading: true, of: null });
  const turn = useRef(0);
  const read = useCallback(
    async (cursor) => {
      if (wanted === null) return;
      const mine = (turn.current += 1);
      setPages((old) => ({ ...old, reading: true, error: null }));
      try {
        const answer = await get(cursor ? `${wanted}&cursor=${encodeURIComponent(cursor)}` : wanted);
        if (mine !== turn.current) return;
        setPages((old) => ({
          items: cursor ? [...(old.items || []), ...answer.items] : answer.items,
          next: answer.next || null,
          error: null,
          reading: false,
          of: wanted,
          whole: answer,
        }));
      } catch (error) {
        if (mine === turn.current) setPages((old) => ({ ...old, reading: false, error }));
      }
    },
    [wanted],
  );
  useEffect(() => {
    const wait = setTimeout(() => read(null), options.typed ? 200 : 0);
    return () => clearTimeout(wait);
  }, [read, epoch.value]);
  return { ...pages, reload: () => read(null), more: () => read(pages.next) };
}

/// Reads one thing.
export function useOne(path) {
  const [state, setState] = useState({ value: null, error: null, reading: true });
  const turn = useRef(0);
  const read = useCallback(async () => {
    if (!path) return;
    const mine = (turn.current += 1);
    setState((old) => ({ ...old, reading: true, error: null }));
    try {
      const value = await get(path);
      if (mine === turn.current) setState({ value, error: null, reading: false, of: path });
    } catch (error) {
      if (mine === turn.current) setState((old) => ({ ...old, error, reading: false }));
    }
  }, [path]);
  useEffect(() => {
    read();
  }, [read, epoch.value]);
  return { ...state, value: state.of === path ? state.value : null, reload: read };
}

/// Why something is not there, and a way to try again.
export function Trouble({ error, again }) {
  const text = error.offline ? t('list.offline') : error.message;
  return html`<div class="trouble" role="alert">
    <span>${text}</span>
    ${again && html`<button type="button" class="quiet" onClick=${again}>${t('list.again')}</button>`}
  </div>`;
}

/// A list in all its states. `children` is called with the items.
export function Listing({ pages, empty, children }) {
  const { items, error, reading, next } = pages;
  if (error && !items) return html`<${Trouble} error=${error} again=${pages.reload} />`;
  if (!items) return html`<div class="loading" role="status">${t('list.loading')}</div>`;
  return html`<div class=${reading ? 'listing reading' : 'listing'} aria-busy=${reading}>
    ${error && html`<${Trouble} error=${error} again=${pages.reload} />`}
    ${items.length === 0 ? html`<p class="empty">${empty || t('list.empty')}</p>` : children(items)}
    ${next && html`<button type="button" class="quiet more" disabled=${reading} onClick=${pages.more}>${t('list.more')}</button>`}
  </div>`;
}

/// A table of rows: `columns` are `{head, cell(row), cls}`. A row with `open` can be opened by mouse and keyboard.
export function Table({ columns, rows, keyOf, open, label, marked }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${label}>
    <table>
      <caption class="unseen">${label}</caption>
      <thead>
        <tr>${columns.map((column) => html`<th scope="col" class=${column.cls}>${column.head}</th>`)}</tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) => html`<tr key=${keyOf(row)} class=${`${open ? 'opens' : ''} ${marked && marked(row) ? 'marked' : ''}`} onClick=${open && ((event) => !event.target.closest('button,a') && open(row))}>
            ${columns.map((column, at) =>
              at === 0 && open
                ? html`<td class=${column.cls}><button type="button" class="link" onClick=${() => open(row)}>${column.cell(row)}</button></td>`
                : html`<td class=${column.cls}>${column.cell(row)}</td>`,
            )}
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
