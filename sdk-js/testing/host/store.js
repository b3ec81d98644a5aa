import { state } from './state.js';

export const get = (key) => state.store.get(key);
export const set = (key, value, ttlS) => state.store.set(key, value, ttlS);
export const add = (key, by, ttlS) => state.store.add(key, by, ttlS);
export const swap = (key, expected, value, ttlS) => state.store.swap(key, expected, value, ttlS);
const remove = (key) => state.store.delete(key);
export { remove as delete };

export function keys(prefix, after, limit) {
  const behind = state.store.keys(prefix).filter((key) => after === undefined || Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0);
  const page = behind.slice(0, limit);
  return { keys: page, next: behind.length > limit ? page.at(-1) : undefined };
}
