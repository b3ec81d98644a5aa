/**
 * Every function of the JavaScript helper, against the host and in Node: what stands in for it answers the same.
 *
 * `run` puts it in the place of a new project's handler.
 */
import { CarrierError, Failure, StorageError, carrier, config, log, onCall, onEvent, secrets, session, store, twiml } from 'hookswitch';

const THEM = '+12025550177';
const US = '+12025550199';
const CALL = `CA${'1'.padStart(32, '0')}`;
const RECORDING = `RE${'1'.padStart(32, '0')}`;

export const voice = onCall((call) => {
  const wrong = call.step === '' ? first(call) : second();
  if (wrong.length > 0) throw new Failure(wrong.join('; '));
  return call.step === '' ? twiml.Response(twiml.Redirect('second')) : twiml.Response(twiml.Say('Every check holds.'));
});

export const events = onEvent(({ run }) => {
  if (run) log.info('run', run.name, run.id, run.scheduledTime, run.localTime, run.attempt);
});

function first(call) {
  const { wrong, is, fails } = checks();
  is('an option that is none', () => call.digits, undefined);
  for (const [name, memory] of [['session', session], ['store', store]]) {
    is(`${name}.get none`, () => memory.get('text', 'none'), 'none');
    is(`${name}.get`, () => (memory.set('text', 'grüße 😀'), memory.get('text')), 'grüße 😀');
    is(`${name}.json`, () => (memory.set('json', { a: [1, null] }), memory.json('json')), { a: [1, null] });
    is(`${name}.bytes`, () => (memory.set('bytes', new Uint8Array([255, 0])), memory.set('copy', memory.bytes('bytes')), [...memory.bytes('copy')]), [255, 0]);
    is(`${name}.set long`, () => (memory.set('long', 'ä'.repeat(10_000)), memory.get('long').length), 10_000);
    is(`${name}.add`, () => [memory.add('number', 5), memory.add('number', 2, { ttlS: 60 }), memory.add('number')], [5, 7, 8]);
    is(`${name}.add less`, () => [memory.add('number', -20), memory.get('number')], [-12, '-12']);
    is(`${name}.swap`, () => [memory.swap('swap', undefined, 'a'), memory.swap('swap', 'b', 'c'), memory.swap('swap', 'a', undefined)], [true, false, true]);
    is(`${name}.delete`, () => [memory.delete('long'), memory.delete('long')], [true, false]);
    fails(`${name}.get of bytes`, () => memory.get('bytes'), /are no text/);
    fails(`${name}.add to text`, () => memory.add('text'), StorageError, 'not-a-number');
    fails(`${name}.set for no time`, () => memory.set('text', 'x', { ttlS: 0 }), StorageError, 'invalid');
    fails(`${name}.set too many bytes`, () => memory.set('much', new Uint8Array(5 << 20)), StorageError, 'too-large');
    fails(`${name}.set too many characters`, () => memory.set('much', 'a'.repeat(5 << 20)), /5242880 characters; use 65536 bytes/);
    fails(`${name}.set too much in UTF-8`, () => memory.set('much', 'ä'.repeat(32_769)), /65538 bytes; use 65536 bytes/);
    fails(`${name}.swap of too much`, () => memory.swap('text', 'a'.repeat(65_537), undefined), StorageError, 'too-large');
    fails(`${name}.set for less than no time`, () => memory.set('text', 'x', { ttlS: -1 }), /whole number/);
    for (const ttlS of [2 ** 32, 1.5, '60']) {
      fails(`${name}.set for ${ttlS}`, () => memory.set('text', 'x', { ttlS }), /ttlS is .*; expected a whole number from 0 to 4294967295/);
    }
    fails(`${name}.set with a slip`, () => memory.set('text', 'x', { ttl: 1 }), /has no ttl/);
  }
  is('session.keys', () => session.keys('b'), ['bytes']);
  is('store.keys', () => store.keys('', { limit: 2 }), { keys: ['bytes', 'copy'], next: 'copy' });
  is('store.keys after', () => store.keys('c', { after: 'bytes' }), { keys: ['copy'] });
  fails('secrets.get', () => secrets.get('key'), /not granted/);

  is('carrier.place', () => carrier.place({ to: THEM, from: US, link: 'voice/x', detect: {}, recording: { dual: true }, toldOf: ['answered'], told: 'status/x' }).slice(0, 2), 'CA');
  is('carrier.send', () => carrier.send({ to: THEM, from: US, body: 'Hello', media: ['https://example.com/a.png'] }).slice(0, 2), 'MM');
  is('carrier.placeLater', () => carrier.takeBack(carrier.placeLater({ to: THEM, from: US, document: twiml.Response() }, new Date(Date.now() + 60_000))), true);
  is('carrier.sendLater', () => carrier.takeBack(carrier.sendLater({ to: THEM, from: US, body: 'Hello' })), true);
  is('carrier.redirect', () => carrier.redirect(CALL, 'voice/x'), undefined);
  is('carrier.goOn', () => carrier.goOn(CALL, twiml.Response()), undefined);
  is('carrier.end', () => carrier.end(CALL), undefined);
  is('carrier.cancel', () => carrier.cancel(CALL), undefined);
  is('carrier.recording', () => carrier.recording(RECORDING).status, 'completed');
  is('carrier.recordingAudio', () => carrier.recordingAudio(RECORDING).length, 0);
  is('carrier.deleteRecording', () => carrier.deleteRecording(RECORDING), undefined);
  is('carrier.findNumber', () => carrier.findNumber(US).number, US);
  is('carrier.searchNumbers', () => carrier.searchNumbers({ kind: 'toll-free', most: 2 }).length, 2);
  is('carrier.buyNumber', () => carrier.buyNumber('+12025550101', { voice: 'voice' }).number, '+12025550101');
  is('carrier.configureNumber', () => carrier.configureNumber(US, { voice: 'voice' }).number, US);
  is('carrier.releaseNumber', () => carrier.releaseNumber('+12025550101'), undefined);
  is('carrier.shortCodes', () => carrier.shortCodes(), []);
  is('carrier.accessToken', () => carrier.accessToken({ identity: 'ann', params: { a: 'b' } }).split('.').length, 3);
  // In Node the carrier takes everything.
  if (typeof process === 'undefined') fails('carrier.end of no call', () => carrier.end('CA1'), CarrierError, 'invalid');
  for (const [name, act, expected = /; expected /] of wrongTypes()) fails(name, act, expected);
  const half = '\ud800';
  is('half of a character', () => (log.info(half), session.set(half, half), session.get(half)), '\ufffd');
  is('a document with half of a character', () => onCall(() => half).answer({}), '\ufffd');
  is('a failure with half of a character', () => placeOf(() => { throw new Failure('x', { cause: half }); }), '\ufffd');
  fails('carrier.place with a slip', () => carrier.place({ too: THEM }), /has no too/);

  is('console', () => ['debug', 'info', 'log', 'warn', 'error'].map((level) => console[level]('heard', { digits: level })), [null, null, null, null, null]);
  is('a child that is false', () => twiml.Response(false, [[], [false]], '').toString(), '<Response/>');
  is('an attribute that is missing', () => twiml.Say({ voice: undefined, language: null }, 0).toString(), '<Say>0</Say>');
  fails('words that are missing', () => twiml.Response(twiml.Say(session.get('nope'))), /^<Say> was given undefined: what it should say is missing/);
  fails('words that are missing among others', () => twiml.Say({ voice: 'x' }, 'Hello ', [null]), /^<Say> was given null/);
  if (typeof process === 'undefined') {
    fails('fetch in QuickJS', () => fetch('https://example.com/'), /set "hookswitch": { "engine": "starlingmonkey", "fetch": true }/);
    is('the place of a failure', () => placeOf(() => lost()), `lost (src/handler.js:${LOST_LINE})`);
    is('the place of a missing word', () => placeOf(() => said(undefined)), `said (src/handler.js:${LOST_LINE + 4})`);
  }
  return wrong;
}

