// The phone: what is heard, what is asked, and what one does about it.

import { $, el, minutes, post, toast } from "./dom.js";
import { canListen, canSpeak, hush, listen, speak, tone } from "./sound.js";

const LETTERS = { 2: "abc", 3: "def", 4: "ghi", 5: "jkl", 6: "mno", 7: "pqrs", 8: "tuv", 9: "wxyz", 0: "+" };
const SOUNDS = ["Say", "Play", "Echo"];

export class Phone {
  /** `page` tells who is called and with which faults, and whether to read aloud. */
  constructor(page) {
    this.page = page;
    this.line = null;
    this.ear = null;
    for (const key of "123456789*0#") {
      const word = { "*": "star", "#": "pound" }[key] ?? key;
      $("keypad").append(el("button", { type: "button", "data-key": key, "aria-label": word, click: () => this.press(key) },
        el("b", {}, key), el("small", { "aria-hidden": "true" }, LETTERS[key] ?? "")));
    }
    $("call").addEventListener("click", () => (this.talks() ? this.hangUp() : this.call()));
    $("skip").addEventListener("click", () => this.skip());
    $("silence").addEventListener("click", () => this.do({ do: "silence" }));
    $("say-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const text = $("say").value.trim();
      if (!text) return;
      $("say").value = "";
      this.say(text);
    });
    $("listen").hidden = !canListen();
    $("listen").addEventListener("click", () => this.listen());
    setInterval(() => this.tick(), 500);
    this.draw();
  }

  talks() { return Boolean(this.line && !this.line.over); }

  reads() { return this.page.voice() && canSpeak(); }

  /** Calls; `again` does first what was done in an earlier call. */
  async call(again) {
    hush();
    const { handler, from, to, faults } = this.page.call();
    if (!handler) return toast("There is no handler to call yet.");
    $("call").disabled = true;
    try {
      const body = { page: this.page.id(), handler, from, to, voice: this.reads(), faults };
      if (again) body.again = again;
      const { conversation } = await post("api/calls", body);
      this.page.began(conversation, { kind: "call", handler, from, to });
    } catch (error) {
      toast(error.message);
    } finally {
      $("call").disabled = false;
    }
  }

  async do(input, line = this.line) {
    if (!line || line.over) return;
    try {
      await post(`api/calls/${line.id}/do`, input);
    } catch (error) {
      // A call that has ended meanwhile says so itself.
      if (!line.over) toast(error.message);
    }
  }

  press(key) {
    const button = $("keypad").querySelector(`[data-key="${CSS.escape(key)}"]`);
    button.classList.add("down");
    setTimeout(() => button.classList.remove("down"), 130);
    if (this.page.voice()) tone(key);
    if (!this.talks()) return;
    if (this.line.heard?.prompts?.barge_in) hush();
    this.do({ do: "press", key });
  }

  say(text, confidence) {
    if (!this.talks()) return toast("Nobody listens: call first.");
    if (this.line.heard?.prompts?.barge_in) hush();
    this.do(confidence === undefined ? { do: "say", text } : { do: "say", text, confidence });
  }

  skip() {
    hush();
    this.do({ do: "skip" });
  }

  hangUp() {
    hush();
    this.do({ do: "hang-up" });
  }

  listen() {
    if (this.ear) return this.ear.stop();
    $("listen").setAttribute("aria-pressed", "true");
    this.ear = listen(this.line?.language, (text, sure) => this.say(text, sure), () => {
      this.ear = null;
      $("listen").setAttribute("aria-pressed", "false");
    });
  }

  /** Whether the page reads aloud has changed. */
  voiceChanged() {
    if (!this.reads()) hush();
    for (const line of this.page.conversations()) {
      if (line.kind === "call" && !line.over) this.do({ do: "voice", on: this.reads() }, line);
    }
  }

  /** Puts another conversation on the phone, or none. */
  select(line) {
    if (this.line !== line) hush();
    this.line = line;
    $("transcript").replaceChildren();
    for (const item of line?.items ?? []) this.show(item);
    this.draw();
  }

  /** Something new in a call, on the phone or not. */
  item(line, item) {
    this.follow(line, item);
    if (line === this.line) {
      this.show(item);
      this.draw();
    }
  }

  /** What an item changes about the call. */
  follow(line, item) {
    const event = item.item === "event" ? item.event : null;
    if (event?.kind === "webhook" && event.steers && event.revision) line.revision = event.revision;
    if (event?.kind === "heard") {
      line.heard = event;
      line.state = event.leg === "called" ? "The called party hears" : "On the line";
      line.answered ??= Date.now() - 1;
      if (event.verb === "Say" && event.text) this.read(line, item, event);
      if (event.verb === "Record" && line === this.line && this.page.voice()) tone("beep");
    }
    if (event?.kind === "ended") {
      Object.assign(line, { over: true, heard: null, asked: null, state: `Over: ${event.how}`, ended: Date.now() });
      if (line === this.line) hush();
    }
    if (item.item === "asked") Object.assign(line, { asked: item.question, askedAt: Date.now(), heard: null });
    if (item.item === "answered") Object.assign(line, { asked: null, heard: null });
  }

  /** Reads aloud what is said on the phone; what is said on another line is over when it is over. */
  read(line, item, event) {
    if (line.fast || !this.reads()) return;
    const spoken = () => this.do({ do: "spoken", seq: item.seq }, line);
    const attributes = Object.fromEntries(event.attributes);
    line.language = attributes.language ?? line.language;
    if (line === this.line) speak(event.text, attributes.language, spoken);
    else setTimeout(spoken, event.lasts_ms);
  }

  /** One line of the transcript. */
  show(item) {
    const line = bubble(item);
    if (!line) return;
    const log = $("transcript");
    log.append(line);
    log.scrollTop = log.scrollHeight;
  }

  draw() {
    const { line } = this;
    const talks = this.talks();
    const call = $("call");
    call.classList.toggle("hang-up", talks);
    call.querySelector("span").textContent = talks ? "Hang up" : "Call";
    call.title = talks ? "Hang up (Esc)" : "Call (c)";
    $("skip").disabled = !(talks && line.heard);
    $("silence").disabled = !(talks && line.asked);
    $("lamp").className = `lamp ${talks ? (line.heard ? "hears" : "on") : ""}`;
    $("state").textContent = line ? (talks ? (line.state ?? "Ringing…") : line.state ?? "Over") : "Ready";
    this.drawStays();
    this.drawAsk(talks ? line.asked : null);
    this.tick();
  }

  drawStays() {
    const { line } = this;
    const current = line && this.page.revision(line.handler);
    const older = this.talks() && line.revision && current && Number(line.revision) < current;
    const text = older ? `Revision ${current} takes new calls; this call stays on ${line.revision}.` : "";
    if ($("stays").textContent !== text) $("stays").textContent = text;
  }

  /** What the carrier waits for, with what one can choose. */
  drawAsk(question) {
    const box = $("ask");
    if (this.shownAsk === question) return;
    this.shownAsk = question;
    const hadFocus = box.contains(document.activeElement);
    box.hidden = !question;
    $("ask-choices").replaceChildren();
    if (!question) {
      if (hadFocus) $("call").focus();
      return;
    }
    const { text, seconds, choices } = asks(question);
    $("ask-text").textContent = text;
    $("ask-choices").append(...choices.map((choice) => this.choice(choice)));
    const drain = $("drain");
    drain.style.animation = "none";
    if (seconds) {
      drain.getBoundingClientRect(); // Begins the animation anew.
      drain.style.animation = `drain ${seconds}s linear forwards`;
    }
  }

  choice({ word, input, field }) {
    if (field) {
      const number = el("input", { type: "number", id: "seconds", min: 0, max: 14400, value: 20 });
      const until = el("select", { id: "until", "aria-label": "Who hangs up" },
        el("option", { value: "called" }, "they hang up"),
        el("option", { value: "caller" }, "you hang up"),
        el("option", { value: "star" }, "you press *"));
      return el("div", { class: "talk" }, el("label", {}, "After ", number, " s "), until);
    }
    return el("button", { type: "button", class: "choice", click: () => {
      const with_ = input.do === "decide" && ["answered", "machine"].includes(input.becomes) && $("seconds")
        ? { ...input, seconds: Math.max(0, Math.floor(Number($("seconds").value) || 0)), until: $("until").value }
        : input;
      this.do(with_);
    } }, word);
  }

  tick() {
    const { line } = this;
    let clock = "";
    if (line?.answered) clock = minutes(((line.over ? line.ended : Date.now()) - line.answered) / 1000);
    if (this.talks() && line.asked?.ask === "record") clock = `● ${minutes((Date.now() - line.askedAt) / 1000)}`;
    if ($("clock").textContent !== clock) $("clock").textContent = clock;
  }
}

