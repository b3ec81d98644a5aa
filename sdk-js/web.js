/**
 * Web requests and what a handler answers them: under `/{tenant}/{handler}/web` and all behind it. Anybody may have sent one.
 *
 * What goes through `wasi:http` is here too; a test without a component asks `answer` and meets none of it.
 */
import * as http from 'wasi:http/types@0.2.0';
import { Failure, failureRecord } from './failure.js';
import { awaited, checked, described } from './handlers.js';
import * as log from './log.js';
import { parse } from './webhook.js';
import { bytesOf, text, textOf } from './wire.js';

/** Tells how much of a path is the handler's place. */
const PREFIX_HEADER = 'x-hookswitch-prefix';
/** How much is read or written at once, in bytes; the host says how much it takes. */
const PIECE_BYTES = 4096;

/** Makes the `web` export: `handler` says what a web request is answered. */
export function onWeb(handler) {
  checked('onWeb', handler);
  const answer = (request) => awaited(handler(request), responded);
  return { answer, handle: (incoming, out) => handle(incoming, out, answer) };
}

/** One web request, whole. */
export class WebRequest {
  #prefix;
  #form;

  /** `target` is path and query as sent, the handler's place included; `headers` are pairs. */
  constructor(method, target, headers, body) {
    this.method = method;
    this.headers = new Map();
    for (const [name, value] of headers) {
      if (!this.headers.has(name.toLowerCase())) this.headers.set(name.toLowerCase(), value);
    }
    this.body = body;
    const [path, query = ''] = target.split(/\?(.*)/s);
    this.#prefix = this.header(PREFIX_HEADER) ?? '';
    this.path = (path.startsWith(this.#prefix) ? path.slice(this.#prefix.length) : path) || '/';
    this.query = parse(query);
  }

  /** Method and path, to switch on: `POST /call`. */
  get route() {
    return `${this.method} ${this.path}`;
  }

  /** The path's segments, as they were sent; none for `/`. */
  get segments() {
    return this.path.split('/').filter((segment) => segment !== '');
  }

  /** A link to another path of this handler: `request.link('/thanks')`. */
  link(path) {
    return `${this.#prefix}/${path.replace(/^\/+/, '')}`;
  }

  /** The first value of a header field, whatever the case of its name; undefined where there is none. */
  header(name) {
    return this.headers.get(name.toLowerCase());
  }

  /** Who sent it: an address, as the host saw it or a proxy that it trusts. */
  get client() {
    return this.header('x-hookswitch-client') ?? '';
  }

  /** The body as text. */
  text() {
    const found = textOf(this.body);
    if (found === undefined) throw new Failure('the body of the request is no text');
    return found;
  }

  /** The body read as JSON. */
  json() {
    try {
      return JSON.parse(this.text());
    } catch (cause) {
      throw new Failure("the body of the request can't be read as JSON", { cause });
    }
  }

  /** The fields of a form in the body; none where it is something else. */
  get form() {
    const isForm = /^\s*application\/x-www-form-urlencoded/.test(this.header('content-type') ?? '');
    this.#form ??= parse(isForm ? (textOf(this.body) ?? '') : '');
    return this.#form;
  }
}

/** An answer, at most 1 MiB of it. The host frames it: lengths and what belongs to a connection are not the handler's. */
export class WebResponse {
  /** `body` is text or bytes; `headers` an object, with a list where a field comes more than once. */
  constructor(body = '', { status = 200, headers = {} } = {}) {
    if (typeof body !== 'string' && !ArrayBuffer.isView(body)) {
      throw new Failure(`the answer to a web request has ${described(body)} as its body; expected text or bytes`);
    }
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw new Failure(`the answer to a web request has the status ${String(status)}; expected 200 to 599`);
    }
    this.status = status;
    this.body = typeof body === 'string' ? bytesOf(body) : body;
    this.headers = Object.entries(headers).flatMap(([name, values]) =>
      [values].flat().map((value) => [name.toLowerCase(), text(`the answer to a web request: the header ${name}`, value)]),
    );
  }

  /** Plain text. */
  static text(words, options) {
    return of('text/plain; charset=utf-8', String(words), options);
  }

  /** A page. Whatever comes from elsewhere has to be escaped by whoever writes it into the page. */
  static html(page, options) {
    return of('text/html; charset=utf-8', String(page), options);
  }

  /** A value as JSON. */
  static json(value, options) {
    const written = JSON.stringify(value);
    if (written === undefined) throw new Failure(`the answer to a web request is ${described(value)}, which can't be written as JSON`);
    return of('application/json', written, options);
  }

  /** Sends a browser elsewhere with a GET, as after a form. */
  static seeOther(link) {
    return new WebResponse('', { status: 303, headers: { location: link } });
  }

  /** 404. */
  static notFound() {
    return WebResponse.text('There is nothing here.\n', { status: 404 });
  }

  /** The first value of a header field, whatever the case of its name. */
  header(name) {
    return this.headers.find(([own]) => own === name.toLowerCase())?.[1];
  }

  /** The body as text, for tests. */
  text() {
    return textOf(this.body);
  }
}

function of(contentType, body, options) {
  const made = new WebResponse(body, options);
  if (made.header('content-type') === undefined) made.headers.unshift(['content-type', contentType]);
  return made;
}

function responded(returned) {
  if (returned instanceof WebResponse) return returned;
  const hint = returned === undefined ? '; is a return missing?' : '';
  throw new Failure(`the handler returned ${described(returned)} to a web request; expected a WebResponse${hint}`);
}

/** Reads the request, has it answered, and writes the answer. What is thrown goes to the host, which answers it. */
async function handle(incoming, out, answer) {
  let response, head;
  try {
    response = await answer(read(incoming));
    head = headOf(response);
  } catch (error) {
    const { message, causes } = failureRecord(error);
    for (const cause of causes) log.error(`caused by: ${cause}`);
    http.ResponseOutparam.set(out, { tag: 'err', val: { tag: 'internal-error', val: message } });
    return;
  }
  const body = head.body();
  http.ResponseOutparam.set(out, { tag: 'ok', val: head });
  const stream = body.write();
  try {
    for (let at = 0; at < response.body.length; at += PIECE_BYTES) {
      stream.blockingWriteAndFlush(response.body.subarray(at, at + PIECE_BYTES));
    }
  } catch {
    return; // The host notices by the body's missing end, and says so.
  }
  // Before the body that it is a part of.
  stream[Symbol.dispose]();
  http.OutgoingBody.finish(body, undefined);
}

function read(incoming) {
  const { tag, val } = incoming.method();
  const headers = incoming.headers().entries().map(([name, value]) => [name, textOf(value) ?? String.fromCharCode(...value)]);
  return new WebRequest(val ?? tag.toUpperCase(), incoming.pathWithQuery() ?? '/', headers, readAll(incoming.consume()));
}

function readAll(body) {
  const stream = body.stream();
  const pieces = [];
  for (;;) {
    try {
      pieces.push(stream.blockingRead(65_536n));
    } catch (end) {
      if (end?.payload?.tag === 'closed') break;
      throw new Failure("the body of the request can't be read", { cause: end });
    }
  }
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Status and headers, as the host takes them. */
function headOf({ status, headers }) {
  const fields = new http.Fields();
  for (const [name, value] of headers) {
    try {
      fields.append(name, bytesOf(value));
    } catch {
      throw new Failure(`the answer can't have the header ${JSON.stringify(name)} of ${JSON.stringify(value)}`);
    }
  }
  const head = new http.OutgoingResponse(fields);
  head.setStatusCode(status);
  return head;
}
