/** What `session` and `store` share: values as text, bytes or JSON over the bytes of the contract. */
import { Failure } from './failure.js';
import { answered, bytesOf, fields, long, optional, text, textOf, unsigned } from './wire.js';

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
  const named = (key) => text(`${what}: the key`, key);
  const bytes = (key) => ask(() => host.get(named(key))) ?? undefined;

  function get(key, otherwise) {
    const value = bytes(key);
    if (value === undefined) return otherwise;
    const found = textOf(value);
    if (found === undefined) throw new Failure(`${what}: ${key} is ${value.length} bytes that are no text; read it with ${what}.bytes`);
    return found;
  }

  function json(key, otherwise) {
    const found = get(key);
    if (found === undefined) return otherwise;
    try {
      return JSON.parse(found);
    } catch (cause) {
      throw new Failure(`${what}: ${key} is not JSON; read it with ${what}.get`, { cause });
    }
  }

  function set(key, value, options) {
    if (value === undefined || value === null) throw new Failure(`${what}: ${named(key)} can't be ${value}; ${what}.delete removes it`);
    ask(() => host.set(named(key), written(what, key, value), ttl(what, options)));
  }

  const remove = (key) => ask(() => host.delete(named(key)));
  const add = (key, by = 1, options) =>
    Number(ask(() => host.add(named(key), long(`${what}: what is added to ${key}`, by), ttl(what, options))));
  const swap = (key, expected, value, options) =>
    ask(() => host.swap(named(key), written(what, key, expected), written(what, key, value), ttl(what, options)));

  return { ask, bytes, get, json, set, remove, add, swap };
}

/** Text and bytes as they are, the rest as JSON; undefined and null are no value. */
function written(what, key, value) {
  if (value === undefined || value === null) return undefined;
  // Not `instanceof`: what the host gave may be of another realm.
  if (ArrayBuffer.isView(value)) return fitting(what, value, value.byteLength, 'bytes');
  const said = typeof value === 'string' ? value : JSON.stringify(value);
  if (said === undefined) throw new Failure(`${what}: ${key} can't be ${String(value)}; expected text, bytes or what JSON can say`);
  // In UTF-8 no character takes less than a byte.
  const bytes = bytesOf(fitting(what, said, said.length, 'characters'));
  return fitting(what, bytes, bytes.length, 'bytes');
}

function fitting(what, value, length, unit) {
  if (length > VALUE_BYTES_MAX) {
    throw new StorageError(`${what}: the value has ${length} ${unit}; use ${VALUE_BYTES_MAX} bytes or fewer`, 'too-large');
  }
  return value;
}

/** Of the options, which are the last argument. */
const ttl = (what, options = {}) => fields(`${what}: the options`, options, { ttlS: optional(unsigned) }).ttlS;
