/**
 * What a handler does at its carrier: calls, messages, recordings, numbers, tokens for browser phones.
 *
 * The host signs in; a handler never sees a credential. Each effect happens once, also when a webhook is delivered again.
 * Links are written as in documents, and `voice/STEP` leads to a step of this handler.
 */
import * as host from 'hookswitch:handler/carrier@0.1.0';
import { Failure } from './failure.js';
import { answered, fields, flag, list, long, optional, record, text, unsigned, word } from './wire.js';

/**
 * Why an operation did not come to what was asked for; `kind` is the contract's word: `refused`, `unknown`, `not-yours`,
 * `limited`, `unavailable` or `invalid`. Refused: `status` and `code` are the carrier's. Limited: `retryAfterMs`.
 */
export class CarrierError extends Failure {
  constructor(kind, told) {
    super(`carrier: ${message(kind, told)}`);
    this.kind = kind;
    if (kind === 'refused') Object.assign(this, { status: told.status, code: told.code ?? undefined });
    if (kind === 'limited') this.retryAfterMs = Number(told.retryAfterMs);
  }
}

function message(kind, told) {
  switch (kind) {
    case 'refused':
      return `it refused: ${told.message} (${told.status}${told.code ? `, code ${told.code}` : ''})`;
    case 'limited':
      return `${told.message}; there is room again in ${told.retryAfterMs} ms`;
    case 'unknown':
      return `it is not known whether it was done: ${told}`;
    default:
      return told;
  }
}

const ask = (act) => answered(act, (kind, told) => new CarrierError(kind, told));

/** Places a call; its id as soon as the carrier has taken it. */
export const place = (call) => ask(() => host.place(newCall(call)));

/** Sends a message; its id as soon as the carrier has taken it. */
export const send = (message) => ask(() => host.send(newMessage(message)));

/** Has the host's outbox place a call, at a Date or as soon as possible; its id there. */
export const placeLater = (call, at) => later({ tag: 'place', val: newCall(call) }, at);

/** Has the host's outbox send a message, at a Date or as soon as possible; its id there. */
export const sendLater = (message, at) => later({ tag: 'send', val: newMessage(message) }, at);

const later = (what, at) => ask(() => host.later(what, optional(moment)('carrier: at', at)));

function moment(what, at) {
  const ms = long(what, at.getTime());
  if (ms < 0) throw new Failure(`${what} is ${at.toISOString()}; expected a time after 1969`);
  return ms;
}

/** What the carrier calls a thing by. */
const named = (name, value) => text(`carrier: ${name}`, value);

/** Takes something out of the outbox; false where it is done already, or there is no such thing. */
export const takeBack = (id) => ask(() => host.takeBack(named('id', id)));

/** A call in progress goes on with the document of this link. */
export const redirect = (call, link) => ask(() => host.update(named('call', call), { tag: 'link', val: named('link', link) }));

/** A call in progress goes on with this document. */
export const goOn = (call, document) => ask(() => host.update(named('call', call), { tag: 'document', val: String(document).toWellFormed() }));

/** Ends a call, whatever it is doing. */
export const end = (call) => ask(() => host.update(named('call', call), { tag: 'complete' }));

/** Ends a call unless it was answered. */
export const cancel = (call) => ask(() => host.update(named('call', call), { tag: 'cancel' }));

/** A recording's facts. */
export function recording(id) {
  const found = ask(() => host.findRecording(named('id', id)));
  return { ...found, durationS: found.durationS ?? undefined };
}

/** A recording's audio, `wav` or `mp3`, at most 4 MiB. */
export const recordingAudio = (id, audio = 'mp3') => ask(() => host.recordingAudio(named('id', id), word('mp3', 'wav')('carrier: audio', audio)));

/** Deletes a recording for good. */
export const deleteRecording = (id) => ask(() => host.deleteRecording(named('id', id)));

