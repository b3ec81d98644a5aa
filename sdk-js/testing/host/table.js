/** A session or a store in memory, with the host's limits. */
const KEY_BYTES_MAX = 256;
const VALUE_BYTES_MAX = 64 * 1024;

export class Table {
  #of;
  #keysMax;
  #bytesMax;
  #entries = new Map();

  constructor(of, keysMax, bytesMax) {
    this.#of = of;
    this.#keysMax = keysMax;
    this.#bytesMax = bytesMax;
  }

  clear() {
    this.#entries.clear();
  }

  get(key) {
    return this.#live(key)?.value;
  }

  set(key, value, ttlS) {
    const until = end(ttlS);
    this.#live(key);
    if (value.length > VALUE_BYTES_MAX) refuse('too-large', `the value has ${value.length} bytes; use ${VALUE_BYTES_MAX} or fewer`);
    const others = [...this.#entries].filter(([other]) => other !== key);
    const bytes = others.reduce((sum, [other, entry]) => sum + size(other) + entry.value.length, size(key) + value.length);
    if (others.length >= this.#keysMax) refuse('too-many', `${this.#of} has at most ${this.#keysMax} keys, and this would be one more`);
    if (bytes > this.#bytesMax) refuse('too-large', `${this.#of} has at most ${this.#bytesMax} bytes, and this would make it ${bytes}`);
    this.#entries.set(key, { value: Uint8Array.from(value), until });
  }

  delete(key) {
    return this.#live(key) !== undefined && this.#entries.delete(key);
  }

  keys(prefix) {
    const live = [...this.#entries.keys()].filter((key) => key.startsWith(prefix) && this.#live(key));
    return live.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }

  add(key, by, ttlS) {
    const before = this.#live(key);
    const text = before ? new TextDecoder().decode(before.value) : '0';
    if (!/^[+-]?\d+$/.test(text)) refuse('not-a-number', `${key} is ${JSON.stringify(text)}; \`add\` needs a whole number of 64 bits as decimal text`);
    const sum = BigInt(text) + by;
    if (BigInt.asIntN(64, sum) !== sum) refuse('not-a-number', `${text} + ${by} at ${key} is beyond the numbers of 64 bits`);
    this.set(key, new TextEncoder().encode(String(sum)), ttlS);
    if (before) this.#entries.get(key).until = before.until;
    return sum;
  }

  swap(key, expected, value, ttlS) {
    const found = this.get(key);
    const equal = found && expected ? Buffer.from(found).equals(Buffer.from(expected)) : found === expected;
    if (!equal) return false;
    if (value === undefined) this.delete(key);
    else this.set(key, value, ttlS);
    return true;
  }

  /** The entry of a key that can be, unless it has expired. */
  #live(key) {
    if (key === '') refuse('invalid', `the key is empty; use 1 to ${KEY_BYTES_MAX} bytes`);
    if (size(key) > KEY_BYTES_MAX) refuse('invalid', `the key has ${size(key)} bytes; use 1 to ${KEY_BYTES_MAX}`);
    const entry = this.#entries.get(key);
    if (entry && entry.until <= Date.now()) this.#entries.delete(key);
    return this.#entries.get(key);
  }
}

const size = (text) => Buffer.byteLength(text);

function end(ttlS) {
  if (ttlS === undefined) return Infinity;
  if (ttlS < 1) refuse('invalid', `the time to live is ${ttlS}; use 1 second or more, or leave it out for a value that stays`);
  return Date.now() + ttlS * 1000;
}

/** An error of the contract, as engines throw it. */
export function refuse(tag, val) {
  throw { payload: { tag, val } };
}
