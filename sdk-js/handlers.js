/**
 * Between an export of the component and the handler's function.
 *
 * Whatever a handler throws, or returns instead of a document, becomes a failure with its causes: a value that does
 * not fit the contract would trap inside the engine, and the log would name the engine instead of the handler.
 */
import { Failure, failureRecord } from './failure.js';
import { Webhook } from './webhook.js';
import { ENGINE } from './engine.js';

/** Makes the `voice` export: `handler` says what the caller hears next. */
export function onCall(handler) {
  return { answer: exported('onCall', handler, document) };
}

/** Makes the `messaging` export: `handler` says what the sender is answered. */
export function onMessage(handler) {
  return { receive: exported('onMessage', handler, document) };
}

/** Makes the `events` export: `handler` takes note of a status callback. */
export function onEvent(handler) {
  return { notify: exported('onEvent', handler, () => undefined) };
}

function exported(name, handler, result) {
  if (typeof handler !== 'function') {
    throw new TypeError(`${name} was given ${described(handler)}; expected a function, as in ${name}((webhook) => …)`);
  }
  return (fields) => {
    try {
      const returned = handler(new Webhook(fields));
      return typeof returned?.then === 'function' ? awaited(returned, result) : result(returned);
    } catch (error) {
      throw failureRecord(error);
    }
  };
}

/** Not simply `await` for all: QuickJS answers without a turn of its event loop. */
function awaited(promise, result) {
  if (ENGINE === 'quickjs') {
    throw new Failure('the handler is async, and QuickJS only runs plain functions; take out async, or set "engine": "starlingmonkey"');
  }
  return promise.then(result).catch((error) => {
    throw failureRecord(error);
  });
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
  return text;
}

function described(value) {
  if (value === null || value === undefined) return String(value);
  return typeof value === 'object' ? `an object (${value.constructor?.name ?? 'without a class'})` : `a ${typeof value}`;
}
