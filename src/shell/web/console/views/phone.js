// The telephone as it is seen: state of the person, the call in hand, and what can be done with it. It works the same
// for a phone in the browser and for one on the desk, except that only the first can be answered here.

import { html, signal, useEffect, useState } from '../vendor/preact.js';
import { get, post, put } from '../api.js';
import { t, word, phone as pretty } from '../i18n.js';
import { myAgent, myCall, myPhone, queues, waiting } from '../store/office.js';
import { setting, keepSetting } from '../store/kept.js';
import * as phone from '../phone/phone.js';
import * as devices from '../phone/devices.js';
import { tryDevice } from '../phone/sound.js';
import { Since, Until } from '../components/bits.js';
import { attempt, Dialog } from '../components/dialog.js';
import { handOn } from '../components/callcontact.js';

const PAUSES = ['break', 'lunch', 'meeting', 'training'];

/// Ready, pause with its reason, off.
export function OwnState() {
  const agent = myAgent.value;
  if (!agent) return '';
  const go = (path, body) => attempt(() => post(path, body));
  const paused = agent.status === 'pause';
  return html`<div class="own-state" role="group" aria-label=${t('state.title')}>
    <button type="button" class=${agent.status === 'ready' ? 'main' : ''} aria-pressed=${agent.status === 'ready'} onClick=${() => go('/agents/me/ready')}>${word('status', 'ready')}</button>
    <select aria-label=${t('state.pause')} class=${paused ? 'chosen' : ''} onChange=${(event) => { if (event.target.value) go('/agents/me/pause', { reason: event.target.value }); event.target.value = ''; }}>
      <option value="">${paused ? word('pause', agent.reason) : t('state.pause')}</option>
      ${PAUSES.map((reason) => html`<option value=${reason}>${word('pause', reason)}</option>`)}
    </select>
    <button type="button" class=${agent.status === 'offline' ? 'chosen' : ''} aria-pressed=${agent.status === 'offline'} onClick=${() => go('/agents/me/offline')}>${word('status', 'offline')}</button>
    ${agent.state === 'wrap_up' && html`<button type="button" onClick=${() => go('/agents/me/end-wrap-up')}>${t('state.end_wrap_up')} <${Until} at=${agent.wrap_up_until} /></button>`}
  </div>`;
}

/// What keeps the phone from working, and what to do.
function Fault() {
  const mine = myPhone.value;
  if (!mine) return '';
  if (mine.kind !== 'browser') {
    const agent = myAgent.value;
    return agent && agent.reachable === false ? html`<p class="strip bad">${t('phone.desk_away')}</p>` : '';
  }
  if (phone.state.value === 'elsewhere') {
    return html`<p class="strip warn">${t('phone.elsewhere')} <button type="button" onClick=${phone.takeOver}>${t('phone.take_over')}</button></p>`;
  }
  const heard = devices.microphone.value;
  if (heard === 'denied') return html`<p class="strip bad">${t('phone.mic_denied')}</p>`;
  if (heard === 'missing') return html`<p class="strip bad">${t('phone.mic_missing')}</p>`;
  if (heard === 'insecure') return html`<p class="strip bad">${t('phone.insecure')}</p>`;
  if (phone.state.value === 'lost') return html`<p class="strip bad">${t('phone.lost')}</p>`;
  if (phone.state.value === 'refused') return html`<p class="strip bad">${t('phone.refused')}</p>`;
  if (phone.talk.value && phone.talk.value.silent) return html`<p class="strip warn">${t('phone.silent')}</p>`;
  return '';
}

/// The dialog of the transfer is open: by its button or by F6.
const transferring = signal(false);

