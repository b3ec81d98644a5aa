/** Values that nobody but the handler may see. `handler.toml` grants them, the tenant sets them (`hookswitch secret set`). */
import { get as hostGet } from 'hookswitch:handler/secrets@0.1.0';
import { Failure } from './failure.js';
import { answered, text } from './wire.js';

/** The value of the secret called `name`. The host replaces it in the log by its name. */
export function get(name) {
  return answered(() => hostGet(text('secrets: the name', name)), (_, why) => new Failure(`secrets: ${name}: ${why}`));
}
