// The console: who is there, what may be seen, and which view is open.

import { html, render, useEffect, useState, signal, effect } from './vendor/preact.js';
import * as api from './api.js';
import * as live from './live.js';
import { language, LANGUAGES, load, speak, t, word } from './i18n.js';
import * as office from './store/office.js';
import { forget, setting, keepSetting } from './store/kept.js';
import * as phone from './phone/phone.js';
import { Messages } from './components/dialog.js';
import { AgentState } from './components/bits.js';
import { Bell } from './components/bell.js';
import { SecondFactor } from './components/secondfactor.js';
import { Login } from './views/login.js';
import { Desk } from './views/desk.js';
import { notifyOf } from './store/notify.js';
import { PhonePanel } from './views/phone.js';

/// Views by their address: `#/orders`. Those that few open are fetched when they are opened.
const VIEWS = {
  desk: { show: () => Desk, who: 'agent' },
  orders: { load: () => import('./views/orders.js'), who: 'agent' },
  clients: { load: () => import('./views/clients.js'), who: 'agent' },
  calls: { load: () => import('./views/calls.js'), who: 'agent' },
  callbacks: { load: () => import('./views/callbacks.js'), who: 'agent' },
  journal: { load: () => import('./views/journal.js'), who: 'agent' },
  sms: { load: () => import('./views/sms.js'), who: 'agent' },
  recordings: { load: () => import('./views/recordings.js'), who: 'agent' },
  quality: { load: () => import('./views/quality.js'), who: 'agent' },
  wallboard: { load: () => import('./views/wallboard.js'), who: 'supervisor' },
  reports: { load: () => import('./views/reports.js'), who: 'supervisor' },
  blocked: { load: () => import('./views/blocked.js'), who: 'supervisor' },
  ledger: { load: () => import('./views/ledger.js'), who: 'supervisor' },
  agents: { load: () => import('./views/agents.js'), who: 'administrator' },
  users: { load: () => import('./views/users.js'), who: 'administrator' },
  purposes: { load: () => import('./views/purposes.js'), who: 'administrator' },
  tariffs: { load: () => import('./views/tariffs.js'), who: 'administrator' },
  queues: { load: () => import('./views/queues.js'), who: 'administrator' },
  numbers: { load: () => import('./views/numbers.js'), who: 'administrator' },
  menus: { load: () => import('./views/menus.js'), who: 'administrator' },
  office: { load: () => import('./views/office.js'), who: 'administrator' },
  notices: { load: () => import('./views/notices.js'), who: 'administrator' },
  streets: { load: () => import('./views/streets.js'), who: 'administrator' },
  keys: { load: () => import('./views/keys.js'), who: 'administrator' },
  webhooks: { load: () => import('./views/webhooks.js'), who: 'administrator' },
  audit: { load: () => import('./views/audit.js'), who: 'administrator' },
};
const RANK = { agent: 0, supervisor: 1, administrator: 2 };

/// 'starting', 'out' or 'in'.
const entry = signal('starting');
/// The view and what it is about: `#/clients/7` is `['clients', '7']`.
const place = signal(where());
const loaded = signal({});

