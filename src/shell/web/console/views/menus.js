// Voice menus: what callers hear, and where each key leads.

import { html } from '../vendor/preact.js';
import { t, word } from '../i18n.js';
import { F, Group, Moves, Section, useQueues, useSection } from '../components/section.js';

const ACTS = ['queue', 'menu', 'say', 'repeat', 'hang up'];
const KEYS = [...'1234567890*#'];
const LANGUAGES = () => ['ru', 'en'].map((name) => [name, word('language', name)]);

/// `queue main` as the form has it, and back.
function apart(written) {
  const [word, ...rest] = written.trim().split(' ');
  return word === 'hang' ? { act: 'hang up', to: '' } : { act: word, to: rest.join(' ').trim() };
}
const together = ({ act, to }) => (['repeat', 'hang up'].includes(act) ? act : `${act} ${to}`);

const SHAPE = {
  form: (value) => ({ start: value.start ?? '', list: value.list.map((menu) => ({ ...menu, keys: Object.entries(menu.keys).map(([key, act]) => ({ key, ...apart(act) })), otherwise: apart(menu.otherwise || 'repeat') })) }),
  value: (form) => ({ start: form.start || null, list: form.list.map((menu) => ({ ...menu, keys: Object.fromEntries(menu.keys.map((row) => [row.key, together(row)])), otherwise: together(menu.otherwise) })) }),
};

/// Where a key leads.
function Leads({ of, path, field, queues, label }) {
  const { act } = of.get(path);
  const places = { queue: queues, menu: of.form.list.map((menu) => menu.name).filter(Boolean) }[act];
  const to = of.get(`${path}.to`);
  return html`<${F} of=${of} path=${`${path}.act`} field=${act === 'say' || places ? '-' : field} label=${label} kind="select" options=${ACTS.map((name) => [name, word('menus.act', name.replace(' ', '_'))])} />
    ${places && html`<${F} of=${of} path=${`${path}.to`} field=${field} label=${word('menus.to', act)} kind="select" required options=${[...new Set(['', ...places, to])].map((name) => [name, name || t('menus.choose')])} />`}
    ${act === 'say' && html`<${F} of=${of} path=${`${path}.to`} field=${field} label=${t('menus.to.say')} required longest=${1000} />`}`;
}

function Menu({ of, index, queues }) {
  const at = `list[${index}]`;
  const menu = of.get(at);
  const free = KEYS.find((key) => !menu.keys.some((row) => row.key === key));
  return html`<${Group} title=${menu.name || t('menus.new')}>
    <${F} of=${of} path=${`${at}.name`} label=${t('menus.name')} required longest=${40} />
    <${F} of=${of} path=${`${at}.language`} label=${t('menus.language')} kind="select" optional options=${LANGUAGES()} />
    <${F} of=${of} path=${`${at}.wait_seconds`} label=${t('menus.wait')} kind="number" min=${1} max=${60} />
    <${F} of=${of} path=${`${at}.times`} label=${t('menus.times')} kind="number" min=${1} max=${10} />
    <${F} of=${of} path=${`${at}.say`} label=${t('menus.say')} kind="long" required longest=${1000} wide />
    ${menu.keys.map((row, at_key) => html`<div class="wide with" key=${row.key}>
      <div class="short"><${F} of=${of} path=${`${at}.keys[${at_key}].key`} field="-" label=${t('menus.key')} kind="select" options=${KEYS.filter((key) => key === row.key || !menu.keys.some((other) => other.key === key)).map((key) => [key, key])} /></div>
      <${Leads} of=${of} path=${`${at}.keys[${at_key}]`} field=${`${at}.keys.${row.key}`} queues=${queues} label=${t('menus.does')} />
      <button type="button" class="quiet" aria-label=${t('menus.remove_key', { key: row.key })} onClick=${() => of.change(`${at}.keys`, menu.keys.filter((_, other) => other !== at_key))}>${t('remove')}</button>
    </div>`)}
    ${free && html`<div class="wide"><button type="button" onClick=${() => of.change(`${at}.keys`, [...menu.keys, { key: free, act: 'queue', to: queues[0] || '' }])}>${t('menus.add_key')}</button></div>`}
    <div class="wide with"><${Leads} of=${of} path=${`${at}.otherwise`} field=${`${at}.otherwise`} queues=${queues} label=${t('menus.otherwise')} /></div>
    <${Moves} of=${of} path="list" index=${index} name=${menu.name} />
  <//>`;
}

export default function Menus() {
  const section = useSection('menus', SHAPE);
  const queues = useQueues();
  const { form } = section;
  const add = () => section.change('list', [...form.list, { name: '', say: '', language: null, wait_seconds: 5, times: 2, keys: [], otherwise: { act: 'queue', to: queues[0] || '' } }]);
  return html`<${Section} section=${section} title=${t('view.menus')}>
    ${form && html`<${Group} title=${t('menus.start')} note=${t('menus.note')}>
      <${F} of=${section} path="start" label=${t('menus.start')} kind="select" options=${[['', t('menus.no_start')], ...[...new Set([...form.list.map((menu) => menu.name), form.start])].filter(Boolean).map((name) => [name, name])]} />
    <//>
    ${form.list.map((menu, index) => html`<${Menu} key=${index} of=${section} index=${index} queues=${queues} />`)}
    <div><button type="button" onClick=${add}>${t('menus.add')}</button></div>`}
  <//>`;
}
