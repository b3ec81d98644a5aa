/**
 * What a handler remembers for as long as it is deployed: one table for all of its calls and messages.
 *
 * Each function acts at once: what has returned is on the host's disk, and stays though the handler should fail afterwards.
 * At most 100 000 keys and 64 MiB; a value at most 64 KiB.
 */
import * as host from 'hookswitch:handler/store@0.1.0';
import { storage } from './storage.js';
import { fields, optional, text, unsigned } from './wire.js';

const store = /* @__PURE__ */ storage('store', host);

export const { get, bytes, json, set, add, swap } = store;
export { remove as delete };
const { remove } = store;

/** Some of the keys that begin with `prefix`, sorted, and as `next` where the following page begins, for `after`. */
export function keys(prefix = '', options = {}) {
  const { after, limit } = fields('store: the options of keys', options, { after: optional(text), limit: optional(unsigned, 100) });
  const page = store.ask(() => host.keys(text('store: the prefix', prefix), after, limit));
  return { keys: page.keys, next: page.next ?? undefined };
}
