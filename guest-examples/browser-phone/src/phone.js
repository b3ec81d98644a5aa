// The telephone of the page: signs in with a token of the handler, rings, and dials what the handler lets it.
"use strict";

const at = (id) => document.getElementById(id);
const say = (text) => { at("state").textContent = text; };
let device = null;
let current = null;

async function token() {
  const answer = await fetch(at("state").dataset.token, { credentials: "same-origin", cache: "no-store" });
  if (answer.status === 401) throw new Error("please sign in again");
  if (!answer.ok) throw new Error(`there is no token (${answer.status})`);
  return (await answer.json()).token;
}

// One call at a time; whichever way it ends, the buttons are as before.
function take(call, text) {
  current = call;
  say(text);
  at("answer").hidden = call.direction !== "INCOMING";
  at("end").hidden = false;
  call.on("accept", () => { say("Talking."); at("answer").hidden = true; });
  for (const ending of ["disconnect", "cancel", "reject"]) call.on(ending, () => over("Connected."));
  call.on("error", (error) => over(`The call failed: ${error.message}`));
}

function over(text) {
  current = null;
  say(text);
  at("answer").hidden = true;
  at("end").hidden = true;
}

// Behind a click: browsers let no page make sounds before one.
async function connect() {
  if (device) return;
  if (!window.Twilio) throw new Error("the carrier's SDK was not loaded");
  const made = new Twilio.Device(await token());
  made.on("registered", () => say("Connected."));
  made.on("unregistered", () => say("Not connected."));
  made.on("error", (error) => say(`Something failed: ${error.message}`));
  made.on("tokenWillExpire", () => token().then((fresh) => made.updateToken(fresh)).catch(failed));
  made.on("incoming", (call) => {
    if (current) { call.ignore(); return; } // the caller goes on to the message
    take(call, `${call.parameters.From} calls.`);
  });
  device = made;
  await made.register();
}

const failed = (error) => say(`Something failed: ${error.message}`);

at("on").addEventListener("click", () => connect().catch(failed));
at("dial").addEventListener("submit", (event) => {
  event.preventDefault();
  const number = at("number").value;
  if (current) return;
  connect()
    .then(() => device.connect({ params: { Number: number } }))
    .then((call) => take(call, `Calling ${number}.`))
    .catch(failed);
});
at("answer").addEventListener("click", () => current && current.accept());
at("end").addEventListener("click", () => {
  if (!current) return;
  if (!at("answer").hidden) current.reject();
  else current.disconnect();
});
