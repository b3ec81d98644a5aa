// Puts the page together: the stream of what happens, the conversations, the handlers, and the keys.

import { $, el, post, remembered, toast } from "./dom.js";
import { Messages } from "./messages.js";
import { Phone } from "./phone.js";
import { Timeline } from "./timeline.js";

const conversations = new Map();
let pageId = null;
let handlers = [];
let shown = null;

const number = (id) => Math.max(0, Math.floor(Number($(id).value) || 0));

/** What the parts of the page ask of it. */
const page = {
  id: () => pageId,
  voice: () => $("voice").getAttribute("aria-pressed") === "true",
  conversations: () => conversations.values(),
  isCall: (conversation) => conversation?.kind !== "messages",
  revision: (name) => handlers.find((handler) => handler.name === name)?.revision,
  call: () => ({
    handler: $("handler").value,
    from: $("from").value,
    to: $("to").value,
    faults: faults(),
  }),
  /** A conversation of this page has begun; some of its items may be here already. */
  began(id, about) {
    const conversation = Object.assign(known(id), about);
    select(conversation);
    for (const told of conversation.waiting.splice(0)) item(told);
  },
  again: (again) => {
    showTab("call");
    phone.call(again);
  },
};

function faults() {
  const all = { duplicate: $("duplicate").checked, delay_ms: Math.min(60000, number("delay")), callbacks: $("callbacks").value };
  if (number("timeout-at")) all.timeout_at = number("timeout-at");
  if (number("bad-signature-at")) all.bad_signature_at = number("bad-signature-at");
  return all;
}

const phone = new Phone(page);
const messages = new Messages(page);
const timeline = new Timeline(page);

function known(id) {
  if (!conversations.has(id)) conversations.set(id, { id, items: [], waiting: [], kind: undefined, began: new Date() });
  return conversations.get(id);
}

function select(conversation) {
  shown = conversation;
  if (conversation?.kind === "messages") {
    showTab("messages");
    messages.select(conversation);
  } else {
    if (conversation) showTab("call");
    phone.select(conversation);
  }
  timeline.select(conversation);
  drawChips();
}

function item(told) {
  const conversation = known(told.conversation);
  if (!conversation.kind) {
    // The stream was quicker than the answer that says what this is.
    conversation.waiting.push(told);
    return;
  }
  conversation.items.push(told);
  if (conversation.kind === "messages") messages.item(conversation, told);
  else phone.item(conversation, told);
  timeline.item(conversation, told);
  if (told.item === "event" && told.event.kind === "ended") drawChips();
}

function drawChips() {
  const all = [...conversations.values()].filter((one) => one.kind).slice(-6);
  const chips = all.map((one) => {
    const live = one.kind === "call" && !one.over;
    const time = one.began.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
    return el("button", { type: "button", class: `chip ${live ? "live" : ""}`, "aria-pressed": String(one === shown), click: () => select(one) },
      `${one.kind === "call" ? "Call" : "Messages"} ${time}`);
  });
  if (shown) chips.push(el("button", { type: "button", class: "chip", click: () => select(null) }, "+ New"));
  $("chips").replaceChildren(...chips);
}

// The handlers.

function board(views) {
  const before = new Map(handlers.map((handler) => [handler.name, handler.revision]));
  handlers = views;
  const select = $("handler");
  const names = views.map((handler) => handler.name);
  if (JSON.stringify([...select.options].map((option) => option.value)) !== JSON.stringify(names)) {
    const chosen = select.value || remembered.get("handler", "");
    select.replaceChildren(...names.map((name) => el("option", { value: name }, name)));
    if (names.includes(chosen)) select.value = chosen;
  }
  for (const handler of views) {
    const old = before.get(handler.name);
    if (old && handler.revision && handler.revision !== old) {
      const stay = [...conversations.values()].some((one) => one.kind === "call" && !one.over && one.handler === handler.name);
      toast(`Revision ${handler.revision} of ${handler.name} takes new calls${stay ? `; calls in progress stay on ${old}` : ""}.`);
    }
  }
  drawHandler();
}

function drawHandler() {
  const handler = handlers.find((one) => one.name === $("handler").value);
  const build = $("build");
  $("revision").hidden = !handler?.revision;
  $("revision").textContent = handler?.revision ? `revision ${handler.revision}` : "";
  const state = !handler ? "no handler" : handler.building ? "building…" : handler.problem ? "does not build" : "ready";
  if (build.textContent !== state) build.textContent = state;
  build.className = `pill ${{ "building…": "busy", "does not build": "bad", ready: "good" }[state] ?? ""}`;
  drawProblem(handler?.problem);
  const tabs = [["call", handler?.voice], ["messages", handler?.messaging]];
  for (const [name, has] of tabs) $(`tab-${name}`).disabled = Boolean(handler?.revision) && !has;
  const current = tabs.find(([name]) => $(`tab-${name}`).getAttribute("aria-selected") === "true");
  const other = tabs.find(([name]) => name !== current[0]);
  if ($(`tab-${current[0]}`).disabled && !$(`tab-${other[0]}`).disabled) showTab(other[0]);
  phone.draw();
}

