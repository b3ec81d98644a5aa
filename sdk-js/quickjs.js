/**
 * What QuickJS lacks of what everybody expects, put in its place by build.mjs where a handler uses it.
 */
import { getRandomBytes } from 'wasi:random/random@0.2.0';
import { Failure } from './failure.js';
import { debug, error, info, warn } from './log.js';

/** The engine's own generator is part of the state that every instance continues from: every call had the same numbers. */
export function hookswitch_random() {
  // 53 bits, as many as a number has: 6 bytes and 5 bits.
  return getRandomBytes(7).reduce((sum, byte, index) => (index < 6 ? sum * 256 + byte : sum * 32 + (byte >> 3)), 0) / 2 ** 53;
}

/** The handler's log, under the name that it has elsewhere. */
export const console = { debug, error, info, log: info, warn };

/** Says what to do, where the engine would only say that there is no such name. */
export function fetch() {
  throw new Failure('requests need the StarlingMonkey engine: set "hookswitch": { "engine": "starlingmonkey", "fetch": true } in package.json');
}
