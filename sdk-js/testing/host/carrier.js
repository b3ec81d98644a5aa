/** The carrier of a test: it takes everything, gives ids, and remembers what it was asked for. */
import { state } from './state.js';
import { refuse } from './table.js';

function take(what, asked, kind = '') {
  if (state.refusal) refuse(state.refusal.tag, state.refusal.val);
  state.outward.push({ what, ...asked });
  return kind + state.outward.length.toString(16).padStart(32, '0');
}

const shown = ({ from, lead, ...rest }) => ({ ...rest, from: from?.val ?? from, ...(lead && { [lead.tag]: lead.val }) });
const changed = ({ tag, val }) => (val === undefined ? tag : { [tag]: val });
const number = (text, settings = {}) => ({
  id: `PN${'1'.padStart(32, '0')}`, number: text, name: settings.name ?? text, voiceUrl: settings.voice ?? '', smsUrl: settings.sms ?? '',
  abilities: { voice: true, sms: true, mms: false },
});
const code = (text, settings = {}) => ({ id: `SC${'1'.padStart(32, '0')}`, code: text, name: settings.name ?? text, smsUrl: settings.sms ?? '' });

export const place = (call) => take('place', shown(call), 'CA');
export const send = (message) => take('send', shown(message), message.media.length > 0 ? 'MM' : 'SM');
export const later = ({ tag, val }, at) => take(tag, { ...shown(val), later: at === undefined ? true : new Date(Number(at)) });
export const update = (call, change) => void take('update', { call, to: changed(change) });
export const takeBack = (id) => take('take-back', { id }) !== '';
export const findRecording = (id) => ({
  id, call: '', status: 'completed', durationS: 7, channels: 1, mediaUrl: `https://example.com/recordings/${id}`,
});
export const recordingAudio = () => new Uint8Array();
export const deleteRecording = (id) => void take('delete-recording', { id });
export const findNumber = (text) => number(text);
export const searchNumbers = ({ country, locality = '', region = '', most }) =>
  Array.from({ length: Math.min(most, 3) }, (_, n) => ({
    number: `+1202555010${n}`, name: `(202) 555-010${n}`, locality, region, country, abilities: { voice: true, sms: true, mms: false },
  }));
export const buyNumber = (text, settings) => (take('buy-number', { number: text }), number(text, settings));
export const configureNumber = (text, settings) => (take('configure-number', { number: text, settings }), number(text, settings));
export const releaseNumber = (text) => void take('release-number', { number: text });
export const shortCodes = () => [];
export const configureShortCode = (text, settings) => (take('configure-short-code', { code: text, settings }), code(text, settings));
export const accessToken = ({ identity }) => `token.of.${identity}`;
