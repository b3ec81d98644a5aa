import { state } from './state.js';
import { refuse } from './table.js';

export function get(name) {
  if (!state.secrets.has(name)) refuse('not-granted', `it is not granted; in a test, host.secrets({ ${JSON.stringify(name)}: '…' })`);
  return state.secrets.get(name);
}
