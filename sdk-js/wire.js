/** Between this helper's values and the contract's: text and bytes, numbers of 64 bits, errors of the host. */
import { ENGINE } from './engine.js';
import { Failure } from './failure.js';

/** The UTF-8 of a text. */
export function bytesOf(text) {
  if (typeof TextEncoder === 'function') return new TextEncoder().encode(text);
  // QuickJS has none.
  const latin1 = unescape(encodeURIComponent(text.toWellFormed()));
  const bytes = new Uint8Array(latin1.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = latin1.charCodeAt(at);
  return bytes;
}

/** The text of UTF-8 bytes; undefined where they are none. */
export function textOf(bytes) {
  try {
    if (typeof TextDecoder === 'function') return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    let latin1 = '';
    // In pieces: an argument for each byte of a long value would be too many.
    for (let at = 0; at < bytes.length; at += 8192) latin1 += String.fromCharCode(...bytes.slice(at, at + 8192));
    return decodeURIComponent(escape(latin1));
  } catch {
    return undefined;
  }
}

/** A whole number as a `u64` or `s64` of the contract, which is a BigInt in one engine and a number in the other. */
export function long(what, value) {
  if (!Number.isSafeInteger(value)) throw new Failure(`${what} is ${String(value)}; expected a whole number below 2 to the power of 53`);
  // Its bindings would end the instance.
  if (value < 0 && ENGINE === 'starlingmonkey') throw new Failure(`${what} is ${value}; StarlingMonkey can't hand over a number below 0, QuickJS can`);
  return ENGINE === 'quickjs' ? value : BigInt(value);
}

/** What `ask` returns; an error of the host's becomes what `failure` makes of its name and its value. */
export function answered(ask, failure) {
  try {
    return ask();
  } catch (error) {
    const { tag, val } = error?.payload ?? error ?? {};
    if (typeof tag !== 'string') throw error;
    throw failure(tag, val);
  }
}

// What a value of the contract has to be: each gives the value, or throws. Engines would make something else of another one,
// or end the instance.

/** Text. Half of a character, as cutting a text in two may leave it, becomes U+FFFD: UTF-8 can't say it. */
export const text = (what, value) => expected(typeof value === 'string', what, value, 'text').toWellFormed();

/** True or false. */
export const flag = (what, value) => expected(typeof value === 'boolean', what, value, 'true or false');

/** A `u32`. */
export function unsigned(what, value) {
  return expected(Number.isInteger(value) && value >= 0 && value < 2 ** 32, what, value, `a whole number from 0 to ${2 ** 32 - 1}`);
}

/** One of these words. */
export const word = (...words) => (what, value) => expected(words.includes(value), what, value, words.join(', '));

/** A list of such values. */
export const list = (kind) => (what, value) => expected(Array.isArray(value), what, value, 'a list').map((item) => kind(what, item));

/** An object with these fields. */
export const record = (kinds) => (what, value) => fields(what, value, kinds);

/** Such a value, or `otherwise` where it is left out. */
export const optional = (kind, otherwise) => (what, value) => (value === undefined || value === null ? otherwise : kind(what, value));

/** The fields of `given`, each held against its kind. A name that is not among these is a slip of the pen. */
export function fields(what, given, kinds) {
  expected(typeof given === 'object' && given !== null && !Array.isArray(given), what, given, `an object with ${Object.keys(kinds).join(', ')}`);
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(kinds, name)) throw new Failure(`${what} has no ${name}; expected ${Object.keys(kinds).join(', ')}`);
  }
  return Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, kind(`${what}: ${name}`, given[name])]));
}

function expected(good, what, value, words) {
  if (!good) throw new Failure(`${what} is ${shown(value)}; expected ${words}`);
  return value;
}

function shown(value) {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  if (typeof value === 'function') return 'a function';
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
