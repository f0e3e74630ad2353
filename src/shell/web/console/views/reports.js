// What calls add up to: by hour, day, queue, agent or purpose, as a picture and as a table.

import { html, useState } from '../vendor/preact.js';
import { day, language, span, t } from '../i18n.js';
import { query } from '../api.js';
import { me } from '../store/office.js';
import { useOne, Trouble, Table } from '../components/list.js';
import { Schedules } from '../components/schedules.js';

const NAMES = ['days', 'hours', 'queues', 'agents', 'purposes'];
const dayOf = (moment) => new Date(moment.getTime() - moment.getTimezoneOffset() * 60000).toISOString().slice(0, 10);
const begin = (text) => (text ? new Date(`${text}T00:00`).toISOString() : '');
const end = (text) => (text ? new Date(new Date(`${text}T00:00`).getTime() + 86400000).toISOString() : '');
export const percent = (part) => (part === undefined || part === null ? '' : new Intl.NumberFormat(language.value, { style: 'percent', minimumFractionDigits: 1 }).format(part / 1000));
export const seconds = (count) => (count === undefined || count === null ? '' : span(count * 1000));

export const signed = (count) => (count === undefined || count === null ? '' : `${count > 0 ? '+' : count < 0 ? '−' : ''}${Math.abs(count)} ${t('board.seconds')}`);

/// What a line is about, in words.
function titled(name, key) {
  if (name === 'hours') return `${key.padStart(2, '0')}:00`;
  return name === 'days' ? day(`${key}T12:00`) : key;
}

/// All 24 hours, those without calls too.
function linesOf(report) {
  if (report.name !== 'hours') return report.items;
  const none = { calls: 0, answered: 0, abandoned: 0, by_robot: 0 };
  return Array.from({ length: 24 }, (_, hour) => report.items.find((line) => line.key === String(hour)) || { key: String(hour), ...none });
}

/// Stacked columns: answered, by the engine alone, abandoned. The same numbers stand in the table below.
function Chart({ report }) {
  const lines = linesOf(report);
  const most = Math.max(1, ...lines.map((line) => line.answered + line.by_robot + line.abandoned));
  const [width, height, left, foot] = [960, 240, 44, 26];
  const step = (width - left) / Math.max(lines.length, 1);
  const bar = Math.min(48, step * 0.7);
  const y = (count) => ((height - foot - 8) * count) / most;
  const marks = [...new Set([0, Math.round(most / 2), most])];
  const every = Math.ceil(lines.length / Math.max(1, Math.floor((width - left) / 56)));
  const parts = (line) => [['answered', line.answered], ['by_robot', line.by_robot], ['abandoned', line.abandoned]];
  return html`<figure class="chart">
    <svg viewBox=${`0 0 ${width} ${height}`} role="img" aria-label=${t('reports.picture', { calls: report.total.calls, answered: report.total.answered, abandoned: report.total.abandoned })}>
      ${marks.map((mark) => html`<g><line x1=${left} x2=${width} y1=${height - foot - y(mark)} y2=${height - foot - y(mark)} class="rule" /><text x=${left - 6} y=${height - foot - y(mark) + 4} text-anchor="end">${mark}</text></g>`)}
      ${lines.map((line, at) => {
        let top = height - foot;
        const middle = left + step * at + step / 2;
        return html`<g>
          <title>${`${titled(report.name, line.key)}: ${parts(line).map(([part, count]) => `${t(/* one of the parts */ `reports.${part}`)} ${count}`).join(', ')}`}</title>
          ${parts(line).map(([part, count]) => {
            top -= y(count);
            return count > 0 && html`<rect class=${part} x=${middle - bar / 2} y=${top} width=${bar} height=${y(count)} />`;
          })}
          ${at % every === 0 && html`<text x=${middle} y=${height - 8} text-anchor="middle">${titled(report.name, line.key).slice(0, 12)}</text>`}
        </g>`;
      })}
    </svg>
    <figcaption>${['answered', 'by_robot', 'abandoned'].map((part) => html`<span class=${`key ${part}`}>${t(/* one of the parts */ `reports.${part}`)}</span>`)}</figcaption>
  </figure>`;
}

