/**
 * What only StarlingMonkey has: web requests and `fetch`, against the host and in Node.
 *
 * `run` puts it in the place of a new project's handler.
 */
import { Failure, WebResponse, log, onEvent, onWeb, store } from 'hookswitch';

export const events = onEvent(({ run }) => {
  if (run) log.info('run', run.name, run.id, run.scheduledTime, run.localTime, run.attempt);
});

export const web = onWeb((request) => {
  switch (request.method === 'PUT' ? 'PUT' : request.route) {
    case 'POST /hours':
      store.set('hours', request.form.get('hours'));
      return WebResponse.seeOther(request.link('/'));
    case 'GET /':
      return WebResponse.html([store.get('hours'), request.query.get('name'), request.header('X-Own'), request.client].join('; '));
    case 'POST /json':
      return WebResponse.text(JSON.stringify(request.json().sum), { status: 201, headers: { 'Set-Cookie': ['a=1', 'b=2'] } });
    case 'POST /typed':
      return WebResponse.html(request.header('content-type'), { headers: { 'Content-Type': 'text/plain' } });
    case 'GET /long':
      return new WebResponse('x'.repeat(1_000_000));
    case 'PUT':
      return WebResponse.json([request.method, ...request.segments].join(' '));
    case 'GET /fails':
      throw new Failure('there is no book', { cause: new Error('it was sold') });
    case 'GET /none':
      return undefined;
    case 'GET /header':
      return new WebResponse('', { headers: { 'a b': 'c' } });
    case 'GET /busy':
      return asked();
    default:
      return WebResponse.notFound();
  }
});

async function asked() {
  const often = await fetch('https://service.example.com/often');
  const once = await fetch('https://service.example.com/once', { headers: { 'x-hookswitch-retry': 'off' } });
  return WebResponse.text(`${often.status} ${once.status}`);
}
