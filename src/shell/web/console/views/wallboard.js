// The wallboard of the supervisors: the queue, the calls and the dispatchers at this moment, and changing their state.

import { html, useEffect, useState } from '../vendor/preact.js';
import { t, word, phone, span } from '../i18n.js';
import { post, remove } from '../api.js';
import { agents, calls, me, myAgentId, queues, waiting } from '../store/office.js';
import * as own from '../phone/phone.js';
import { now } from '../store/clock.js';
import { AgentState, Since, Warnings } from '../components/bits.js';
import { Table, useOne } from '../components/list.js';
import { percent, seconds, signed } from './reports.js';
import { attempt } from '../components/dialog.js';
import { Gaps } from '../components/gaps.js';

const MODES = ['listen', 'whisper', 'join', 'take_over'];

export default function Wallboard() {
  const all = [...agents.value.values()];
  const live = [...calls.value.values()].sort((a, b) => Date.parse(a.arrived_at) - Date.parse(b.arrived_at));
  const count = (fits) => all.filter(fits).length;
  const queued = live.filter((call) => call.queued_at && ['waiting', 'offered'].includes(call.stage));
  const longest = queued.length ? now.value - Math.min(...queued.map((call) => Date.parse(call.queued_at))) : 0;
  const name = (id) => (agents.value.get(id) || {}).name || id;
  return html`<section class="page">
    <h1 class="unseen">${t('view.wallboard')}</h1>
    <div class="board">
      <${Figure} n=${waiting.value} text=${t('board.waiting')} warn=${waiting.value > 0} />
      <${Figure} n=${longest > 0 ? span(longest) : '—'} text=${t('board.longest')} warn=${longest > 60000} />
      <${Figure} n=${count((agent) => agent.state === 'talking')} text=${t('board.talking')} />
      <${Figure} n=${count((agent) => agent.status === 'ready' && agent.state === 'idle')} text=${t('board.ready')} />
      <${Figure} n=${count((agent) => agent.status === 'pause')} text=${t('board.paused')} />
      <${Figure} n=${count((agent) => agent.status === 'offline')} text=${t('board.offline')} />
    </div>
    <${Today} />
    ${queues.value.length > 1 && html`<p class="queue-line">${queues.value.map((queue) => `${queue.name}: ${queue.waiting}`).join(' · ')}</p>`}
    <${Gaps} />
    <div class="two">
      <div class="sheet"><h2 class="unseen">${t('board.calls')}</h2>${live.length === 0 ? html`<p class="empty">${t('board.none')}</p>` : html`<${Table} label=${t('board.calls')} rows=${live.slice(0, 200)} keyOf=${(call) => call.id} marked=${(call) => call.stage === 'waiting'} columns=${[
        { head: t('call.number'), cell: (call) => html`${phone(call.number)} ${call.name || ''} <${Warnings} blocked=${call.blocked} conflict=${call.conflict} />` },
        { head: t('board.stage'), cell: (call) => html`${word('stage', call.stage)} ${call.recording_paused_until ? html`<span class="badge warn">${t('board.unkept')}</span>` : ''}` },
        { head: t('board.who'), cell: (call) => call.agents.map(name).join(', ') },
        { head: t('board.since'), cell: (call) => html`<${Since} at=${call.bridged_at || call.queued_at || call.arrived_at} />`, cls: 'num' },
        ...(me.value && me.value.may_monitor ? [{ head: t('board.live'), cell: (call) => html`<${Live} call=${call} name=${name} />` }] : []),
      ]} />`}</div>
      <div class="sheet"><h2 class="unseen">${t('board.agents')}</h2>${all.length === 0 ? html`<p class="empty">${t('agents.none')}</p>` : html`<${Table} label=${t('board.agents')} rows=${all.sort((a, b) => a.name.localeCompare(b.name))} keyOf=${(agent) => agent.id} columns=${[
        { head: t('agents.name'), cell: (agent) => html`${agent.name} ${agent.reachable === false ? html`<span class="badge bad">${word('pause', 'unreachable')}</span>` : ''}` },
        { head: t('board.state'), cell: (agent) => html`<${AgentState} agent=${agent} />` },
        { head: t('board.taken'), cell: (agent) => agent.calls_taken, cls: 'num' },
        { head: t('board.set'), cell: (agent) => html`<${Set} agent=${agent} />` },
      ]} />`}</div>
    </div>
  </section>`;
}

