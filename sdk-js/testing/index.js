/**
 * Tests of handlers in Node itself: `node --import hookswitch/testing --test`.
 *
 * Loading this puts a host of its own in the place of `hookswitch:handler/…`: settings, secrets, a session and a store
 * that a test sets, a log and a carrier's work that it reads. What it answers is what the real one would.
 */
import { register } from 'node:module';
import { bytesOf } from '../wire.js';
import { host } from './host/state.js';

register('./resolve.js', import.meta.url);
// Behind that, because it imports what stands in for the host.
const { WebRequest } = await import('../web.js');

export { host };

/** A voice webhook; give the fields that matter, and parameters of the carrier under `params`. */
export function call(fields = {}) {
  return webhook({ id: 'CA00000000000000000000000000000001', direction: 'inbound', status: 'ringing' }, fields);
}

/** A message webhook. */
export function message(fields = {}) {
  return webhook({ id: 'SM00000000000000000000000000000001', body: '', mediaCount: 0, segments: 1 }, fields);
}

/** A status callback. */
export function event(fields = {}) {
  const { from, to, ...common } = webhook({ kind: 'call', subject: 'CA00000000000000000000000000000001', status: '' }, fields);
  return common;
}

/** A run of the schedule `name`, its first attempt, for `events.notify(…)`: `run('remind', '2026-11-23T09:00:00Z', '2026-11-23T10:00:00+01:00')`. */
export function run(name, scheduledTime, localTime = scheduledTime, attempt = 1) {
  // To the minute, as the host writes it.
  const subject = `schedule:${name}:${scheduledTime.slice(0, 16)}Z`;
  const params = { Schedule: name, ScheduledTime: scheduledTime, LocalTime: localTime, Attempt: String(attempt) };
  return event({ kind: 'other', status: 'schedule', account: '', step: name, subject, timeLeftMs: 10_000, params });
}

/** A web request for `web.answer(…)`: the path begins behind the handler's place. A `form` or `json` becomes the body. */
export function request(method, path = '/', { headers = {}, body = '', form, json } = {}) {
  const [type, sent] =
    form ? ['application/x-www-form-urlencoded', new URLSearchParams(form).toString()]
    : json === undefined ? [undefined, body]
    : ['application/json', JSON.stringify(json)];
  const own = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const fields = { 'x-hookswitch-prefix': PREFIX, 'x-hookswitch-client': '192.0.2.1', ...(type && { 'content-type': type }), ...own };
  return new WebRequest(method, `${PREFIX}${path}`, Object.entries(fields), typeof sent === 'string' ? bytesOf(sent) : sent);
}

/** Where a test's handler is. */
const PREFIX = '/dev/handler/web';

function webhook(own, { params = {}, ...fields }) {
  return {
    account: 'AC00000000000000000000000000000001',
    from: '+12025550123',
    to: '+12025550199',
    step: '',
    timeLeftMs: 3000,
    form: new URLSearchParams(params).toString(),
    ...own,
    ...fields,
  };
}