const decide = (word, becomes) => ({ word, input: { do: "decide", becomes } });

/** A question in words, how long it waits, and what may be chosen. */
function asks(question) {
  switch (question.ask) {
    case "gather": {
      const keys = question.num_digits === 1 ? "Press a key"
        : question.num_digits ? `Press ${question.num_digits} keys` : "Press keys";
      const what = question.dtmf && question.speech ? `${keys}, or say something`
        : question.speech ? "Say something" : keys;
      const finish = question.dtmf && question.num_digits !== 1 && question.finish_on_key ? `; ${question.finish_on_key} ends it` : "";
      const hints = question.speech && question.hints ? question.hints.split(",").map((hint) => hint.trim()).filter(Boolean) : [];
      return { text: `${what}${finish}`, seconds: question.timeout_s,
        choices: hints.slice(0, 6).map((hint) => ({ word: `“${hint}”`, input: { do: "say", text: hint } })) };
    }
    case "record": {
      const key = question.finish_on_key;
      const stop = key ? { word: `Stop with ${key[0]}`, input: { do: "press", key: key.at(-1) === "#" ? "#" : key[0] } }
        : { word: "Stop", input: { do: "silence" } };
      if (key) stop.word = `Stop with ${stop.input.key}`;
      return { text: "Recording. Type what you say for the transcription.", seconds: question.max_length_s,
        choices: [stop, { word: "Stop in silence", input: { do: "silence" } }] };
    }
    case "dial":
      return { text: question.noun === "Conference" ? `Conference ${question.to}: does somebody come?` : `${question.to} rings. What becomes of it?`,
        seconds: question.timeout_s ? question.timeout_s + 5 : 0,
        choices: [decide("Answered", "answered"), decide("A machine", "machine"), decide("Busy", "busy"),
          decide("No answer", "no-answer"), decide("Failed", "failed"), { field: true }] };
    case "queue":
      return { text: `In queue ${question.name} for ${question.waited_s} s.`, seconds: 8,
        choices: [decide("Somebody answers", "answered"), { word: "Wait on", input: { do: "silence" } }, decide("Queue is full", "queue-full"), { field: true }] };
    case "refer":
      return { text: `Transferred to ${question.to}.`, seconds: 0,
        choices: [decide("Answered", "answered"), decide("Busy", "busy"), decide("No answer", "no-answer"), decide("Failed", "failed")] };
    default:
      return SOUNDS.includes(question.verb)
        ? { text: `${question.verb} goes on until you hang up.`, seconds: 0, choices: [] }
        : { text: `${question.verb} goes on.`, seconds: 0, choices: [decide("It ends", "answered"), { field: true }] };
  }
}

