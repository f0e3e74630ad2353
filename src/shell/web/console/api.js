// The API: JSON over fetch with deadlines, refusals as problem details, and a key with every write, so that a repeated
// one is done once.

import { signal } from './vendor/preact.js';
import { language } from './i18n.js';

/// 'ok', or 'offline' while the engine cannot be reached.
export const reach = signal('ok');
/// Called when the session is over.
let onSessionEnd = () => {};

export function whenSessionEnds(act) {
  onSessionEnd = act;
}

/// Why a request was refused, in words for people.
export class Refused extends Error {
  constructor(problem, status) {
    super(problem.detail || problem.title || String(status));
    this.status = status;
    this.kind = (problem.type || '').split(/[/:]/).pop();
    this.problem = problem;
  }
}

/// The engine could not be reached at all.
export class Unreachable extends Error {
  constructor(cause) {
    super('unreachable');
    this.cause = cause;
    this.offline = true;
  }
}

const DEADLINE_MS = 20000;

/// A key for one write, for `options.key` where the same write may be sent again.
export const newKey = () => (crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random()}`.replace('.', ''));

async function ask(method, path, body, options = {}) {
  const headers = { 'Accept-Language': language.value };
  const media = options.media || 'application/json';
  if (body !== undefined) headers['Content-Type'] = media;
  if (method !== 'GET') headers['Idempotency-Key'] = options.key || newKey();
  const abort = AbortSignal.timeout(DEADLINE_MS);
  let response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers,
      body: body === undefined || media !== 'application/json' ? body : JSON.stringify(body),
      credentials: 'same-origin',
      signal: options.signal ? AbortSignal.any([abort, options.signal]) : abort,
      keepalive: options.keepalive,
    });
  } catch (cause) {
    if (options.signal && options.signal.aborted) throw cause;
    reach.value = 'offline';
    throw new Unreachable(cause);
  }
  reach.value = 'ok';
  const text = await response.text();
  let answer = null;
  try {
    answer = text ? JSON.parse(text) : null;
  } catch {
    answer = null;
  }
  if (response.ok) return answer;
  if (response.status === 401 && !options.loggingIn) onSessionEnd();
  throw new Refused(answer || {}, response.status);
}

export const get = (path, options) => ask('GET', path, undefined, options);
export const post = (path, body, options) => ask('POST', path, body, options);
export const put = (path, body, options) => ask('PUT', path, body, options);
export const patch = (path, body, options) => ask('PATCH', path, body, options);
export const remove = (path, options) => ask('DELETE', path, undefined, options);

/// `?a=1&b=2` of what is set.
export function query(fields) {
  const set = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null && value !== '');
  return set.length ? `?${new URLSearchParams(set)}` : '';
}
