/** Who began the call; see `wit/types.wit`. */
export type Direction = 'inbound' | 'outbound-api' | 'outbound-dial' | 'other';

/** Where a call leg is. From `completed` on the state is final. */
export type CallStatus =
  | 'queued' | 'initiated' | 'ringing' | 'in-progress'
  | 'completed' | 'busy' | 'failed' | 'no-answer' | 'canceled' | 'other';

/** What a status callback tells about. */
export type EventKind =
  | 'call' | 'message' | 'recording' | 'transcription' | 'conference' | 'stream'
  | 'partial-speech' | 'machine-detection' | 'payment' | 'other';

/** What every webhook has. */
export interface Webhook {
  /** The carrier account (`AccountSid`). */
  readonly account: string;
  /** Where in the conversation we are: the part of the URL after `/voice/`, `/sms/` or `/status/`; empty at first. */
  readonly step: string;
  /** Wall time that was left for this webhook when it began, in milliseconds. */
  readonly timeLeftMs: number;
  /** Every parameter as the carrier sent it, as `application/x-www-form-urlencoded`. */
  readonly form: string;
  /** Every parameter by the carrier's name; the first value where there are several. */
  readonly params: ReadonlyMap<string, string>;
  /** One parameter by the carrier's name; undefined if it was not sent. */
  param(name: string): string | undefined;
}

/** The carrier asks what the caller hears next. */
export interface Call extends Webhook {
  /** The carrier's id of this leg (`CallSid`). */
  readonly id: string;
  /** Who calls (`From`): `+12025550123`, `client:NAME`, `sip:…`, or a word such as `anonymous`. */
  readonly from: string;
  /** Who is called (`To`). */
  readonly to: string;
  readonly direction: Direction;
  readonly status: CallStatus;
  /** Keys the caller pressed; `''` when a gather ended without input; undefined outside an answer. */
  readonly digits?: string;
  /** What the caller said; undefined outside a speech answer. */
  readonly speech?: string;
}

/** Somebody sent a text or picture and may get an answer. */
export interface Message extends Webhook {
  /** The carrier's id of the message (`MessageSid`). */
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** The text as sent; may be empty. */
  readonly body: string;
  /** Attached media, 0 to 10; their URLs are the parameters `MediaUrl0`… */
  readonly mediaCount: number;
  /** SMS segments the text took, at least 1. */
  readonly segments: number;
}

/** The carrier tells, and expects no document. Events may come late, twice or in another order. */
export interface Event extends Webhook {
  readonly kind: EventKind;
  /** The call, conference or message it is about. */
  readonly subject: string;
  /** What happened, in the carrier's word; may be empty. */
  readonly status: string;
  /** Place in the order of happening; undefined if the carrier sent none. */
  readonly sequence?: number;
  /** The run of a schedule that this is; undefined where a carrier tells something. */
  readonly run?: Run;
}

/** One run of a schedule (`[[schedule]]` of `handler.toml`). A run that fails is tried again, at most three times within its minute. */
export interface Run {
  /** The schedule's name in `handler.toml`. */
  readonly name: string;
  /** The same for every attempt at this moment, and for no other: `schedule:remind:2026-11-23T09:00Z`. */
  readonly id: string;
  /** The moment it is for, in UTC: `2026-11-23T09:00:00Z`. A run that was missed is made up up to 15 minutes later. */
  readonly scheduledTime: string;
  /** The same by the clocks of the schedule's time zone: `2026-11-23T10:00:00+01:00`. */
  readonly localTime: string;
  /** From 1 to 4. */
  readonly attempt: number;
}

/** One web request, whole. Anybody may have sent it. */
export class WebRequest {
  /** `target` is path and query as sent, the handler's place included. In tests, `request` of `hookswitch/testing` makes one. */
  constructor(method: string, target: string, headers: [string, string][], body: Uint8Array);
  /** `GET`, `POST`, … */
  readonly method: string;
  /** The path behind the handler's place, as it was sent; begins with `/`. */
  readonly path: string;
  /** Method and path, to switch on: `POST /call`. */
  readonly route: string;
  /** The path's segments, as they were sent; none for `/`. */
  readonly segments: string[];
  /** The parameters of the URL; the first value where there are several. */
  readonly query: ReadonlyMap<string, string>;
  /** All header fields, names in lower case; the first value where there are several. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
  /** The fields of a form in the body; none where it is something else. */
  readonly form: ReadonlyMap<string, string>;
  /** Who sent it: an address, as the host saw it or a proxy that it trusts. */
  readonly client: string;
  /** The first value of a header field, whatever the case of its name. */
  header(name: string): string | undefined;
  /** A link to another path of this handler: `request.link('/thanks')`. */
  link(path: string): string;
  /** The body as text; throws where it is none. */
  text(): string;
  /** The body read as JSON. */
  json(): any;
}

/** Status, 200 to 599, and header fields; a list where a field comes more than once. */
interface WebOptions {
  status?: number;
  headers?: Record<string, string | string[]>;
}

