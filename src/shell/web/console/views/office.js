// The office: how callers are greeted, when it is open, in which language.

import { html } from '../vendor/preact.js';
import { t, word } from '../i18n.js';
import { F, Group, lines, Section, useSection } from '../components/section.js';

const SHAPE = { form: (value) => value, value: (form) => ({ ...form, hours: lines(form.hours) }) };

export default function Office() {
  const section = useSection('office', SHAPE);
  return html`<${Section} section=${section} title=${t('view.office')}>
    ${section.form && html`<${Group} title=${t('office.greeting_group')}>
      <${F} of=${section} path="language" label=${t('office.language')} kind="select" options=${['ru', 'en'].map((name) => [name, word('language', name)])} />
      <${F} of=${section} path="greeting" label=${t('office.greeting')} kind="check" />
      <${F} of=${section} path="recording_notice" label=${t('office.recording_notice')} kind="check" />
      <${F} of=${section} path="order_status" label=${t('office.order_status')} kind="check" />
      <${F} of=${section} path="greeting_text" label=${t('office.greeting_text')} kind="long" longest=${1000} wide hint=${t('office.voice_note')} />
    <//>
    <${Group} title=${t('office.hours_group')}>
      <${F} of=${section} path="hours" label=${t('office.hours')} kind="lines" wide hint=${t('office.hours_note')} />
      <${F} of=${section} path="after_hours" label=${t('office.after_hours')} kind="long" longest=${1000} wide hint=${t('office.after_hours_note')} />
    <//>`}
  <//>`;
}
