/**
 * Call handlers in JavaScript: typed webhooks in, TwiML out.
 *
 * A handler's module exports `voice`, `messaging`, `events` and `web`, each made by the function here of its kind. What a
 * handler imports of this package becomes an import of its component; what it does not import is not there.
 *
 * How a handler becomes a component is `build.mjs`'s business.
 */
export { onCall, onEvent, onMessage } from './handlers.js';
export { Failure } from './failure.js';
export { CarrierError } from './carrier.js';
export { StorageError } from './storage.js';
export * as carrier from './carrier.js';
export * as config from './config.js';
export * as log from './log.js';
export * as secrets from './secrets.js';
export * as session from './session.js';
export * as store from './store.js';
export { twiml } from './twiml.js';
export { WebRequest, WebResponse, onWeb } from './web.js';
