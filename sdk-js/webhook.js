/** One webhook as handlers see it: the contract's fields, and every parameter of the carrier by its name. */
export class Webhook {
  #params;

  constructor(fields) {
    // What is not there is null in one engine and undefined in the others.
    for (const [name, value] of Object.entries(fields)) this[name] = value ?? undefined;
  }

  /** The first value of a parameter by the carrier's name; undefined if it was not sent. */
  param(name) {
    return this.params.get(name);
  }

  /** Every parameter by the carrier's name. Read when first asked for: most webhooks are answered without. */
  get params() {
    this.#params ??= parse(this.form);
    return this.#params;
  }
}

/** A status callback, or a run of a schedule. */
export class Event extends Webhook {
  /** The run of a schedule (`[[schedule]]` of `handler.toml`) that this is; undefined where a carrier tells something. */
  get run() {
    if (this.kind !== 'other' || this.status !== 'schedule' || this.account !== '' || !this.subject.startsWith('schedule:')) return undefined;
    return {
      name: this.step,
      id: this.subject,
      scheduledTime: this.param('ScheduledTime') ?? '',
      localTime: this.param('LocalTime') ?? '',
      attempt: Number(this.param('Attempt') ?? 1),
    };
  }
}

/** Not URLSearchParams: it is not in every engine, and what is not well-formed is taken as it was sent. */
export function parse(form) {
  const params = new Map();
  for (const pair of form.split('&')) {
    const [name, value = ''] = pair.split(/=(.*)/s);
    const key = decode(name);
    if (key !== '' && !params.has(key)) params.set(key, decode(value));
  }
  return params;
}

function decode(text) {
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced; // bytes that are not UTF-8: as they were sent
  }
}