/** What a web request is answered, at most 1 MiB of it. */
export class WebResponse {
  constructor(body?: string | Uint8Array, options?: WebOptions);
  /** Plain text. */
  static text(words: string, options?: WebOptions): WebResponse;
  /** A page. Whatever comes from elsewhere has to be escaped by whoever writes it into the page. */
  static html(page: string, options?: WebOptions): WebResponse;
  /** A value as JSON. */
  static json(value: unknown, options?: WebOptions): WebResponse;
  /** Sends a browser elsewhere with a GET (303), as after a form. */
  static seeOther(link: string): WebResponse;
  /** 404. */
  static notFound(): WebResponse;
  readonly status: number;
  /** Names in lower case. */
  readonly headers: [string, string][];
  readonly body: Uint8Array;
  /** The first value of a header field, whatever the case of its name. */
  header(name: string): string | undefined;
  /** The body as text, for tests. */
  text(): string | undefined;
}

/** TwiML: text, or an object that prints itself as such (the official `VoiceResponse`, `MessagingResponse`). */
export type Document = string | { toString(): string };

/** Makes the `voice` export. With an error, a trap or a limit the caller hears the handler's fallback document. */
export function onCall(handler: (call: Call) => Document | Promise<Document>): { answer: Function };
/** Makes the `messaging` export. */
export function onMessage(handler: (message: Message) => Document | Promise<Document>): { receive: Function };
/** Makes the `events` export: status callbacks and runs of schedules. The carrier gets `204` whatever happens; an error goes to the log. */
export function onEvent(handler: (event: Event) => void | Promise<void>): { notify: Function };
/** Makes the `web` export, with the StarlingMonkey engine. With an error the visitor gets 502, and the log says why. Tests call `answer`. */
export function onWeb<T extends WebResponse | Promise<WebResponse>>(
  handler: (request: WebRequest) => T,
): { handle: Function; answer(request: WebRequest): T };

/** Why a handler can't answer, for its log; `cause` is kept. */
export class Failure extends Error {}

export namespace log {
  function debug(...parts: unknown[]): void;
  function info(...parts: unknown[]): void;
  function warn(...parts: unknown[]): void;
  function error(...parts: unknown[]): void;
}

/** The `[config]` table of `handler.toml`. A key that is not there throws, unless `otherwise` is given. */
export namespace config {
  function get(key: string, otherwise?: string): string;
  function number(key: string, otherwise?: number): number;
  function boolean(key: string, otherwise?: boolean): boolean;
  function json<T = unknown>(key: string, otherwise?: T): T;
  function all(): Record<string, string>;
}

/**
 * What `session` and `store` share. Text and bytes are kept as they are, the rest as JSON. A key that is no text throws, and so does
 * a value of undefined or null (`delete` removes); a time to live is 1 to 4 294 967 295 seconds.
 */
interface Storage {
  /** The value as text; `otherwise` where it was never set, was deleted, or has expired. */
  get(key: string): string | undefined;
  get(key: string, otherwise: string): string;
  /** As `get`, for what is no text. */
  bytes(key: string): Uint8Array | undefined;
  /** As `get`, for what `set` wrote as JSON. */
  json<T = unknown>(key: string): T | undefined;
  json<T = unknown>(key: string, otherwise: T): T;
  /** With `ttlS` the value is gone after so many seconds. */
  set(key: string, value: unknown, options?: { ttlS?: number }): void;
  /** True where it was there. */
  delete(key: string): boolean;
  /**
   * Adds `by` (1 without it; negative to subtract, in QuickJS only) and gives the sum, rounded beyond 2 to the power of
   * 53. A key that is not there counts as 0 and gets `ttlS`.
   */
  add(key: string, by?: number, options?: { ttlS?: number }): number;
  /** Sets `key` to `value` (undefined: removes it) if it is now `expected` (undefined: if it is not there); true if so. */
  swap(key: string, expected: unknown, value: unknown, options?: { ttlS?: number }): boolean;
}

/** What a handler remembers of one conversation. Changes are kept when the handler has succeeded. */
export const session: Storage & {
  /** The keys that begin with `prefix`, sorted. */
  keys(prefix?: string): string[];
};

/** What a handler remembers for as long as it is deployed. Each change is on the disk when it returns. */
export const store: Storage & {
  /** The keys that begin with `prefix`, sorted, at most `limit` (100), from behind the key `after`. */
  keys(prefix?: string, options?: { after?: string; limit?: number }): { keys: string[]; next?: string };
};

/** Why a session or a store did not do what was asked. */
export class StorageError extends Failure {
  readonly kind: 'invalid' | 'too-large' | 'too-many' | 'not-a-number' | 'unavailable';
}

/** Values that nobody but the handler may see: granted in `handler.toml`, set with `hookswitch secret set`. */
export namespace secrets {
  function get(name: string): string;
}

