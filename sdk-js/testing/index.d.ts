import type { Call, CarrierError, Event, Message, WebRequest } from '../index.js';

type Fields<T> = Partial<Omit<T, 'params' | 'param' | 'form' | 'run'>> & { params?: Record<string, string> };

/** A voice webhook for `voice.answer(…)`; give the fields that matter. */
export function call(fields?: Fields<Call>): object;
/** A message webhook for `messaging.receive(…)`. */
export function message(fields?: Fields<Message>): object;
/** A status callback for `events.notify(…)`. */
export function event(fields?: Fields<Event>): object;

/** A run of the schedule `name` for `events.notify(…)`: `run('remind', '2026-11-23T09:00:00Z', '2026-11-23T10:00:00+01:00')`. */
export function run(name: string, scheduledTime: string, localTime?: string, attempt?: number): object;
/** A web request for `web.answer(…)`: `request('POST', '/call?lang=de', { form: { number: '…' } })`. */
export function request(
  method: string,
  path?: string,
  options?: { headers?: Record<string, string>; body?: string | Uint8Array; form?: Record<string, string>; json?: unknown },
): WebRequest;

/** What stands in for the host. */
export const host: {
  /** Forgets everything. */
  reset(): void;
  /** Sets the `[config]` table. */
  config(table: Record<string, unknown>): void;
  /** Grants secrets, by name. */
  secrets(table: Record<string, string>): void;
  /** Begins another conversation: its session is empty, the store is as it was. */
  newSession(): void;
  /**
   * Makes the carrier answer everything that would change something with this error; `told` is a text, for `refused`
   * `{ status, code, message }` and for `limited` `{ message, retryAfterMs }`.
   */
  refuse(kind: CarrierError['kind'], told: unknown): void;
  /** What the carrier was asked for, as `{ what: 'send', to, from, body, … }`. */
  readonly outward: ({ what: string } & Record<string, unknown>)[];
  /** What was logged. */
  readonly logged: { level: string; message: string }[];
};