function Buttons({ call }) {
  const transfer = transferring.value;
  const setTransfer = (open) => (transferring.value = open);
  const [keys, setKeys] = useState(false);
  const [asked, setAsked] = useState(null);
  const own = phone.talk.value;
  const at = `/calls/${call.id}`;
  const stage = call.stage;
  const act = (what) => attempt(() => post(`${at}/${what}`));
  const browser = myPhone.value && myPhone.value.kind === 'browser';
  const complete = async () => (await act('transfer/complete')) && asked && handOn(call, asked);
  if (stage === 'offered' || stage === 'waiting' || (own && own.stage === 'ringing')) {
    return browser
      ? html`<div class="buttons">
          <button type="button" class="good big" disabled=${!own} onClick=${phone.answer} title="F2">${t('call.answer')} <kbd>F2</kbd></button>
          <button type="button" class="bad" disabled=${!own} onClick=${phone.hangUp}>${t('call.reject')}</button>
        </div>`
      : html`<p class="note">${t('call.lift')}</p>`;
  }
  return html`<div class="buttons">
    ${stage === 'held'
      ? html`<button type="button" class="main" onClick=${() => act('resume')} title="F4">${t('call.resume')} <kbd>F4</kbd></button>`
      : html`<button type="button" disabled=${stage !== 'talking'} onClick=${() => act('hold')} title="F4">${t('call.hold')} <kbd>F4</kbd></button>`}
    ${stage === 'consulting'
      ? html`<button type="button" class="main" onClick=${complete}>${t('call.complete')}</button>
          <button type="button" onClick=${() => act('transfer/cancel')}>${t('call.back')}</button>`
      : html`<button type="button" disabled=${stage !== 'talking' && stage !== 'held'} onClick=${() => setTransfer(true)} title="F6">${t('call.transfer')} <kbd>F6</kbd></button>`}
    ${['talking', 'held'].includes(stage) && html`<button type="button" aria-pressed=${!!call.recording_paused_until} class=${call.recording_paused_until ? 'chosen' : ''} onClick=${() => act(call.recording_paused_until ? 'recording/resume' : 'recording/pause')} title=${t('call.unkept_why')}>${call.recording_paused_until ? html`${t('call.keep')} <${Until} at=${call.recording_paused_until} />` : t('call.unkept')}</button>`}
    ${own && html`<button type="button" aria-pressed=${own.muted} class=${own.muted ? 'chosen' : ''} onClick=${phone.toggleMute} title="F7">${own.muted ? t('call.unmute') : t('call.mute')} <kbd>F7</kbd></button>
      <button type="button" aria-expanded=${keys} onClick=${() => setKeys(!keys)}>${t('call.keys')}</button>`}
    <button type="button" class="bad" onClick=${() => (own ? phone.hangUp() : act('hangup'))} title="F9">${t('call.hang_up')} <kbd>F9</kbd></button>
    ${keys && html`<div class="keypad" role="group" aria-label=${t('call.keys')}>${[...'123456789*0#'].map((digit) => html`<button type="button" onClick=${() => phone.key(digit)}>${digit}</button>`)}</div>`}
    ${transfer && html`<${Transfer} call=${call} asked=${setAsked} close=${() => setTransfer(false)} />`}
  </div>`;
}

function Transfer({ call, asked, close }) {
  const [colleagues, setColleagues] = useState([]);
  const [to, setTo] = useState('');
  const [number, setNumber] = useState('');
  useEffect(() => {
    get('/agents/colleagues').then((answer) => setColleagues(answer.items)).catch(() => setColleagues([]));
  }, []);
  const target = to.startsWith('agent:') ? { agent: Number(to.slice(6)) } : to.startsWith('queue:') ? { queue: to.slice(6) } : { number };
  const send = async (mode) => {
    if (!(await attempt(() => post(`/calls/${call.id}/transfer`, { to: target, mode })))) return;
    // Its contact goes with the call, but not before the colleague has said yes.
    if (mode === 'attended') asked(target);
    else await handOn(call, target);
    close();
  };
  return html`<${Dialog} title=${t('transfer.title')} close=${close}>
    <form class="fields" onSubmit=${(event) => { event.preventDefault(); send('blind'); }}>
      <label class="field"><span>${t('transfer.to')}</span>
        <select value=${to} onChange=${(event) => setTo(event.target.value)}>
          <option value="">${t('transfer.number')}</option>
          ${colleagues.map((one) => html`<option value=${`agent:${one.id}`} disabled=${!one.free}>${one.name}${one.free ? '' : ` · ${t('transfer.busy')}`}</option>`)}
          ${queues.value.map((queue) => html`<option value=${`queue:${queue.name}`}>${t('transfer.queue', { name: queue.name })}</option>`)}
        </select></label>
      ${to === '' && html`<label class="field"><span>${t('transfer.number')}</span><input type="tel" value=${number} onInput=${(event) => setNumber(event.target.value)} /></label>`}
      <footer>
        <button type="button" class="quiet" onClick=${close}>${t('cancel')}</button>
        <button type="button" disabled=${to.startsWith('queue:') || (!to && !number)} onClick=${() => send('attended')}>${t('transfer.ask')}</button>
        <button type="submit" class="main" disabled=${!to && !number}>${t('transfer.now')}</button>
      </footer>
    </form>
  <//>`;
}

