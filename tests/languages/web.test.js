import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { WebResponse } from 'hookswitch';
import { host, request } from 'hookswitch/testing';
import { web } from '../src/handler.js';

beforeEach(() => host.reset());

test('web requests are answered', () => {
  const answered = web.answer(request('POST', '/hours', { form: { hours: '9 & later' } }));
  assert.deepEqual([answered.status, answered.header('Location')], [303, '/dev/handler/web/']);
  const page = web.answer(request('GET', '/?name=Ann+Lee', { headers: { 'X-Own': 'own' } }));
  assert.deepEqual([page.status, page.text()], [200, '9 & later; Ann Lee; own; 192.0.2.1']);
  const json = web.answer(request('POST', '/json', { json: { sum: [1, 2] } }));
  assert.deepEqual([json.status, json.text(), json.headers.slice(1)], [201, '[1,2]', [['set-cookie', 'a=1'], ['set-cookie', 'b=2']]]);
  const typed = web.answer(request('POST', '/typed', { json: [1], headers: { 'Content-Type': 'text/csv' } }));
  assert.deepEqual([typed.text(), typed.headers], ['text/csv', [['content-type', 'text/plain']]]);
  assert.equal(web.answer(request('PUT', '/a/b')).text(), '"PUT a b"');
  assert.equal(web.answer(request('GET', '/nowhere')).status, 404);
});

test('what can\'t be an answer says so', () => {
  assert.throws(() => web.answer(request('GET', '/none')), /returned undefined to a web request; expected a WebResponse; is a return missing/);
  assert.throws(() => new WebResponse('', { status: 99 }), /has the status 99; expected 200 to 599/);
  assert.throws(() => new WebResponse(5), /has a number as its body; expected text or bytes/);
  assert.throws(() => new WebResponse('', { headers: { x: undefined } }), /the header x is undefined; expected text/);
  assert.throws(() => web.answer(request('POST', '/json', { body: 'no' })), /the body of the request can't be read as JSON/);
});
