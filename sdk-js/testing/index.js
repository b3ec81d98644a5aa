/**
 * Tests of handlers in Node itself: `node --import hookswitch/testing --test`.
 *
 * Loading this puts a host of its own in the place of `hookswitch:handler/…`: settings, secrets, a session and a store
 * that a test sets, a log and a carrier's work that it reads. What it answers is what the real one would.
 */
import { register } from 'node:module';
import { host } from './host/state.js';

register('./resolve.js', import.meta.url);

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