/** The number of this tenant that reads so; undefined where the account has it not. */
export const findNumber = (number) => ask(() => host.findNumber(named('number', number))) ?? undefined;

/** Numbers that are for sale. */
export const searchNumbers = (search = {}) => ask(() => host.searchNumbers(fields('carrier: a search', search, SEARCH)));

const SEARCH = {
  country: optional(text, 'US'),
  kind: optional(word('local', 'toll-free', 'mobile', 'national', 'shared-cost', 'voip'), 'local'),
  areaCode: optional(unsigned), contains: optional(text), locality: optional(text), region: optional(text), postalCode: optional(text),
  voice: optional(flag, true), sms: optional(flag, false), mms: optional(flag, false), most: optional(unsigned, 20),
};

/** Buys a number, which costs money at once; an operator has to have allowed it. */
export const buyNumber = (number, settings) => ask(() => host.buyNumber(named('number', number), numberSettings(settings)));

/** Changes what a number of this tenant leads to. */
export const configureNumber = (number, settings) => ask(() => host.configureNumber(named('number', number), numberSettings(settings)));

/** Gives a number back to the carrier. It may never be had again. */
export const releaseNumber = (number) => ask(() => host.releaseNumber(named('number', number)));

/** The short codes of the tenant's account. */
export const shortCodes = () => ask(() => host.shortCodes());

/** Changes what a short code of this tenant leads to: its name and its `sms` links. */
export const configureShortCode = (code, settings) => ask(() => host.configureShortCode(named('code', code), numberSettings(settings)));

/** A token with which a browser phone signs in: a JWT. Asks nobody. */
export function accessToken(grant) {
  const { params, ...rest } = fields('carrier: a grant', grant, {
    identity: text, application: optional(text), params: optional(parameters, []), incoming: optional(flag, false), ttlS: optional(unsigned, 3600),
  });
  return ask(() => host.accessToken({ ...rest, params }));
}

function parameters(what, given) {
  const kinds = Object.fromEntries(Object.keys(Object(given)).map((name) => [name, text]));
  return Object.entries(fields(what, given, kinds));
}

function newCall(call) {
  const { link, document, ...rest } = fields('carrier: a call', call, CALL);
  if (link !== undefined && document !== undefined) throw new Failure('carrier: a call has a link and a document; expected one of them');
  return {
    ...rest,
    lead: document === undefined ? { tag: 'link', val: link ?? 'voice' } : { tag: 'document', val: document },
  };
}

const DETECT = { untilGreetingEnds: optional(flag, false), timeoutS: optional(unsigned), told: optional(text) };
const RECORDING = { dual: optional(flag, false), trim: optional(flag, false), told: optional(text) };
const CALL = {
  to: text, from: text, link: optional(text), document: optional((_, document) => String(document).toWellFormed()), fallback: optional(text),
  timeoutS: optional(unsigned), timeLimitS: optional(unsigned), sendDigits: optional(text), detect: optional(record(DETECT)),
  recording: optional(record(RECORDING)), told: optional(text),
  toldOf: optional(list(word('initiated', 'ringing', 'answered', 'completed')), []), reason: optional(text),
};

function newMessage(message) {
  const { from, service, ...rest } = fields('carrier: a message', message, MESSAGE);
  if ((from === undefined) === (service === undefined)) {
    throw new Failure('carrier: a message comes from a number or a service; expected one of `from` and `service`');
  }
  return { ...rest, from: service === undefined ? { tag: 'number', val: from } : { tag: 'service', val: service } };
}

const MESSAGE = {
  to: text, from: optional(text), service: optional(text), body: optional(text, ''), media: optional(list(text), []), told: optional(text),
  validityS: optional(unsigned),
};

const numberSettings = (settings = {}) => fields('carrier: settings of a number', settings, SETTINGS);

const SETTINGS = {
  name: optional(text), voice: optional(text), voiceFallback: optional(text), sms: optional(text), smsFallback: optional(text),
  status: optional(text),
};