function columns(report) {
  const number = (name) => ({ head: t(/* one of the sums */ `reports.${name}`), cls: 'num', cell: (line) => line[name] ?? '' });
  const part = (name) => ({ head: t(/* one of the shares */ `reports.${name}`), cls: 'num', cell: (line) => percent(line[name]) });
  const time = (name) => ({ head: t(/* one of the spans */ `reports.${name}`), cls: 'num', cell: (line) => seconds(line[name]) });
  const agents = report.name === 'agents';
  const timed = agents || report.name === 'hours' || report.name === 'days';
  return [
    { head: t(/* one of NAMES */ `reports.by.${report.name}`), cls: 'nowrap', cell: (line) => (line.key ? titled(report.name, line.key) : html`<b>${t('reports.total')}</b>`) },
    number('calls'), number('answered'), number('abandoned'), ...(report.short ? [number('short_abandoned')] : []), part('service_level'), part('abandonment'),
    time('average_wait_s'), time('longest_wait_s'), time('average_talk_s'), time('average_handling_s'),
    ...(agents ? [time('ready_s'), time('paused_s'), time('talk_s'), time('wrap_up_s'), time('idle_s')] : [number('by_robot'), part('robot_share'), number('kept_places'), number('callbacks_delivered')]),
    ...(timed ? [part('occupancy')] : []),
    number('outgoing'), time('estimate_error_s'), { ...number('estimate_bias_s'), cell: (line) => signed(line.estimate_bias_s) },
  ];
}

export default function Reports() {
  const today = dayOf(new Date());
  const [name, setName] = useState('days');
  const [from, setFrom] = useState(dayOf(new Date(Date.now() - 6 * 86400000)));
  const [till, setTill] = useState(today);
  const [within, setWithin] = useState('');
  const [short, setShort] = useState('');
  const asked = { from: begin(from), to: end(till), within: Number(within) >= 1 ? within : '', short: short === '' ? '' : short };
  const path = `/reports/${name}${query(asked)}`;
  const { value: report, error, reload } = useOne(path);
  const input = (label, field) => html`<label class="field"><span>${label}</span>${field}</label>`;
  return html`<section class="page">
    <header><h1>${t('view.reports')}</h1><div class="filters">
      ${input(t('reports.what'), html`<select value=${name} onChange=${(event) => setName(event.target.value)}>${NAMES.map((one) => html`<option value=${one} selected=${one === name}>${t(/* one of NAMES */ `reports.by.${one}`)}</option>`)}</select>`)}
      ${input(t('record.from'), html`<input type="date" value=${from} max=${till} onInput=${(event) => setFrom(event.target.value)} />`)}
      ${input(t('record.till'), html`<input type="date" value=${till} min=${from} onInput=${(event) => setTill(event.target.value)} />`)}
      ${input(t('reports.within'), html`<input type="number" min="1" max="3600" value=${within === '' && report ? report.within : within} onInput=${(event) => setWithin(event.target.value)} />`)}
      ${input(t('reports.short'), html`<input type="number" min="0" max="600" value=${short === '' && report ? report.short : short} onInput=${(event) => setShort(event.target.value)} />`)}
      <a class="button" href=${`/api/v1/reports/${name}${query({ ...asked, format: 'csv' })}`} download=${`${name}-${from}-${till}.csv`}>${t('reports.csv')}</a>
      <a class="button" href=${`/api/v1/reports/${name}${query({ ...asked, format: 'xlsx' })}`} download=${`${name}-${from}-${till}.xlsx`}>${t('reports.xlsx')}</a>
    </div></header>
    ${error && html`<${Trouble} error=${error} again=${reload} />`}
    ${!report && !error && html`<p class="loading" role="status">${t('list.loading')}</p>`}
    ${report && html`<div class="sheet inner">${report.items.length ? html`<${Chart} report=${report} />` : html`<p class="empty">${t('reports.none')}</p>`}</div>
      ${report.items.length > 0 && html`<div class="sheet report"><${Table} label=${t('view.reports')} rows=${[...report.items, report.total]} keyOf=${(line) => line.key} columns=${columns(report)} /></div>`}
      <p class="note">${t('reports.formula', { seconds: report.within, short: report.short })}</p>`}
    ${me.value.role === 'administrator' && html`<${Schedules} />`}
  </section>`;
}
