import { ENGINE } from './engine.js';

/* global HOOKSWITCH_LINES -- behind the bundle, by build.mjs */

/** What went wrong in a handler: one line, and what caused it. The caller hears the fallback document, the log gets this. */
export class Failure extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = 'Failure';
  }
}

/** Causes that are kept. A chain that leads back to itself would have no end. */
const CAUSES_MAX = 16;

/** The contract's `failure` for whatever was thrown: outermost message, then causes, then where it happened. */
export function failureRecord(thrown) {
  const [message, ...causes] = chain(thrown);
  if (thrown instanceof Error && !(thrown instanceof Failure)) {
    const place = placeOf(thrown);
    if (place) causes.push(`at ${place}`);
  }
  return { message: message.toWellFormed(), causes: causes.map((cause) => cause.toWellFormed()) };
}

function chain(thrown) {
  const messages = [];
  for (let error = thrown; messages.length <= CAUSES_MAX; error = error.cause) {
    messages.push(line(error));
    if (!(error instanceof Error) || error.cause === undefined) break;
  }
  return messages;
}

function line(error) {
  if (error instanceof Failure) return error.message;
  if (error instanceof Error) return error.message === '' ? error.name : `${error.name}: ${error.message}`;
  return typeof error === 'string' ? error : (JSON.stringify(error) ?? String(error));
}

/** The innermost frame of the stack in the author's code (`answer (src/handler.js:8)`); where there is none, as the engine wrote it. */
function placeOf({ stack, message }) {
  const lines = String(stack ?? '').split('\n').map((text) => text.trim());
  const frames = lines.filter((text) => /:\d+/.test(text) && !/^\w*Error\b/.test(text)).map((text) => text.replace(/^at /, ''));
  for (const frame of frames) {
    // `answer (handler.js:7:11)` in one engine, `answer@handler.js:7:11` in the other.
    const [, name, line, column] = /^(.*?)[ @]?\(?\S*?:(\d+):(\d+)\)?$/.exec(frame) ?? [];
    const own = authored(Number(line), Number(column) - 1);
    // QuickJS notes where calls stand, not where properties are read: the line is that of the last call before.
    const vague = ENGINE === 'quickjs' && frame === frames[0] && /^cannot (read|set) property/.test(message) ? ' or below' : '';
    if (own) return name ? `${name} (${own}${vague})` : `${own}${vague}`;
  }
  return frames[0];
}

/** The author's file and line for a line (from 1) and column (from 0) of the bundle: `lines.mjs` says how they are written. */
function authored(line, column) {
  if (typeof HOOKSWITCH_LINES !== 'object') return undefined;
  let found = [];
  for (const text of HOOKSWITCH_LINES.entries.split(' ')) {
    const entry = text.split(',').map(Number);
    if (!(entry[0] < line || (entry[0] === line && entry[1] <= column))) break;
    found = entry;
  }
  const [from, , file, at] = found;
  return file === undefined ? undefined : `${HOOKSWITCH_LINES.files[file]}:${at + line - from}`;
}
