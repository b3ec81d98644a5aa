import { Table } from './table.js';

/** What the stand-in host holds for one test. */
const state = {
  config: new Map(),
  secrets: new Map(),
  logged: [],
  session: new Table('a session', 256, 64 * 1024),
  store: new Table('a store', 100_000, 64 * 1024 * 1024),
  /** What the carrier was asked for, and what it refuses everything with. */
  outward: [],
  refusal: undefined,
};

export const host = {
  reset() {
    state.config.clear();
    state.secrets.clear();
    state.logged.length = 0;
    state.session.clear();
    state.store.clear();
    state.outward.length = 0;
    state.refusal = undefined;
  },
  /** Values as the contract writes them: tables and arrays as JSON, the rest as in TOML. */
  config(table) {
    for (const [key, value] of Object.entries(table)) {
      state.config.set(key, typeof value === 'object' ? JSON.stringify(value) : String(value));
    }
  },
  secrets(table) {
    for (const [name, value] of Object.entries(table)) state.secrets.set(name, value);
  },
  newSession() {
    state.session.clear();
  },
  refuse(kind, told) {
    state.refusal = { tag: kind, val: told };
  },
  get logged() {
    return state.logged;
  },
  get outward() {
    return state.outward;
  },
};

export { state };
