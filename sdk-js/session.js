/**
 * What a handler remembers of one conversation: a call with its status callbacks, or the messages between two numbers.
 *
 * Nothing here waits. Changes are kept together when the handler has succeeded, and not at all where it fails. A call's
 * session ends an hour after the call, a conversation's after four hours of silence. At most 256 keys and 64 KiB.
 */
import * as host from 'hookswitch:handler/session@0.1.0';
import { storage } from './storage.js';
import { text } from './wire.js';

const session = /* @__PURE__ */ storage('session', host);

export const { get, bytes, json, set, add, swap } = session;
export { remove as delete };
const { remove } = session;

/** The keys that begin with `prefix`, sorted. */
export function keys(prefix = '') {
  return session.ask(() => host.keys(text('session: the prefix', prefix)));
}
