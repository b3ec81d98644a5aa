import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { call, event, host } from 'hookswitch/testing';
import { events, voice } from '../src/handler.js';

beforeEach(() => {
  host.reset();
  host.config({ greeting: 'Welcome.', office: '+12025550123' });
});

test('callers are greeted and asked', () => {
  assert.match(voice.answer(call()), /<Say>Welcome\.<\/Say>/);
});

test('key 1 reaches the office, others are asked again', () => {
  const pressed = (digits) => voice.answer(call({ step: 'menu', digits }));
  assert.equal(pressed('1'), '<Response><Dial>+12025550123</Dial></Response>');
  assert.match(pressed('2'), /Sorry/);
});

test('the end of a call is logged', () => {
  events.notify(event({ status: 'completed' }));
  assert.match(host.logged[0].message, /completed/);
});