/// Who hears the call, and the ways to hear it oneself: by one's own phone, which rings.
function Live({ call, name }) {
  const [wanted, setWanted] = useState(false);
  const heard = call.monitors || [];
  const mine = heard.find((one) => one.agent === myAgentId.value);
  const talk = own.talk.value;
  // Who has asked for it in this page need not lift the phone as well. Whether the phone rings or the engine tells of
  // it first is a matter of chance.
  const lifts = wanted && !!mine && !mine.since && !!talk && talk.stage === 'ringing' && talk.call === call.id;
  useEffect(() => {
    if (!lifts) return;
    setWanted(false);
    own.answer();
  }, [lifts]);
  const go = async (mode) => {
    setWanted(!mine || !mine.since);
    if (!(await attempt(() => post(`/calls/${call.id}/monitor`, { mode })))) setWanted(false);
  };
  const can = ['talking', 'held', 'consulting'].includes(call.stage) && myAgentId.value !== null && !call.agents.includes(myAgentId.value);
  return html`<span class="live">${heard.map((one) => html`<span class="badge warn" data-monitor=${one.mode}>${name(one.agent)}: ${word('monitor', one.mode)}</span> `)}
    ${can && html`<span class="buttons" role="group" aria-label=${`${t('board.live')} ${phone(call.number)}`}>
      ${MODES.map((mode) => html`<button type="button" class="small" aria-pressed=${!!mine && mine.mode === mode} onClick=${() => go(mode)}>${word('monitor', mode)}</button>`)}
      ${mine && html`<button type="button" class="small bad" onClick=${() => attempt(() => remove(`/calls/${call.id}/monitor`))}>${t('board.live_end')}</button>`}
    </span>`}</span>`;
}

/// How today goes: reckoned by the engine, read anew every ten seconds.
function Today() {
  const { value, reload } = useOne('/wallboard');
  const [last, setLast] = useState(null);
  useEffect(() => {
    const turn = setInterval(reload, 10000);
    return () => clearInterval(turn);
  }, [reload]);
  useEffect(() => value && setLast(value), [value]);
  if (!last) return null;
  const today = last.today;
  const shown = (text) => (text === '' || text === undefined ? '—' : text);
  return html`<section class="board today" aria-label=${t('board.today')}>
    <${Figure} n=${shown(percent(today.service_level))} text=${t('board.service_level', { seconds: last.within })} />
    <${Figure} n=${shown(seconds(today.average_wait_s))} text=${t('board.answer_speed')} />
    <${Figure} n=${shown(seconds(today.average_handling_s))} text=${t('board.handling')} />
    <${Figure} n=${shown(percent(today.abandonment))} text=${t('board.abandonment')} />
    <${Figure} n=${shown(percent(today.occupancy))} text=${t('board.occupancy')} />
    <${Figure} n=${shown(percent(today.robot_share))} text=${t('board.robot')} />
    <${Figure} n=${`${last.callbacks_waiting} / ${today.callbacks_delivered}`} text=${t('board.callbacks')} />
    <${Figure} n=${shown(seconds(Math.max(0, ...last.queues.map((queue) => queue.estimate_s))))} text=${t('board.estimate')} />
    <${Figure} n=${today.told > 0 ? `±${seconds(today.estimate_error_s)}` : '—'} text=${today.told > 0 ? t('board.estimate_error', { bias: signed(today.estimate_bias_s) }) : t('board.estimate_none')} />
  </section>`;
}

const Figure = ({ n, text, warn }) => html`<div class=${`figure ${warn ? 'warn' : ''}`}><b>${n}</b><span>${text}</span></div>`;

function Set({ agent }) {
  const [busy, setBusy] = useState(false);
  const set = async (event) => {
    const status = event.target.value;
    event.target.value = '';
    if (!status) return;
    setBusy(true);
    await attempt(() => post(`/agents/${agent.id}/state`, { status, reason: status === 'pause' ? 'break' : undefined }));
    setBusy(false);
  };
  return html`<select aria-label=${`${t('board.set')} ${agent.name}`} disabled=${busy} onChange=${set}>
    <option value="">…</option>${['ready', 'pause', 'offline'].filter((one) => one !== agent.status).map((one) => html`<option value=${one}>${word('status', one)}</option>`)}</select>`;
}
