/**
 * Documents: an element is a function with the carrier's name, as in
 * `twiml.Response(twiml.Gather({ action: 'menu', numDigits: 1 }, twiml.Say('For sales, press one.')))`.
 *
 * Text is escaped. The names are not checked here: the host holds each document against the grammar, and in
 * `hookswitch dev` and `hookswitch test` says what is wrong with it. The official builders work too, at some 30 times the cost.
 */

const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\n': '&#10;', '\r': '&#13;', '\t': '&#9;' };
/** What XML 1.0 can't say at all, even escaped. */
const NOT_XML = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g;

/** An element. Prints itself as XML. */
class Element {
  #text;

  constructor(text) {
    this.#text = text;
  }

  toString() {
    return this.#text;
  }
}

export const twiml = new Proxy({}, {
  get: (_, name) => (...parts) => element(String(name), parts),
});

function element(name, parts) {
  const [first, ...rest] = parts;
  const attributed = typeof first === 'object' && first !== null && !(first instanceof Element) && !Array.isArray(first);
  const children = (attributed ? rest : parts).flat(Infinity);
  const inside = children.map((value) => child(name, value)).join('');
  const open = `${name}${attributed ? Object.entries(first).map(attribute).join('') : ''}`;
  return new Element(inside === '' ? `<${open}/>` : `<${open}>${inside}</${name}>`);
}

/** Undefined and null leave an attribute out. */
function attribute([name, value]) {
  return value === undefined || value === null ? '' : ` ${name}="${escaped(value, /[&<>"\n\r\t]/g)}"`;
}

/** False leaves a child out, so that conditions can stand inside a document. What is missing would be silence to the caller. */
function child(name, value) {
  if (value === undefined || value === null) {
    throw new TypeError(`<${name}> was given ${value}: what it should say is missing; to leave a child out on purpose, give false`);
  }
  if (value === false) return '';
  return value instanceof Element ? value.toString() : escaped(value, /[&<>]/g);
}

function escaped(value, characters) {
  return String(value).replace(NOT_XML, '').replace(characters, (character) => ESCAPES[character]);
}
