// Recordings: found by whatever is remembered of the talk, heard on the spot. Each hearing stands in the audit. A
// dispatcher has the own talks, where the office lets dispatchers listen.

import { html, useEffect, useState } from '../vendor/preact.js';
import { get } from '../api.js';
import { t, word, dayTime, phone, span } from '../i18n.js';
import { isSupervisor } from '../store/office.js';
import { purposeChoices, want } from '../store/purposes.js';
import { usePages, Listing, Table } from '../components/list.js';
import { Player } from '../components/player.js';
import { begin, end } from '../components/days.js';
import { Grading } from '../components/grading.js';

const OUTCOMES = ['COMPLETECALLER', 'COMPLETEAGENT', 'ENDED', 'FALLBACK', 'LOST'];
const MARKS = ['note', 'good', 'mistake', 'complaint', 'order', 'important'];
const STATES = ['stored', 'missing', 'silent', 'short', 'failed', 'erased'];
const NONE = { number: '', name: '', from: '', to: '', agent: '', disposition: '', purpose: '', mark: '', order: '', state: '', shortest: '', longest: '', text: '' };

/// As the API wants it: what is still being typed is left out.
function wanted(filter) {
  const seconds = (minutes) => (Number(minutes) > 0 ? Math.round(Number(minutes) * 60) : '');
  return {
    number: filter.number.replace(/\D/g, '').length >= 3 ? filter.number : '',
    name: filter.name.trim().length >= 2 ? filter.name.trim() : '',
    from: begin(filter.from),
    to: end(filter.to),
    agent: filter.agent,
    disposition: filter.disposition,
    purpose: filter.purpose,
    mark: filter.mark,
    order: /^\d+$/.test(filter.order) ? filter.order : '',
    state: filter.state,
    length_from: seconds(filter.shortest),
    length_to: seconds(filter.longest),
    text: filter.text.trim().length >= 2 ? filter.text.trim() : '',
  };
}

export default function Recordings() {
  const [filter, setFilter] = useState(NONE);
  const [agents, setAgents] = useState([]);
  useEffect(() => {
    want();
    if (isSupervisor.value) get('/agents').then((answer) => setAgents(answer.items || answer)).catch(() => {});
  }, []);
  const pages = usePages('/recordings', wanted(filter), { typed: true });
  const set = (name) => (event) => setFilter((old) => ({ ...old, [name]: event.target.value }));
  const typed = (name, label, more = {}) => html`<label class="field"><span>${label}</span><input type="search" name=${name} value=${filter[name]} onInput=${set(name)} ...${more} /></label>`;
  const number = (name, label) => html`<label class="field"><span>${label}</span><input type="number" min="0" step="0.5" name=${name} value=${filter[name]} onInput=${set(name)} /></label>`;
  const chosen = (name, label, options) => html`<label class="field"><span>${label}</span><select name=${name} value=${filter[name]} onChange=${set(name)}>
    <option value="">${t('all')}</option>${options.map(([key, text]) => html`<option value=${key} selected=${String(key) === filter[name]}>${text}</option>`)}</select></label>`;
  const day = (name, label) => html`<label class="field day"><span>${label}</span><input type="date" name=${name} value=${filter[name]} onInput=${set(name)} /></label>`;
  const words = (group, list) => list.map((one) => [one, word(group, one)]);
  return html`<section class="page">
    <header><h1>${t('view.recordings')}</h1><div class="filters many-of" role="search">
      ${typed('number', t('call.number'))}
      ${typed('name', t('record.name'))}
      ${day('from', t('record.from'))}
      ${day('to', t('record.till'))}
      ${isSupervisor.value && chosen('agent', t('call.agent'), agents.map((one) => [one.id, one.name]))}
      ${chosen('disposition', t('call.outcome'), words('disposition', OUTCOMES))}
      ${chosen('purpose', t('journal.purpose'), purposeChoices('').slice(1))}
      ${chosen('mark', t('mark.kind'), words('mark', MARKS))}
      ${typed('order', t('record.order'), { inputmode: 'numeric' })}
      ${number('shortest', t('record.shortest'))}
      ${number('longest', t('record.longest'))}
      ${chosen('state', t('record.state'), words('record.state', STATES))}
      ${typed('text', t('record.text'))}
      <button type="button" class="quiet" onClick=${() => setFilter(NONE)}>${t('record.clear')}</button>
    </div></header>
    <div class="sheet"><${Listing} pages=${pages} empty=${t('record.none')}>
      ${(rows) => html`<${Table} label=${t('view.recordings')} rows=${rows} keyOf=${(one) => one.id} columns=${[
        { head: t('call.time'), cell: (one) => dayTime(one.started_at), cls: 'nowrap' },
        { head: t('call.number'), cell: (one) => phone(one.number), cls: 'nowrap' },
        { head: t('call.agent'), cell: (one) => one.agent_name || '' },
        { head: t('record.length'), cell: (one) => (one.file ? span(one.file.duration_ms) : ''), cls: 'num' },
        { head: t('call.recordings'), cell: (one) => html`${one.state !== 'stored' ? html`<span class="badge bad">${word('record.state', one.state)}</span> ${one.problem || ''}` : ''}${one.file ? html`<${Player} id=${one.id} /> <${Grading} recording=${one.id} />` : ''}` },
      ]} />`}
    <//></div>
  </section>`;
}
