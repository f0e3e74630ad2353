// Dialled numbers and the queues that they lead to; the numbers that may be called.

import { html } from '../vendor/preact.js';
import { t } from '../i18n.js';
import { F, Group, lines, Section, useQueues, useSection } from '../components/section.js';

const SHAPE = {
  form: (value) => ({ routes: Object.entries(value.routes).map(([number, queue]) => ({ number, queue })), allowed_numbers: value.allowed_numbers }),
  value: (form) => ({ routes: Object.fromEntries(form.routes.map((row) => [row.number.trim(), row.queue])), allowed_numbers: lines(form.allowed_numbers) }),
};

export default function Numbers() {
  const section = useSection('numbers', SHAPE);
  const queues = useQueues();
  const { form } = section;
  const options = (queue) => [...new Set([...queues, queue].filter(Boolean))].map((name) => [name, name]);
  return html`<${Section} section=${section} title=${t('view.numbers')}>
    ${form && html`<${Group} title=${t('numbers.routes')} note=${t('numbers.routes_note')}>
      ${form.routes.map((row, index) => html`<div class="wide with" key=${index}>
        <${F} of=${section} path=${`routes[${index}].number`} field=${`routes.${row.number.trim()}`} label=${t('numbers.dialled')} required longest=${40} />
        <${F} of=${section} path=${`routes[${index}].queue`} field="-" label=${t('numbers.queue')} kind="select" options=${options(row.queue)} />
        <button type="button" class="quiet" aria-label=${t('section.remove', { name: row.number })} onClick=${() => section.change('routes', form.routes.filter((_, other) => other !== index))}>${t('remove')}</button>
      </div>`)}
      <div class="wide"><button type="button" onClick=${() => section.change('routes', [...form.routes, { number: '', queue: queues[0] || '' }])}>${t('numbers.add')}</button></div>
    <//>
    <${Group} title=${t('numbers.allowed')} note=${t('numbers.allowed_note')}>
      <${F} of=${section} path="allowed_numbers" label=${t('numbers.beginnings')} kind="lines" wide />
    <//>`}
  <//>`;
}
