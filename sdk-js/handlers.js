/**
 * Between an export of the component and the handler's function.
 *
 * Whatever a handler throws, or returns instead of a document, becomes a failure with its causes: a value that does
 * not fit the contract would trap inside the engine, and the log would name the engine instead of the handler.
 */
import { Failure, failureRecord } from './failure.js';
import { Event, Webhook } from './webhook.js';
import { ENGINE } from './engine.js';

/** Makes the `voice` export: `handler` says what the caller hears next. */
export function onCall(handler) {
  return { answer: exported('onCall', handler, Webhook, document) };
}

/** Makes the `messaging` export: `handler` says what the sender is answered. */
export function onMessage(handler) {
  return { receive: exported('onMessage', handler, Webhook, document) };
}

/** Makes the `events` export: `handler` takes note of a status callback, or of a schedule's run (`event.run`). */
export function onEvent(handler) {
  return { notify: exported('onEvent', handler, Event, () => undefined) };
}

function exported(name, handler, kind, result) {
  checked(name, handler);
  return (fields) => {
    try {
      const returned = awaited(handler(new kind(fields)), result);
      return returned instanceof Promise ? returned.catch(failed) : returned;
    } catch (error) {
      return failed(error);
    }
  };
}

/** Refuses what is no function. */
export function checked(name, handler) {
  if (typeof handler !== 'function') {
    throw new TypeError(`${name} was given ${described(handler)}; expected a function, as in ${name}((webhook) => …)`);
  }
}

function failed(error) {
  throw failureRecord(error);
}

/**
 * `result` of what a handler returned, or a promise of it. Not simply `await` for all: QuickJS answers without a turn of its event
 * loop.
 */
export function awaited(returned, result) {
  if (typeof returned?.then !== 'function') return result(returned);
  if (ENGINE === 'quickjs') {
    throw new Failure('the handler is async, and QuickJS only runs plain functions; take out async, or set "engine": "starlingmonkey"');
  }
  return Promise.resolve(returned).then(result);
}

/** TwiML text: a string, or an object that prints itself as one, as the official builders do. */
function document(returned) {
  const text = typeof returned === 'object' && returned !== null ? String(returned) : returned;
  if (typeof text !== 'string' || text === '[object Object]') {
    const hint = returned === undefined ? '; is a return missing?' : '';
    throw new Failure(
      `the handler returned ${described(returned)}; expected Response(…) of twiml, a builder of the twilio package, or text${hint}`,
    );
  }
  return text.toWellFormed();
}

/** What something is, for messages. */
export function described(value) {
  if (value === null || value === undefined) return String(value);
  return typeof value === 'object' ? `an object (${value.constructor?.name ?? 'without a class'})` : `a ${typeof value}`;
}