/** A call to be placed. Whoever answers hears `document`, or what `link` (`voice`) answers with. */
export interface NewCall {
  to: string;
  /** A number of this tenant. */
  from: string;
  link?: string;
  document?: Document;
  fallback?: string;
  timeoutS?: number;
  timeLimitS?: number;
  sendDigits?: string;
  detect?: { untilGreetingEnds?: boolean; timeoutS?: number; told?: string };
  recording?: { dual?: boolean; trim?: boolean; told?: string };
  /** Where progress is told, such as `status/progress`. */
  told?: string;
  toldOf?: ('initiated' | 'ringing' | 'answered' | 'completed')[];
  reason?: string;
}

/** A message to be sent, from a number of this tenant or a messaging service. */
export interface NewMessage {
  to: string;
  from?: string;
  service?: string;
  body?: string;
  media?: string[];
  told?: string;
  validityS?: number;
}

export interface Abilities {
  voice: boolean;
  sms: boolean;
  mms: boolean;
}

export interface Recording {
  id: string;
  call: string;
  status: string;
  durationS?: number;
  channels: number;
  mediaUrl: string;
}

export interface OwnNumber {
  id: string;
  number: string;
  name: string;
  voiceUrl: string;
  smsUrl: string;
  abilities: Abilities;
}

export interface AvailableNumber {
  number: string;
  name: string;
  locality: string;
  region: string;
  country: string;
  abilities: Abilities;
}

export interface NumberSearch {
  country?: string;
  kind?: 'local' | 'toll-free' | 'mobile' | 'national' | 'shared-cost' | 'voip';
  areaCode?: number;
  contains?: string;
  locality?: string;
  region?: string;
  postalCode?: string;
  voice?: boolean;
  sms?: boolean;
  mms?: boolean;
  most?: number;
}

/** What a number leads to; what is left out stays as it is. */
export interface NumberSettings {
  name?: string;
  voice?: string;
  voiceFallback?: string;
  sms?: string;
  smsFallback?: string;
  status?: string;
}

export interface ShortCode {
  id: string;
  code: string;
  name: string;
  smsUrl: string;
}

/**
 * What a handler does at its carrier. The host signs in, and does each effect once, also when a webhook is delivered again.
 * Links are written as in documents; `voice/STEP` leads to a step of this handler.
 */
export namespace carrier {
  /** Gives the call's id as soon as the carrier has taken it. */
  function place(call: NewCall): string;
  /** Gives the message's id as soon as the carrier has taken it. */
  function send(message: NewMessage): string;
  /** Has it done by the host's outbox, at a time or as soon as possible; gives the id it has there. */
  function placeLater(call: NewCall, at?: Date): string;
  function sendLater(message: NewMessage, at?: Date): string;
  /** Takes something out of the outbox; false where it is done already. */
  function takeBack(id: string): boolean;
  /** A call in progress goes on with the document of this link, or with this document. */
  function redirect(call: string, link: string): void;
  function goOn(call: string, document: Document): void;
  /** Ends a call, whatever it is doing; `cancel` unless it was answered. */
  function end(call: string): void;
  function cancel(call: string): void;
  function recording(id: string): Recording;
  function recordingAudio(id: string, audio?: 'mp3' | 'wav'): Uint8Array;
  function deleteRecording(id: string): void;
  function findNumber(number: string): OwnNumber | undefined;
  function searchNumbers(search?: NumberSearch): AvailableNumber[];
  /** Costs money at once; an operator has to have allowed it. */
  function buyNumber(number: string, settings?: NumberSettings): OwnNumber;
  function configureNumber(number: string, settings: NumberSettings): OwnNumber;
  function releaseNumber(number: string): void;
  function shortCodes(): ShortCode[];
  function configureShortCode(code: string, settings: NumberSettings): ShortCode;
  /** A token with which a browser phone signs in. */
  function accessToken(grant: {
    identity: string;
    application?: string;
    params?: Record<string, string>;
    incoming?: boolean;
    ttlS?: number;
  }): string;
}

/** Why the carrier did not do what was asked. */
export class CarrierError extends Failure {
  readonly kind: 'refused' | 'unknown' | 'not-yours' | 'limited' | 'unavailable' | 'invalid';
  /** HTTP status and the carrier's own code, where it refused. */
  readonly status?: number;
  readonly code?: number;
  /** Where it is limited: after how many milliseconds there is room again. */
  readonly retryAfterMs?: number;
}

/** A part of a document. */
export interface Element {
  toString(): string;
}

type Content = Element | string | number | boolean | Content[];
type Attributes = Record<string, string | number | boolean | null | undefined>;

/**
 * Elements by the carrier's names: `twiml.Response(twiml.Say({ language: 'de-DE' }, 'Hallo'), twiml.Hangup())`. Text is
 * escaped. False leaves a child out, null and undefined are an error: the caller would hear nothing where something was meant.
 * Attributes that are null or undefined are left out.
 */
export const twiml: {
  [name: string]: ((attributes: Attributes, ...children: Content[]) => Element) & ((...children: Content[]) => Element);
};
