import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call } from 'hookswitch/testing';
import { voice } from '../src/handler.js';

test('what stands in for the host answers as it does', () => {
  assert.match(voice.answer(call()), /Redirect/);
  assert.match(voice.answer(call({ step: 'second' })), /Every check holds/);
});
