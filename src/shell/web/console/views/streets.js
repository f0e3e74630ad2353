// The list of streets that address hints are made of: found, added, taken out of a table, removed.

import { html, useState } from '../vendor/preact.js';
import { t } from '../i18n.js';
import { post, query, remove } from '../api.js';
import { usePages, useOne, Listing, Table } from '../components/list.js';
import { attempt, Dialog, FormDialog } from '../components/dialog.js';

/// A table by its first line, or a plain list: one street a line.
const asTable = (text) => (/[;,\t]/.test(text.split('\n')[0]) ? text : `street\n${text.split('\n').map((line) => `"${line.trim().replaceAll('"', '""')}"`).join('\n')}`);

function Import({ close, done }) {
  const [text, setText] = useState('');
  const [settlement, setSettlement] = useState('');
  const [skip, setSkip] = useState(false);
  const [report, setReport] = useState(null);
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const send = async (dry) => {
    setBusy(true);
    setError(null);
    try {
      const answer = await post(`/streets/import${query({ settlement, dry_run: dry || '', skip_bad: skip || '' })}`, asTable(text), { media: 'text/csv' });
      setReport({ ...answer, dry });
      if (!dry) done();
    } catch (cause) {
      setError(cause.offline ? t('list.offline') : cause.message);
    }
    setBusy(false);
  };
  const choose = async (event) => {
    const [file] = event.target.files;
    if (file) setText(await file.text());
  };
  return html`<${Dialog} title=${t('streets.import')} close=${close} wide>
    <form class="fields" onSubmit=${(event) => { event.preventDefault(); send(false); }}>
      <p class="note">${t('streets.import_note')}</p>
      <label class="field"><span>${t('streets.file')}</span><input type="file" accept=".csv,.txt,text/csv,text/plain" onChange=${choose} /></label>
      <label class="field"><span>${t('streets.lines')}</span><textarea rows="10" required value=${text} onInput=${(event) => setText(event.target.value)}></textarea></label>
      <label class="field"><span>${t('streets.settlement_of_all')}</span><input value=${settlement} maxlength="100" onInput=${(event) => setSettlement(event.target.value)} /></label>
      <label class="check"><input type="checkbox" checked=${skip} onChange=${(event) => setSkip(event.target.checked)} /> ${t('streets.skip_bad')}</label>
      ${error && html`<p class="trouble" role="alert">${error}</p>`}
      ${report && html`<div role="status"><p>${t(/* one of two */ report.dry ? 'streets.checked' : 'streets.added', { lines: report.lines, streets: report.streets, added: report.added, bad: report.bad_total })}</p>
        <ul class="note">${report.bad.map((line) => html`<li>${line}</li>`)}</ul></div>`}
      <footer><button type="button" class="quiet" onClick=${close}>${t('close')}</button>
        <button type="button" disabled=${busy || !text.trim()} onClick=${() => send(true)}>${t('streets.check')}</button>
        <button type="submit" class="main" disabled=${busy}>${t('add')}</button></footer>
    </form>
  <//>`;
}

export default function Streets() {
  const [q, setQ] = useState('');
  const [settlement, setSettlement] = useState('');
  const [open, setOpen] = useState('');
  const [asked, ask] = useState(null);
  const shown = usePages('/streets', { q, settlement }, { typed: true });
  const places = useOne('/streets/settlements');
  const reload = async () => {
    await shown.reload();
    await places.reload();
  };
  const add = async (values) => {
    await post('/streets', values);
    await reload();
  };
  const drop = async (street) => {
    ask(null);
    if (await attempt(() => remove(`/streets/${street.id}`), t('streets.removed', { title: street.title }))) await reload();
  };
  return html`<section class="page">
    <header><h1>${t('view.streets')}</h1><div class="filters">
      <label class="field"><span>${t('streets.find')}</span><input type="search" value=${q} onInput=${(event) => setQ(event.target.value)} /></label>
      <label class="field"><span>${t('streets.settlement')}</span><select value=${settlement} onChange=${(event) => setSettlement(event.target.value)}>
        <option value="">${t('streets.everywhere')}</option>
        ${(places.value ? places.value.items : []).filter((one) => one.settlement).map((one) => html`<option value=${one.settlement}>${`${one.settlement} (${one.streets})`}</option>`)}
      </select></label>
      <button type="button" onClick=${() => setOpen('import')}>${t('streets.import')}</button>
      <button type="button" class="main" onClick=${() => setOpen('add')}>${t('streets.add')}</button>
    </div></header>
    <div class="sheet"><${Listing} pages=${shown} empty=${t('streets.none')}>
      ${(rows) => html`<${Table} label=${t('view.streets')} rows=${rows} keyOf=${(street) => street.id} columns=${[
        { head: t('streets.street'), cell: (street) => street.title },
        { head: t('streets.settlement'), cell: (street) => street.settlement },
        { head: t('streets.removal'), cls: 'num', cell: (street) => (asked === street.id
          ? html`<span class="buttons"><button type="button" class="bad" onClick=${() => drop(street)}>${t('streets.really')}</button><button type="button" class="quiet" onClick=${() => ask(null)}>${t('cancel')}</button></span>`
          : html`<button type="button" class="quiet" aria-label=${t('section.remove', { name: street.title })} onClick=${() => ask(street.id)}>${t('remove')}</button>`) },
      ]} />`}
    <//></div>
    ${open === 'add' && html`<${FormDialog} title=${t('streets.add')} close=${() => setOpen('')} send=${add} fields=${[
      { name: 'street', label: t('streets.street_as_written'), required: true, longest: 100 },
      { name: 'settlement', label: t('streets.settlement'), longest: 100 },
    ]} />`}
    ${open === 'import' && html`<${Import} close=${() => setOpen('')} done=${reload} />`}
  </section>`;
}