function drawProblem(problem) {
  const box = $("problem");
  const text = JSON.stringify(problem ?? null);
  if (box.dataset.shown === text) return;
  box.dataset.shown = text;
  box.hidden = !problem;
  box.replaceChildren();
  if (!problem) return;
  const places = problem.places.map((place) =>
    el("li", {}, el("code", {}, `${place.file}:${place.line}:${place.column}`), " ", place.message));
  box.append(el("h2", {}, "It does not build; the revision before it goes on"));
  if (places.length) box.append(el("ul", {}, ...places));
  box.append(el("details", { open: places.length ? undefined : true }, el("summary", {}, "What the compiler says"), el("pre", { tabindex: 0 }, problem.text)));
}

// The stream. A page that comes back is another page: its calls have ended.

function connect() {
  const source = new EventSource("api/stream");
  source.addEventListener("message", (event) => {
    const told = JSON.parse(event.data);
    if (told.type === "hello") {
      const old = pageId;
      pageId = told.page;
      document.body.classList.remove("away");
      if (old) lost();
    } else if (told.type === "board") {
      board(told.handlers);
    } else {
      item(told);
    }
  });
  source.addEventListener("error", () => {
    document.body.classList.add("away");
    $("build").textContent = "hookswitch is away";
    $("build").className = "pill bad";
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
  });
}

function lost() {
  for (const one of conversations.values()) {
    if (one.kind === "call" && !one.over) Object.assign(one, { over: true, asked: null, heard: null, state: "Over: the connection to hookswitch was lost" });
    one.key = undefined;
  }
  phone.draw();
  drawChips();
}

// Tabs, settings, dialogs.

function showTab(name) {
  for (const one of ["call", "messages"]) {
    const on = one === name;
    $(`tab-${one}`).setAttribute("aria-selected", String(on));
    $(`tab-${one}`).tabIndex = on ? 0 : -1;
    $(`panel-${one}`).hidden = !on;
  }
}

for (const name of ["call", "messages"]) {
  const tab = $(`tab-${name}`);
  tab.addEventListener("click", () => showTab(name));
  tab.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const other = name === "call" ? "messages" : "call";
    if ($(`tab-${other}`).disabled) return;
    showTab(other);
    $(`tab-${other}`).focus();
  });
}

for (const [id, otherwise] of [["from", "+12025550177"], ["to", "+12025550199"]]) {
  $(id).value = remembered.get(id, otherwise);
  const show = () => {
    remembered.set(id, $(id).value);
    $("shown-to").textContent = $("to").value;
    $("shown-to-sms").textContent = $("to").value;
  };
  $(id).addEventListener("input", show);
  show();
}

for (const control of document.querySelectorAll(".settings fieldset :is(input, select)")) {
  control.addEventListener("input", () => {
    const { duplicate, delay_ms, callbacks, timeout_at, bad_signature_at } = faults();
    $("faulty").hidden = !(duplicate || delay_ms || callbacks !== "in-order" || timeout_at || bad_signature_at);
  });
}

$("handler").addEventListener("change", () => {
  remembered.set("handler", $("handler").value);
  drawHandler();
});

function toggleVoice() {
  const on = !page.voice();
  $("voice").setAttribute("aria-pressed", String(on));
  remembered.set("voice", String(on));
  phone.voiceChanged();
}
$("voice").setAttribute("aria-pressed", remembered.get("voice", "true"));
$("voice").addEventListener("click", toggleVoice);

const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
function drawTheme() {
  const chosen = remembered.get("theme", "");
  const dark = chosen ? chosen === "dark" : prefersDark.matches;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  return dark;
}
drawTheme();
prefersDark.addEventListener("change", drawTheme);
$("theme").addEventListener("click", () => {
  remembered.set("theme", drawTheme() ? "light" : "dark");
  drawTheme();
});

$("shortcuts").checked = remembered.get("shortcuts", "true") === "true";
$("shortcuts").addEventListener("change", () => remembered.set("shortcuts", String($("shortcuts").checked)));
$("help").addEventListener("click", () => $("help-dialog").showModal());

$("save").addEventListener("click", () => {
  $("save-problem").textContent = "";
  $("save-name").value ||= shown.kind === "messages" ? "a conversation" : "a call";
  $("save-dialog").showModal();
  $("save-file").select();
});
$("save-cancel").addEventListener("click", () => $("save-dialog").close());
$("save-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const saved = await post(`api/conversations/${shown.id}/script`, { file: $("save-file").value, name: $("save-name").value });
    $("save-dialog").close();
    toast(`Saved as ${saved.file}`);
  } catch (error) {
    $("save-problem").textContent = error.message;
  }
});

// Keys. They stay out of the way of fields, dialogs and the browser's own.

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return;
  if (event.key === "Escape") {
    // Out of the field too, so that the next key is a key again.
    if (event.target.matches("input, textarea")) event.target.blur();
    if (phone.talks()) phone.hangUp();
    return;
  }
  if (!$("shortcuts").checked || event.target.closest("input, textarea, select")) return;
  const { key } = event;
  if (/^[0-9*#]$/.test(key)) phone.press(key);
  else if (key === "c" && !phone.talks()) {
    showTab("call");
    phone.call();
  } else if (key === "s") $("say").focus();
  else if (key === "k") phone.skip();
  else if (key === "m") toggleVoice();
  else if (key === "?") $("help-dialog").showModal();
  else return;
  event.preventDefault();
});

connect();
