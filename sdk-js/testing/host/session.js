import { state } from './state.js';

export const get = (key) => state.session.get(key);
export const set = (key, value, ttlS) => state.session.set(key, value, ttlS);
export const keys = (prefix) => state.session.keys(prefix);
export const add = (key, by, ttlS) => state.session.add(key, by, ttlS);
export const swap = (key, expected, value, ttlS) => state.session.swap(key, expected, value, ttlS);
const remove = (key) => state.session.delete(key);
export { remove as delete };
