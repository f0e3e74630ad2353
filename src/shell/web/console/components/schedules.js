// Reports by e-mail: which, to whom and when. For administrators.

import { html, useState } from '../vendor/preact.js';
import { dayTime, t } from '../i18n.js';
import { post, put, remove } from '../api.js';
import { useOne, Trouble, Table } from './list.js';
import { attempt, FormDialog } from './dialog.js';

const REPORTS = ['days', 'hours', 'queues', 'agents', 'purposes'];
const EVERY = ['day', 'week', 'month'];

export function Schedules() {
  const [edited, setEdited] = useState(null);
  const { value, error, reload } = useOne('/reports/schedules');
  const fields = (one) => {
    const plan = one ? one.plan : { report: 'days', recipients: [], every: 'day', day: 1, hour: 8, format: 'xlsx' };
    return [
      { name: 'name', label: t('schedules.name'), value: one ? one.name : '', required: true, longest: 100 },
      { name: 'report', label: t('schedules.report'), kind: 'select', value: plan.report, options: REPORTS.map((name) => [name, t(/* one of REPORTS */ `reports.by.${name}`)]) },
      { name: 'recipients', label: t('schedules.recipients'), value: plan.recipients.join(', '), required: true },
      { name: 'every', label: t('schedules.every'), kind: 'select', value: plan.every, options: EVERY.map((name) => [name, t(/* one of EVERY */ `schedules.every.${name}`)]) },
      { name: 'day', label: t('schedules.day'), kind: 'number', min: 1, max: 28, value: String(plan.day), required: true },
      { name: 'hour', label: t('schedules.hour'), kind: 'number', min: 0, max: 23, value: String(plan.hour), required: true },
      { name: 'format', label: t('schedules.format'), kind: 'select', value: plan.format, options: [['xlsx', 'XLSX'], ['csv', 'CSV']] },
      { name: 'enabled', label: t('schedules.enabled'), kind: 'check', value: one ? one.enabled : true },
    ];
  };
  const save = async ({ name, enabled, recipients, day, hour, ...plan }) => {
    const to = recipients.split(',').map((one) => one.trim()).filter(Boolean);
    const body = { name, enabled, plan: { ...plan, recipients: to, day: Number(day), hour: Number(hour) } };
    if (edited.id) await put(`/reports/schedules/${edited.id}`, { ...body, version: edited.version });
    else await post('/reports/schedules', body);
    await reload();
  };
  const last = ({ last: mail }) => mail && html`${dayTime(mail.due_at)} <span class=${`badge ${{ sent: 'good', failed: 'bad' }[mail.state] || ''}`}>${t(/* state of a mail */ `schedules.state.${mail.state}`)}</span> ${mail.last_error || ''}`;
  return html`<div class="sheet inner">
    <header><h2>${t('schedules.title')}</h2><button type="button" onClick=${() => setEdited({})}>${t('schedules.add')}</button></header>
    ${error && html`<${Trouble} error=${error} again=${reload} />`}
    ${value && !value.mail && html`<p class="note">${t('schedules.no_mail')}</p>`}
    ${value && (value.items.length === 0 ? html`<p class="empty">${t('schedules.none')}</p>` : html`<${Table} label=${t('schedules.title')} rows=${value.items} keyOf=${(one) => one.id} open=${setEdited} columns=${[
      { head: t('schedules.name'), cell: (one) => one.name },
      { head: t('schedules.report'), cell: (one) => t(/* one of REPORTS */ `reports.by.${one.plan.report}`) },
      { head: t('schedules.every'), cell: (one) => `${t(/* one of EVERY */ `schedules.every.${one.plan.every}`)}, ${one.plan.hour}:00` },
      { head: t('schedules.recipients'), cell: (one) => one.plan.recipients.join(', ') },
      { head: t('schedules.last'), cell: last },
      { head: '', cell: (one) => html`<div class="buttons"><button type="button" onClick=${(event) => { event.stopPropagation(); attempt(() => post(`/reports/schedules/${one.id}/send`), t('schedules.sent')).then(reload); }}>${t('schedules.send')}</button>
        <button type="button" class="bad" onClick=${(event) => { event.stopPropagation(); attempt(() => remove(`/reports/schedules/${one.id}`)).then(reload); }}>${t('schedules.remove')}</button></div>` },
    ]} />`)}
    ${edited && html`<${FormDialog} title=${edited.id ? edited.name : t('schedules.add')} close=${() => setEdited(null)} fields=${fields(edited.id ? edited : null)} send=${save} />`}
  </div>`;
}
