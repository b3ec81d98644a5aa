/** What `session` and `store` share: values as text, bytes or JSON over the bytes of the contract. */
import { Failure } from './failure.js';
import { answered, bytesOf, fields, long, textOf } from './wire.js';

/** Of a value. The host says the same, of what it can copy at all; encoding a long text takes the handler's time. */
const VALUE_BYTES_MAX = 64 * 1024;

/**
 * Why a session or a store did not do what was asked; `kind` is the contract's word: `invalid`, `too-large`, `too-many`,
 * `not-a-number` or `unavailable`.
 */
export class StorageError extends Failure {
  constructor(message, kind) {
    super(message);
    this.kind = kind;
  }
}

/** The functions over `host`, called `what` in errors. */
export function storage(what, host) {
  const ask = (act) => answered(act, (kind, why) => new StorageError(`${what}: ${why}`, kind));
  const bytes = (key) => ask(() => host.get(key)) ?? undefined;

  function get(key, otherwise) {
    const value = bytes(key);
    if (value === undefined) return otherwise;
    const text = textOf(value);
    if (text === undefined) throw new Failure(`${what}: ${key} is ${value.length} bytes that are no text; read it with ${what}.bytes`);
    return text;
  }

  function json(key, otherwise) {
    const text = get(key);
    if (text === undefined) return otherwise;
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new Failure(`${what}: ${key} is not JSON; read it with ${what}.get`, { cause });
    }
  }

  const set = (key, value, options) => ask(() => host.set(key, written(what, key, value), ttl(what, options)));
  const remove = (key) => ask(() => host.delete(key));
  const add = (key, by = 1, options) => Number(ask(() => host.add(key, long(`${what}: what is added to ${key}`, by), ttl(what, options))));
  const swap = (key, expected, value, options) =>
    ask(() => host.swap(key, written(what, key, expected), written(what, key, value), ttl(what, options)));

  return { ask, bytes, get, json, set, remove, add, swap };
}

/** Text and bytes as they are, the rest as JSON; undefined and null are no value. */
function written(what, key, value) {
  if (value === undefined || value === null) return undefined;
  // Not `instanceof`: what the host gave may be of another realm.
  if (ArrayBuffer.isView(value)) return fitting(what, value, value.byteLength, 'bytes');
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (text === undefined) throw new Failure(`${what}: ${key} can't be ${String(value)}; expected text, bytes or what JSON can say`);
  // In UTF-8 no character takes less than a byte.
  const bytes = bytesOf(fitting(what, text, text.length, 'characters'));
  return fitting(what, bytes, bytes.length, 'bytes');
}

function fitting(what, value, length, unit) {
  if (length > VALUE_BYTES_MAX) {
    throw new StorageError(`${what}: the value has ${length} ${unit}; use ${VALUE_BYTES_MAX} bytes or fewer`, 'too-large');
  }
  return value;
}

const ttl = (what, options) => fields(`${what}: the third argument`, options, { ttlS: undefined }).ttlS;
