/**
 * `Math.random` for QuickJS, put in its place by build.mjs where a handler uses it: the engine's own generator is part of
 * the state that every instance continues from, and would give every call the same numbers.
 */
import { getRandomBytes } from 'wasi:random/random@0.2.0';

export function hookswitch_random() {
  // 53 bits, as many as a number has: 6 bytes and 5 bits.
  return getRandomBytes(7).reduce((sum, byte, index) => (index < 6 ? sum * 256 + byte : sum * 32 + (byte >> 3)), 0) / 2 ** 53;
}