const VERBS = {
  Play: "♪ plays", Pause: "silence", Dial: "dials", Record: "the tone: recording", Enqueue: "puts you into queue",
  Reject: "rejects the call", Hangup: "hangs up", Connect: "connects", Start: "starts", Sms: "sends a message:",
  Refer: "transfers to", Leave: "takes you out of the queue", Echo: "echoes what you say", Pay: "takes a payment:",
};

/** An item as a line of the transcript; most are none. */
function bubble(item) {
  if (item.item === "remark") return el("li", { class: "remark" }, item.text);
  if (item.item === "answered") return isOwn(item.act) ? mine(item.act) : null;
  if (item.item !== "event") return null;
  const { event } = item;
  if (event.kind === "heard") {
    if (["Gather", "Redirect", "Prompt"].includes(event.verb)) return null;
    const called = event.leg === "called" ? " called" : "";
    if (event.verb === "Say") {
      return event.text ? el("li", { class: `theirs${called}` }, el("span", { class: "hidden" }, called ? "The called party hears: " : "You hear: "), event.text) : null;
    }
    const said = `${VERBS[event.verb] ?? event.verb.toLowerCase()} ${event.text}`.trim();
    return el("li", { class: "happens" }, said);
  }
  if (event.kind === "did" && event.leg === "called") return el("li", { class: "happens" }, event.text);
  if (event.kind === "message") return el("li", { class: "happens" }, `message to ${event.to}: ${event.body}`);
  if (event.kind === "webhook" && event.error) return el("li", { class: "wrong" }, `${event.error}: the handler failed, and this is its fallback`);
  if (event.kind === "ended") return el("li", { class: "happens" }, event.how);
  return null;
}

/** Whether the caller did it, and not whoever was dialled. */
export const isOwn = (act) => /^(pressed|said|spoke|hung up)/.test(act);

const mine = (act) => el("li", { class: "mine" }, el("span", { class: "hidden" }, "You "), act);
