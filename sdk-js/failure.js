/** What went wrong in a handler: one line, and what caused it. The caller hears the fallback document, the log gets this. */
export class Failure extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = 'Failure';
  }
}

/** Causes that are kept. A chain that leads back to itself would have no end. */
const CAUSES_MAX = 16;

/** The contract's `failure` for whatever was thrown: outermost message, then causes, then where it happened. */
export function failureRecord(thrown) {
  const [message, ...causes] = chain(thrown);
  if (thrown instanceof Error && !(thrown instanceof Failure)) {
    const place = firstPlace(thrown.stack);
    if (place) causes.push(`at ${place}`);
  }
  return { message, causes };
}

function chain(thrown) {
  const messages = [];
  for (let error = thrown; messages.length <= CAUSES_MAX; error = error.cause) {
    messages.push(line(error));
    if (!(error instanceof Error) || error.cause === undefined) break;
  }
  return messages;
}

function line(error) {
  if (error instanceof Failure) return error.message;
  if (error instanceof Error) return `${error.name}: ${error.message}`;
  return typeof error === 'string' ? error : (JSON.stringify(error) ?? String(error));
}

/** The innermost frame of a stack, as the engine wrote it (`answer@handler.js:7:11`, `at answer (handler.js:7:11)`). */
function firstPlace(stack) {
  const frame = String(stack ?? '').split('\n').map((text) => text.trim()).find((text) => /:\d+/.test(text) && !/^\w*Error\b/.test(text));
  return frame?.replace(/^at /, '');
}