function where() {
  return location.hash.replace(/^#\/?/, '').split('/').filter(Boolean);
}

addEventListener('hashchange', () => {
  place.value = where();
});

// A visitor is entered from wherever one is.
addEventListener('keydown', (event) => {
  if (event.key !== 'F8' || event.ctrlKey || event.altKey || event.metaKey || entry.value !== 'in' || document.querySelector('dialog[open]')) return;
  event.preventDefault();
  location.hash = '#/journal/new';
});

async function enter() {
  try {
    office.me.value = await api.get('/me');
  } catch (error) {
    entry.value = 'out';
    if (!error.status) setTimeout(() => entry.value === 'out' && enter(), 2000);
    return;
  }
  if (!place.value.length) place.value = office.me.value.agent ? ['desk'] : ['wallboard'];
  entry.value = 'in';
  live.start(out);
  await beginPhone();
}

async function beginPhone() {
  if (!office.me.value.agent) return;
  try {
    const mine = await api.get('/me/phone');
    office.myPhone.value = mine;
    if (mine.kind === 'browser') await phone.start(mine);
    else phone.stop();
  } catch {
    setTimeout(() => entry.value === 'in' && beginPhone(), 3000);
  }
}

/// The session is over: of itself, or by the person.
function out() {
  live.stop();
  phone.stop();
  office.me.value = null;
  office.lastCall.value = null;
  entry.value = 'out';
}

async function leave() {
  try {
    if (office.me.value.agent) await api.post('/agents/me/offline');
    await api.remove('/session');
  } catch {
    // The session ends by itself.
  }
  forget();
  out();
}

api.whenSessionEnds(() => entry.value === 'in' && out());

function may(name) {
  const view = VIEWS[name];
  return !!view && !!office.me.value && RANK[office.me.value.role] >= RANK[view.who] && (name !== 'desk' || !!office.me.value.agent);
}

function View() {
  const [name, ...rest] = place.value;
  const view = VIEWS[name];
  useEffect(() => {
    if (view && view.load && !loaded.value[name] && may(name)) {
      view.load().then(
        (module) => (loaded.value = { ...loaded.value, [name]: module.default }),
        () => (loaded.value = { ...loaded.value, [name]: Missing }),
      );
    }
  }, [name]);
  if (!view) return html`<p class="empty">${t('view.none')}</p>`;
  if (!may(name)) return html`<p class="empty">${t('view.forbidden')}</p>`;
  const Shown = view.show ? view.show() : loaded.value[name];
  return Shown ? html`<${Shown} key=${name} path=${rest} />` : html`<p class="loading">${t('list.loading')}</p>`;
}

const Missing = () => html`<p class="trouble" role="alert">${t('list.offline')} <button type="button" class="quiet" onClick=${() => location.reload()}>${t('list.again')}</button></p>`;

const isSetting = (name) => !!VIEWS[name] && VIEWS[name].who === 'administrator';
const link = (name) => html`<a key=${name} href=${`#/${name}`} aria-current=${place.value[0] === name ? 'page' : undefined}>${t(`view.${name}`)}</a>`;

function Menu() {
  const names = Object.keys(VIEWS).filter(may);
  const [first] = names.filter(isSetting);
  return html`<nav aria-label=${t('menu')}>
    ${names.filter((name) => !isSetting(name)).map(link)}
    ${first && html`<a href=${`#/${first}`} aria-current=${isSetting(place.value[0]) ? 'true' : undefined}>${t('settings')}</a>`}
  </nav>`;
}

/// The views of administrators, in a line of their own.
function Settings() {
  if (!isSetting(place.value[0]) || !may(place.value[0])) return '';
  return html`<nav class="sub" aria-label=${t('settings')}>${Object.keys(VIEWS).filter(isSetting).map(link)}</nav>`;
}

function Bar() {
  const agent = office.myAgent.value;
  const [factor, setFactor] = useState(false);
  return html`<header class="bar">
    <a class="skip" href="#main" onClick=${(event) => { event.preventDefault(); document.getElementById('main').focus(); }}>${t('skip')}</a>
    <${Menu} />
    <div class="who">
      <${Bell} />
      ${agent && html`<${AgentState} agent=${agent} />`}
      <button type="button" class="quiet login" title=${`${word('role', office.me.value.role)}. ${t('factor')}`} onClick=${() => setFactor(true)}>${office.me.value.login}</button>
      <${Looks} />
      <button type="button" class="quiet" onClick=${leave}>${t('log_out')}</button>
    </div>
    ${factor && html`<${SecondFactor} close=${() => setFactor(false)} />`}
  </header>`;
}

/// Language and light or dark.
export function Looks() {
  const other = LANGUAGES.find((name) => name !== language.value);
  return html`<button type="button" class="quiet" lang=${other} onClick=${() => speak(other)}>${other.toUpperCase()}</button>
    <button type="button" class="quiet" aria-label=${t('looks')} title=${t('looks')} onClick=${() => dress(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark')}>◐</button>`;
}

function dress(theme) {
  document.documentElement.dataset.theme = theme;
  keepSetting('theme', theme);
}

function Troubles() {
  const gone = live.state.value === 'lost' || api.reach.value === 'offline';
  const down = office.nodes.value.filter((node) => !node.connected);
  return html`<div role="status">
    ${gone && html`<p class="strip bad">${t('trouble.connection')}</p>`}
    ${office.me.value.second_factor_required && html`<p class="strip bad">${t('factor.required')}</p>`}
    ${down.map((node) => html`<p class="strip bad">${t('trouble.asterisk', { name: node.name })}</p>`)}
  </div>`;
}

function App() {
  if (entry.value === 'starting') return html`<p class="loading">${t('list.loading')}</p>`;
  if (entry.value === 'out') return html`<${Login} done=${enter} Looks=${Looks} />`;
  return html`<div class="app">
    <${Bar} />
    <${Settings} />
    <${Troubles} />
    ${office.me.value.agent && place.value[0] !== 'desk' && html`<${PhonePanel} small=${true} />`}
    <main id="main" tabindex="-1"><${View} /></main>
    <${Messages} />
  </div>`;
}

const usual = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
document.documentElement.dataset.theme = setting('theme', usual);
effect(notifyOf);
await load();
document.getElementById('app').textContent = '';
render(html`<${App} />`, document.getElementById('app'));
await enter();
