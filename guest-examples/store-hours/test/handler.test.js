import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { call, event, host, message } from 'hookswitch/testing';
import { events, messaging, voice } from '../src/handler.js';
import { localTime, opening, spoken } from '../src/hours.js';

const HOURS = { monday: '09:00-18:00', saturday: '10:00-16:00' };
const ALWAYS = Object.fromEntries(
  ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'].map((day) => [day, '00:00-24:00']),
);

beforeEach(() => {
  host.reset();
  host.config({ greeting: 'Welcome to <Acme> & Sons.', clerk: '+12025550123', hours: ALWAYS, utc_offset_hours: -5 });
});

test('callers are greeted and told whether the store is open', () => {
  const heard = voice.answer(call());
  assert.match(heard, /<Say>Welcome to &lt;Acme&gt; &amp; Sons\.<\/Say>/);
  assert.match(heard, /We are open until/);
  host.config({ hours: {} });
  assert.match(voice.answer(call()), /We are closed at the moment/);
});

test('the menu understands keys and words', () => {
  for (const [answer, expected] of [
    [{ digits: '1' }, /Say>monday, 12 AM to 12 PM/],
    [{ speech: 'What are your hours?' }, /Say>sunday/],
    [{ digits: '2' }, /<Dial action="after-dial" timeout="20">\+12025550123<\/Dial>/],
    [{ speech: 'a clerk please' }, /<Dial/],
    [{ digits: '9' }, /Sorry, I did not get that/],
  ]) {
    assert.match(voice.answer(call({ step: 'choice', ...answer })), expected, JSON.stringify(answer));
  }
});

test('nobody is rung when the store is closed', () => {
  host.config({ hours: {} });
  assert.doesNotMatch(voice.answer(call({ step: 'choice', digits: '2' })), /<Dial/);
});

test('what became of the call decides what is said', () => {
  const after = (status) => voice.answer(call({ step: 'after-dial', params: { DialCallStatus: status } }));
  assert.equal(after('completed'), '<Response><Hangup/></Response>');
  assert.match(after('no-answer'), /Everybody is busy/);
});

test('opening hours follow the day, the time and the days off', () => {
  const monday = { day: 'monday', date: '03-02' };
  for (const [now, open] of [
    [{ ...monday, time: '09:00' }, true],
    [{ ...monday, time: '17:59' }, true],
    [{ ...monday, time: '18:00' }, false],
    [{ ...monday, date: '12-25', time: '12:00' }, false],
    [{ day: 'sunday', date: '03-01', time: '12:00' }, false],
  ]) {
    assert.equal(opening(HOURS, ['12-25'], now).open, open, JSON.stringify(now));
  }
  assert.throws(() => opening({ monday: '9 to 5' }, [], { ...monday, time: '10:00' }), /hours\.monday is "9 to 5"/);
});

test('the clock is the store\'s', () => {
  const midnightUtc = Date.UTC(2026, 2, 2); // a Monday
  assert.deepEqual(localTime(midnightUtc, -5), { day: 'sunday', date: '03-01', time: '19:00' });
  assert.deepEqual(localTime(midnightUtc, 9.5), { day: 'monday', date: '03-02', time: '09:30' });
});

test('times are said as people say them', () => {
  for (const [time, words] of [['18:00', '6 PM'], ['09:30', '9:30 AM'], ['00:05', '12:05 AM'], ['12:00', '12 PM']]) {
    assert.equal(spoken(time), words);
  }
});

test('the clerk announces by message what callers hear', () => {
  const write = (body, from = '+12025550123') => messaging.receive(message({ from, body }));
  assert.match(write(' The lift is out of order. '), /Callers hear this for a day: The lift is out of order\./);
  assert.equal(write('Everything is free!', '+12025550177'), '<Response/>');
  assert.match(voice.answer(call()), /<Say>The lift is out of order\.<\/Say>/);
  write('Clear');
  assert.doesNotMatch(voice.answer(call()), /lift/);
});

test('the end of a call is logged', () => {
  events.notify(event({ status: 'completed' }));
  assert.match(host.logged[0].message, /is completed$/);
});

test('what is wrong is said, with where it happened', () => {
  assert.throws(() => voice.answer(call({ step: 'attic' })), (failure) => {
    assert.equal(failure.message, 'Error: there is no step attic; which link leads to it?');
    assert.match(failure.causes[0], /handler\.js/);
    return true;
  });
  host.reset();
  assert.throws(() => voice.answer(call()), { message: 'config: there is no greeting; add it to [config] in handler.toml' });
});
