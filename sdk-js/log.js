/** The handler's log: what its author reads beside the call. 64 KiB and 256 entries for each webhook; never fails. */
import { write } from 'hookswitch:handler/log@0.1.0';

/** What only its author wants to know. */
export const debug = (...parts) => write('debug', text(parts));
/** What happened. */
export const info = (...parts) => write('info', text(parts));
/** What is odd, though the call goes on as meant. */
export const warn = (...parts) => write('warn', text(parts));
/** What went wrong. */
export const error = (...parts) => write('error', text(parts));

function text(parts) {
  return parts.map((part) => (typeof part === 'string' ? part : print(part))).join(' ').toWellFormed();
}

function print(value) {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value); // circular, or a BigInt
  }
}
