import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { onCall, onEvent } from 'hookswitch';
import { call, event, host, run } from 'hookswitch/testing';
import { LOST_LINE, events, voice } from '../src/handler.js';

test('what stands in for the host answers as it does', () => {
  assert.match(voice.answer(call()), /Redirect/);
  assert.match(voice.answer(call({ step: 'second' })), /Every check holds/);
});

test('a run of a schedule is told from what a carrier tells', () => {
  host.reset();
  events.notify(run('remind', '2026-11-23T09:00:00Z', '2026-11-23T10:00:00+01:00', 2));
  events.notify(event({ kind: 'other', status: 'schedule', subject: 'schedule:remind:x' }));
  const message = 'run remind schedule:remind:2026-11-23T09:00Z 2026-11-23T09:00:00Z 2026-11-23T10:00:00+01:00 2';
  assert.deepEqual(host.logged, [{ level: 'info', message }]);
});

test('the line that a component is expected to name is the one that throws', () => {
  const lines = readFileSync(new URL('../src/handler.js', import.meta.url), 'utf8').split('\n');
  assert.match(lines[LOST_LINE - 1], /throw new Error\('lost'\)/);
});

test('failures say what was wrong, and what to do', () => {
  const failure = (export_) => {
    try {
      return export_();
    } catch ({ message, causes }) {
      return { message, causes: causes.join() };
    }
  };
  const returned = failure(() => onCall(() => undefined).answer({}));
  assert.match(returned.message, /returned undefined; expected Response\(…\) of twiml, .* or text; is a return missing\?$/);
  const object = failure(() => onCall(() => ({})).answer({}));
  assert.match(object.message, /returned an object \(Object\); expected .* or text$/);
  const empty = failure(() => onEvent(() => { throw new RangeError(); }).notify({}));
  assert.equal(empty.message, 'RangeError');
  assert.match(empty.causes, /^at .*handler\.test\.js:\d+:\d+/);
});
