// The queues: who is offered the next call, how long phones ring, what those who wait hear.

import { html } from '../vendor/preact.js';
import { t, word } from '../i18n.js';
import { F, Group, Moves, Section, useSection } from '../components/section.js';

const STRATEGIES = ['longest_idle', 'ring_all', 'round_robin', 'fewest_calls', 'highest_level'];

/// Fields of a queue and of what queues have where they say nothing.
function Options({ of, at }) {
  const path = (name) => `${at}.${name}`;
  const number = (name, label, min, max = 86400) => html`<${F} of=${of} path=${path(name)} label=${label} kind="number" optional min=${min} max=${max} />`;
  return html`
    <${F} of=${of} path=${path('strategy')} label=${t('queues.strategy')} kind="select" optional options=${STRATEGIES.map((name) => [name, word('queues.strategy', name)])} />
    ${number('ring_seconds', t('queues.ring'), 3)}
    ${number('wrap_up_seconds', t('queues.wrap_up'), 0)}
    ${number('priority', t('queues.priority'), -1000, 1000)}
    <${F} of=${of} path=${path('skill')} label=${t('queues.skill')} optional longest=${40} />
    ${number('skill_level', t('queues.skill_level'), 1, 10)}
    <${F} of=${of} path=${path('sticky')} label=${t('queues.sticky')} kind="choice" />
    ${number('sticky_wait_seconds', t('queues.sticky_wait'), 0)}
    ${number('announce_first_seconds', t('queues.announce_first'), 0)}
    ${number('announce_every_seconds', t('queues.announce_every'), 0)}
    <${F} of=${of} path=${path('callback_offer')} label=${t('queues.callback_offer')} kind="choice" />`;
}

export default function Queues() {
  const section = useSection('queues');
  const { form, now } = section;
  const known = now ? now.value.list.map((one) => one.name) : [];
  const add = () => section.change('list', [...form.list, { name: '' }]);
  const levels = (name, label) => html`<${F} of=${section} path=${name} label=${label} kind="number" min=${-1000} max=${1000} />`;
  return html`<${Section} section=${section} title=${t('view.queues')}>
    ${form && form.list.map((one, index) => html`<${Group} key=${index} title=${one.name || t('queues.new')} note=${index === 0 ? t('queues.first') : ''}>
      <${F} of=${section} path=${`list[${index}].name`} label=${t('queues.name')} required pattern="[A-Za-z0-9_\\-]{1,40}" fixed=${known.includes(one.name)} hint=${known.includes(one.name) ? '' : t('queues.name_rule')} />
      <${Options} of=${section} at=${`list[${index}]`} />
      <${Moves} of=${section} path="list" index=${index} name=${one.name} />
    <//>`)}
    ${form && !form.list.length && html`<p class="note">${t('queues.only_main')}</p>`}
    ${form && html`<div><button type="button" onClick=${add}>${t('queues.add')}</button></div>
    <${Group} title=${t('queues.defaults')} note=${t('queues.defaults_note')}><${Options} of=${section} at="defaults" /><//>
    <${Group} title=${t('queues.precedence')} note=${t('queues.precedence_note')}>
      <${F} of=${section} path="priority_step_seconds" label=${t('queues.step')} kind="number" min=${1} max=${86400} />
      ${levels('car_waiting_priority', t('queues.car_waiting'))}
      ${levels('car_assigned_priority', t('queues.car_assigned'))}
      ${levels('corporate_priority', t('queues.corporate'))}
    <//>`}
  <//>`;
}