/** What the contract has no value for: an error here, where an engine would end the instance or make something else of it. */
function wrongTypes() {
  const message = { to: THEM, from: US };
  const memories = [['session', session], ['store', store]].flatMap(([name, memory]) => [
    [`${name}.get nothing`, () => memory.get()],
    [`${name}.bytes of 5`, () => memory.bytes(5)],
    [`${name}.set undefined`, () => memory.set('u', undefined), /u can't be undefined; .*\.delete removes it/],
    [`${name}.set null`, () => memory.set('u', null), /u can't be null/],
    [`${name}.set under nothing`, () => memory.set(undefined, 'v')],
    [`${name}.set under 5`, () => memory.set(5, 'v')],
    [`${name}.set with a number for the options`, () => memory.set('k', 'v', 60), /options is 60; expected an object with ttlS/],
    [`${name}.add with a list for the options`, () => memory.add('k', 1, [60])],
    [`${name}.delete nothing`, () => memory.delete()],
    [`${name}.add to nothing`, () => memory.add()],
    [`${name}.add 1.5`, () => memory.add('k', 1.5)],
    [`${name}.swap nothing`, () => memory.swap()],
    [`${name}.keys of 5`, () => memory.keys(5)],
  ]);
  return [
    ...memories,
    ['store.keys with a number', () => store.keys('', 5)],
    ['store.keys after 5', () => store.keys('', { after: 5 })],
    ['config.get nothing', () => config.get()],
    ['secrets.get nothing', () => secrets.get()],
    ['carrier.send nothing', () => carrier.send()],
    ['carrier.send to undefined', () => carrier.send({ ...message, to: undefined })],
    ['carrier.send 5', () => carrier.send({ ...message, body: 5 })],
    ['carrier.send a picture of null', () => carrier.send({ ...message, media: [null] })],
    ['carrier.send one picture', () => carrier.send({ ...message, media: 'https://example.com/a.png' })],
    ['carrier.place from null', () => carrier.place({ to: THEM, from: null })],
    ['carrier.place with a text for a number', () => carrier.place({ ...message, timeoutS: '5' })],
    ['carrier.place with detect', () => carrier.place({ ...message, detect: true })],
    ['carrier.place with told 5', () => carrier.place({ ...message, detect: { told: 5 } })],
    ['carrier.place told of nothing', () => carrier.place({ ...message, toldOf: ['rung'] })],
    ['carrier.sendLater long ago', () => carrier.sendLater(message, new Date('1960-01-01'))],
    ['carrier.sendLater at no time', () => carrier.sendLater(message, new Date('soon'))],
    ['carrier.takeBack nothing', () => carrier.takeBack()],
    ['carrier.redirect to nothing', () => carrier.redirect(CALL)],
    ['carrier.goOn nothing', () => carrier.goOn(undefined, '<Response/>')],
    ['carrier.end nothing', () => carrier.end()],
    ['carrier.cancel nothing', () => carrier.cancel(null)],
    ['carrier.recording of nothing', () => carrier.recording()],
    ['carrier.recordingAudio of some kind', () => carrier.recordingAudio(RECORDING, 'ogg')],
    ['carrier.deleteRecording of nothing', () => carrier.deleteRecording()],
    ['carrier.findNumber of 5', () => carrier.findNumber(5)],
    ['carrier.searchNumbers of a kind', () => carrier.searchNumbers({ kind: 'none' })],
    ['carrier.searchNumbers with a word for a flag', () => carrier.searchNumbers({ voice: 'yes' })],
    ['carrier.buyNumber of nothing', () => carrier.buyNumber()],
    ['carrier.configureNumber to 5', () => carrier.configureNumber(US, { voice: 5 })],
    ['carrier.releaseNumber of nothing', () => carrier.releaseNumber()],
    ['carrier.configureShortCode of nothing', () => carrier.configureShortCode()],
    ['carrier.accessToken of nobody', () => carrier.accessToken({})],
    ['carrier.accessToken with 1', () => carrier.accessToken({ identity: 'ab', params: { a: 1 } })],
    ['carrier.accessToken for ever', () => carrier.accessToken({ identity: 'ab', ttlS: 2 ** 32 })],
  ];
}

/** Where `lost` stands in this file; the native test compares. */
export const LOST_LINE = 154;

function lost() { throw new Error('lost');
}

function said(words) {
  return twiml.Say(words);
}

/** Where the log says that `act` failed. */
function placeOf(act) {
  try {
    onEvent(act).notify({});
  } catch ({ causes }) {
    return causes.at(-1).replace('at ', '');
  }
}

function second() {
  const { wrong, is } = checks();
  is('the session of the webhook before', () => session.get('text'), 'grüße 😀');
  is('the store of the webhook before', () => store.get('text'), 'grüße 😀');
  return wrong;
}

function checks() {
  const wrong = [];
  const is = (name, act, expected) => {
    try {
      const found = act();
      if (JSON.stringify(found) !== JSON.stringify(expected)) wrong.push(`${name} is ${JSON.stringify(found)}`);
    } catch (error) {
      wrong.push(`${name} throws ${error.message ?? JSON.stringify(error)}`);
    }
  };
  const fails = (name, act, expected, kind) => {
    try {
      wrong.push(`${name} gives ${JSON.stringify(act())}`);
    } catch (error) {
      const good = expected instanceof RegExp ? expected.test(error.message) : error instanceof expected && error.kind === kind;
      if (!good) wrong.push(`${name} throws ${error.kind}: ${error.message}`);
    }
  };
  return { wrong, is, fails };
}
