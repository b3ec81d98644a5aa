import { config, log, onCall, onEvent, twiml } from 'hookswitch';

const { Dial, Gather, Hangup, Redirect, Response, Say } = twiml;

/** Each step is a webhook of its own, answered by a fresh instance: where we are in the conversation is in the link. */
export const voice = onCall((call) => {
  switch (call.step) {
    case '':
      return menu(config.get('greeting'));
    case 'menu':
      return call.digits === '1' ? Response(Dial(config.get('office'))) : menu('Sorry, I did not get that.');
    case 'nothing':
      return Response(Say('Goodbye.'), Hangup());
    default:
      throw new Error(`there is no step ${call.step}; which link leads to it?`);
  }
});

export const events = onEvent((event) => {
  if (event.kind === 'call') log.info(`call ${event.subject} is ${event.status}`);
});

function menu(first) {
  return Response(
    Gather({ action: 'menu', numDigits: 1 }, Say(first), Say('To reach the office, press 1.')),
    Redirect('nothing'),
  );
}
