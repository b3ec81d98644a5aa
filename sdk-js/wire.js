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

/** `given` over `defaults`. A name that is not among these is a slip of the pen; numbers are the contract's `u32`. */
export function fields(what, given, defaults) {
  for (const name of Object.keys(given ?? {})) {
    if (!Object.hasOwn(defaults, name)) {
      throw new Failure(`${what} has no ${name}; expected ${Object.keys(defaults).join(', ')}`);
    }
  }
  for (const [name, value] of Object.entries(given ?? {})) {
    // An engine would make another number of it.
    if (typeof value === 'number' && (!Number.isInteger(value) || value < 0 || value >= 2 ** 32)) {
      throw new Failure(`${what}: ${name} is ${value}; expected a whole number from 0 on`);
    }
  }
  return { ...defaults, ...given };
}
