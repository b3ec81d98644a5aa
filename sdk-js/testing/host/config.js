import { state } from './state.js';

export const get = (key) => state.config.get(key);
export const all = () => [...state.config].sort(([a], [b]) => (a < b ? -1 : 1));
