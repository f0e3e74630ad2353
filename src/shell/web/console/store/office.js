// What the office looks like now, as the stream tells it: the queue, the agents, the calls, and which orders and cards
// changed.

import { signal, computed, batch } from '../vendor/preact.js';
import * as live from '../live.js';

export const me = signal(null);
/// What this person telephones with: `{kind, endpoint, password?, socket}`.
export const myPhone = signal(null);
export const agents = signal(new Map());
export const calls = signal(new Map());
export const queues = signal([]);
export const waiting = signal(0);
export const nodes = signal([]);
/// Grows with every whole picture: lists are read again.
export const epoch = signal(0);
/// The last order or card that changed: `{order, client, version, state}`.
export const changedOrder = signal(null);
export const changedClient = signal(null);
/// The last contact that was entered or changed: `{contact, client, version, state}`.
export const changedContact = signal(null);
/// The callback that was added or changed last.
export const changedCallback = signal(null);
/// The call whose card is shown, also for a while after its end.
export const lastCall = signal(null);
/// When the offer came, for those who measure.
export const offeredAt = signal(0);

export const myAgentId = computed(() => (me.value && me.value.agent ? me.value.agent.id : null));
export const myAgent = computed(() => agents.value.get(myAgentId.value) || (me.value && me.value.agent) || null);
export const isSupervisor = computed(() => !!me.value && me.value.role !== 'agent');
export const isAdministrator = computed(() => !!me.value && me.value.role === 'administrator');

/// The call that this person has in hand.
export const myCall = computed(() => {
  const id = myAgentId.value;
  if (id === null) return null;
  for (const call of calls.value.values()) if (call.agents.includes(id) && call.stage !== 'ending') return call;
  return null;
});

const withEntry = (map, key, value) => new Map(map).set(key, value);
function without(map, key) {
  const next = new Map(map);
  next.delete(key);
  return next;
}

function show(call) {
  const id = myAgentId.value;
  calls.value = withEntry(calls.value, call.id, call);
  if (id !== null && call.agents.includes(id)) lastCall.value = call;
  else if (lastCall.value && lastCall.value.id === call.id) lastCall.value = { ...call, left: true };
}

function hear(message) {
  batch(() => {
    switch (message.type) {
      case 'snapshot':
        agents.value = new Map(message.queue.agents.map((agent) => [agent.id, agent]));
        calls.value = new Map(message.calls.map((call) => [call.id, call]));
        queues.value = message.queue.queues;
        waiting.value = message.queue.waiting_total;
        nodes.value = message.nodes;
        for (const call of message.calls) show(call);
        if (lastCall.value && !calls.value.has(lastCall.value.id)) lastCall.value = { ...lastCall.value, over: true };
        epoch.value += 1;
        break;
      case 'offer':
        if (message.agent === myAgentId.value) {
          offeredAt.value = performance.now();
          lastCall.value = message.call;
        }
        calls.value = withEntry(calls.value, message.call.id, message.call);
        break;
      case 'offer_ended':
        break;
      case 'agent':
        agents.value = withEntry(agents.value, message.agent.id, message.agent);
        break;
      case 'agent_removed':
        agents.value = without(agents.value, message.agent);
        break;
      case 'call':
        show(message.call);
        break;
      case 'call_left':
      case 'call_ended':
        calls.value = without(calls.value, message.call);
        if (lastCall.value && lastCall.value.id === message.call) lastCall.value = { ...lastCall.value, over: true };
        break;
      case 'queue':
        queues.value = message.queues;
        waiting.value = message.waiting_total;
        break;
      case 'node':
        nodes.value = [...nodes.value.filter((node) => node.name !== message.node.name), message.node];
        break;
      case 'order':
        changedOrder.value = message;
        break;
      case 'client':
        changedClient.value = message;
        break;
      case 'contact':
        changedContact.value = message;
        break;
      case 'callback':
        changedCallback.value = message;
        break;
      default:
        // A newer engine says more than this page knows.
        break;
    }
  });
}

live.listen(hear);