/// Devices, sounds, and which phone.
function Setup({ close }) {
  const [, again] = useState(0);
  const mine = myPhone.value;
  const of = (kind) => devices.devices.value.filter((device) => device.kind === kind);
  const pick = (what, kind, label) => html`<label class="field"><span>${label}</span>
    <select value=${setting(what, '')} onChange=${(event) => attempt(() => devices.choose(what, event.target.value)).then(() => again((n) => n + 1))}>
      <option value="">${t('setup.usual')}</option>
      ${of(kind).map((device) => html`<option value=${device.id} selected=${setting(what, '') === device.id}>${device.label || device.id}</option>`)}
    </select></label>`;
  const wish = (name, usual, label, also) => html`<label class="check"><input type="checkbox" checked=${setting(name, usual)} onChange=${(event) => { keepSetting(name, event.target.checked); if (also) also(event.target.checked); again((n) => n + 1); }} /> ${label}</label>`;
  const choose = (kind) =>
    attempt(async () => {
      const now = await put('/me/phone', { kind });
      myPhone.value = now;
      if (kind === 'browser') await phone.start(now);
      else phone.stop();
    });
  useEffect(() => {
    devices.list();
  }, []);
  return html`<${Dialog} title=${t('setup.title')} close=${close}>
    <div class="fields">
      <label class="field"><span>${t('setup.kind')}</span>
        <select value=${mine.kind} onChange=${(event) => choose(event.target.value)}>
          <option value="browser" selected=${mine.kind === 'browser'}>${t('setup.browser')}</option>
          <option value="desk" selected=${mine.kind === 'desk'}>${t('setup.desk')}</option>
        </select></label>
      ${mine.kind === 'browser' && html`
        ${pick('microphone', 'audioinput', t('setup.microphone'))}
        <div class="with">${pick('voice_device', 'audiooutput', t('setup.headset'))}<button type="button" onClick=${() => tryDevice(setting('voice_device', ''))}>${t('setup.try')}</button></div>
        <div class="with">${pick('ring_device', 'audiooutput', t('setup.ring'))}<button type="button" onClick=${() => tryDevice(setting('ring_device', ''))}>${t('setup.try')}</button></div>
        <label class="field"><span>${t('setup.volume')}</span><input type="range" min="0" max="1" step="0.1" value=${setting('ring_volume', 0.7)} onInput=${(event) => keepSetting('ring_volume', Number(event.target.value))} /></label>
        ${wish('auto_answer', false, t('setup.auto_answer'))}
        ${wish('voice_processing', true, t('setup.processing'), () => devices.choose('microphone', setting('microphone', '')))}`}
      ${wish('notifications', false, t('setup.notifications'), (on) => on && window.Notification && Notification.requestPermission())}
    </div>
  <//>`;
}

/// Keys of the telephone, wherever the cursor is.
function shortcut(event) {
  const call = myCall.value;
  const own = phone.talk.value;
  const act = {
    F2: () => phone.answer(),
    F4: () => call && attempt(() => post(`/calls/${call.id}/${call.stage === 'held' ? 'resume' : 'hold'}`)),
    F6: () => call && ['talking', 'held'].includes(call.stage) && (transferring.value = true),
    F7: () => phone.toggleMute(),
    F9: () => (own ? phone.hangUp() : call && attempt(() => post(`/calls/${call.id}/hangup`))),
  }[event.key];
  if (!act || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  act();
}

/// The whole telephone. `small`: as a strip over other views, and only when there is something to show.
export function PhonePanel({ small }) {
  const [setup, setSetup] = useState(false);
  const call = myCall.value;
  useEffect(() => {
    addEventListener('keydown', shortcut);
    return () => removeEventListener('keydown', shortcut);
  }, []);
  if (small) {
    return html`<div class="phone-strip"><${Fault} />${call && html`<section class="phone small" aria-label=${t('phone.title')}><${Caller} call=${call} /><${Buttons} call=${call} /><a href="#/desk">${t('view.desk')}</a></section>`}</div>`;
  }
  const agent = myAgent.value;
  return html`<section class="phone" aria-label=${t('phone.title')} data-phone=${phone.state.value} data-stage=${call ? call.stage : ''}>
    <header>
      <${OwnState} />
      <button type="button" class="quiet" aria-label=${t('setup.title')} title=${t('setup.title')} onClick=${() => setSetup(true)}>⚙</button>
    </header>
    <${Fault} />
    ${call ? html`<${Caller} call=${call} /><${Buttons} call=${call} />` : html`<p class="idle">${agent && agent.status === 'ready' ? t('phone.waiting') : t('phone.not_ready')}</p>`}
    <p class="queue-line">${t('queue.waiting', { count: waiting.value })}${queues.value.length > 1 ? ` · ${queues.value.map((queue) => `${queue.name} ${queue.waiting}`).join(' · ')}` : ''}</p>
    ${setup && html`<${Setup} close=${() => setSetup(false)} />`}
  </section>`;
}

function Caller({ call }) {
  return html`<div class="caller">
    <strong class="number">${pretty(call.number)}</strong>
    <span>${call.name || ''}</span>
    <span class="badge">${word('stage', call.stage)}</span>
    <${Since} at=${call.bridged_at || call.arrived_at} />
  </div>`;
}
