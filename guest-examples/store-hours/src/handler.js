/**
 * A store's line: says whether it is open, reads the week's hours on request, and rings the clerk in opening hours.
 *
 * Each step of the conversation is a webhook of its own, answered by a fresh instance: where we are is in the link.
 */
import { config, log, onCall, onEvent, onMessage, store, twiml } from 'hookswitch';
import { DAYS, localTime, opening, spoken } from './hours.js';

export const voice = onCall((call) => {
  switch (call.step) {
    case '':
      return menu(config.get('greeting'), store.get('announcement'));
    case 'choice':
      return chosen(call);
    case 'after-dial':
      return afterDial(call);
    case 'nothing':
      return goodbye('I did not hear anything.');
    default:
      throw new Error(`there is no step ${call.step}; which link leads to it?`);
  }
});

/** What the clerk writes is announced to callers for a day, whichever revision answers them. */
export const messaging = onMessage((message) => {
  if (message.from !== config.get('clerk')) return Response();
  const words = message.body.trim();
  if (words === '' || words.toLowerCase() === 'clear') {
    store.delete('announcement');
    return Response(Message('Nothing is announced any more.'));
  }
  store.set('announcement', words, { ttlS: 24 * 3600 });
  return Response(Message(`Callers hear this for a day: ${words}`));
});

/** The carrier tells how the calls went. */
export const events = onEvent((event) => {
  if (event.kind === 'call') log.info(`call ${event.subject} is ${event.status}`);
});

const { Dial, Gather, Hangup, Message, Redirect, Response, Say } = twiml;

function menu(...first) {
  return Response(
    Gather(
      { action: 'choice', numDigits: 1, input: 'dtmf speech', hints: 'hours, clerk', timeout: 6 },
      first.map((words) => (words ? Say(words) : false)),
      Say(`${state()} For our hours, press 1 or say hours. To speak to us, press 2 or say clerk.`),
    ),
    Redirect('nothing'),
  );
}

function state() {
  const { open, until } = opening(week(), config.json('closed_days', []), now());
  return open ? `We are open until ${spoken(until)}.` : 'We are closed at the moment.';
}

function chosen(call) {
  const said = (call.speech ?? '').toLowerCase();
  if (call.digits === '1' || said.includes('hours')) return menu(...readHours());
  if (call.digits === '2' || said.includes('clerk')) return connect();
  return menu('Sorry, I did not get that.');
}

function readHours() {
  const hours = week();
  return DAYS.map((day) => {
    const [from, to] = hours[day]?.split('-') ?? [];
    return from ? `${day}, ${spoken(from)} to ${spoken(to)}.` : `${day}, closed.`;
  });
}

function connect() {
  const { open } = opening(week(), config.json('closed_days', []), now());
  if (!open) return goodbye('Nobody is in the store now. Please call again in our opening hours.');
  return Response(Say('One moment, please.'), Dial({ action: 'after-dial', timeout: 20 }, config.get('clerk')));
}

function afterDial(call) {
  const status = call.param('DialCallStatus');
  return status === 'completed' ? goodbye('') : goodbye('Everybody is busy. Please try again in a few minutes.');
}

function goodbye(words) {
  return Response(words && Say(`${words} Goodbye.`), Hangup());
}

const week = () => config.json('hours');
const now = () => localTime(Date.now(), config.number('utc_offset_hours', 0));
