// How clients are told of their orders, and called back.

import { html } from '../vendor/preact.js';
import { t, word } from '../i18n.js';
import { F, Group, lines, Section, useSection } from '../components/section.js';

const OCCASIONS = ['assigned', 'eta_changed', 'arrived', 'not_found', 'closed', 'cancelled'];
const CHANNELS = ['voice', 'sms', 'both', 'none'];
const SHAPE = { form: (value) => value, value: (form) => ({ ...form, hours: lines(form.hours) }) };

export default function Notices() {
  const section = useSection('notifications', SHAPE);
  const number = (path, label, min, max) => html`<${F} of=${section} path=${path} label=${label} kind="number" min=${min} max=${max} />`;
  return html`<${Section} section=${section} title=${t('view.notices')}>
    ${section.form && html`<${Group} title=${t('notices.occasions')} note=${t('notices.occasions_note')}>
      ${OCCASIONS.map((name) => html`<${F} key=${name} of=${section} path=${`notify.${name}`} label=${word('notices.occasion', name)} kind="select" options=${CHANNELS.map((channel) => [channel, word('notices.channel', channel)])} />`)}
      ${number('notify.eta_minutes', t('notices.eta_minutes'), 0, 120)}
    <//>
    <${Group} title=${t('notices.calling')}>
      <${F} of=${section} path="enabled" label=${t('notices.enabled')} kind="check" />
      <${F} of=${section} path="lost" label=${t('notices.lost')} kind="check" />
      ${number('attempts', t('notices.attempts'), 1, 20)}
      ${number('interval_seconds', t('notices.interval'), 1, 86400)}
      ${number('ring_seconds', t('notices.ring'), 5, 120)}
      ${number('lines', t('notices.lines'), 1, 10000)}
      <${F} of=${section} path="show_number" label=${t('notices.show_number')} longest=${40} hint=${t('notices.show_number_note')} />
      <${F} of=${section} path="hours" label=${t('notices.hours')} kind="lines" wide hint=${t('notices.hours_note')} />
    <//>
    <${Group} title=${t('notices.days')}>
      <${F} of=${section} path="attention" label=${t('notices.attention')} kind="select" options=${['task', 'call', 'none'].map((name) => [name, word('notices.attention', name)])} />
      <${F} of=${section} path="attention_words" label=${t('notices.attention_words')} kind="long" longest=${1000} wide />
    <//>`}
  <//>`;
}
