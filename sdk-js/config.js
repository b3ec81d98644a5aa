/** The settings of this revision: the `[config]` table of `handler.toml`. They change without new code. */
import { all as hostAll, get as hostGet } from 'hookswitch:handler/config@0.1.0';
import { Failure } from './failure.js';
import { text } from './wire.js';

/** The value of `key` as text; `otherwise` where `handler.toml` has no such key, and a failure without `otherwise`. */
export function get(key, otherwise) {
  const value = hostGet(text('config: the key', key)) ?? otherwise;
  if (value === undefined) throw new Failure(`config: there is no ${key}; add it to [config] in handler.toml`);
  return value;
}

/** As `get`, for a number. */
export function number(key, otherwise) {
  const value = get(key, otherwise);
  const found = typeof value === 'number' ? value : Number(value.trim() || NaN);
  if (!Number.isFinite(found)) throw new Failure(`config: ${key} is ${JSON.stringify(value)}; expected a number`);
  return found;
}

/** As `get`, for `true` or `false`. */
export function boolean(key, otherwise) {
  const value = String(get(key, otherwise));
  if (value !== 'true' && value !== 'false') {
    throw new Failure(`config: ${key} is ${JSON.stringify(value)}; expected true or false`);
  }
  return value === 'true';
}

/** As `get`, for a table or an array, which the contract writes as JSON. */
export function json(key, otherwise) {
  const value = get(key, otherwise);
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch (cause) {
    throw new Failure(`config: ${key} is ${JSON.stringify(value)}; expected a table or an array`, { cause });
  }
}

/** All keys with their values. */
export function all() {
  return Object.fromEntries(hostAll());
}
