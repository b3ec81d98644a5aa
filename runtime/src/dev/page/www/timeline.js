// What happened, step by step: webhooks with all that belongs to them, and what was heard and done between them.

import { $, copy, el, toast } from "./dom.js";
import { isOwn } from "./phone.js";

export class Timeline {
  constructor(page) {
    this.page = page;
    this.shown = null;
  }

  select(conversation) {
    this.shown = conversation;
    $("steps").replaceChildren(...(conversation?.items ?? []).map((item) => this.step(item)).filter(Boolean));
    $("empty").hidden = Boolean(conversation);
    $("save").disabled = !conversation;
  }

  item(conversation, item) {
    if (conversation !== this.shown) return;
    const step = this.step(item);
    if (!step) return;
    const steps = $("steps");
    // Goes along as long as one looks at the end. On a small screen the whole page scrolls, and stays with the phone.
    const box = $("timeline");
    const atEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - 60;
    steps.append(step);
    if (atEnd) box.scrollTop = box.scrollHeight;
  }

  step(item) {
    if (item.item === "remark") return row(item, "remark", "", item.text);
    if (item.item === "live") return row(item, "remark", "", "from here on it is your turn");
    if (item.item === "answered") return row(item, "act", isOwn(item.act) || item.act === "did nothing" ? "you" : "they", item.act);
    if (item.item !== "event") return null;
    const { event } = item;
    switch (event.kind) {
      case "webhook": return this.webhook(item, event, item.webhook);
      case "heard": {
        // What it waits for stands in the document above.
        if (event.verb === "Gather") return null;
        const where = event.leg === "called" ? "called party" : "";
        return row(item, "heard", event.verb, event.text || attributes(event), where);
      }
      case "did": return event.leg === "called" || !this.page.isCall(this.shown) ? row(item, "act", event.leg === "called" ? "they" : "you", event.text) : null;
      case "note": return row(item, "note", event.code ? String(event.code) : "carrier", event.text);
      case "message": return row(item, "heard", event.by_carrier ? "carrier" : "message", `${event.from} → ${event.to}: ${event.body}`);
      case "ended": return row(item, "end", "end", `${event.how} (${event.status})`);
      default: return null;
    }
  }

  webhook(item, event, seen) {
    const failed = event.error || event.failure || (event.status ?? 599) >= 400;
    const url = new URL(event.url);
    const path = url.pathname.split("/").slice(3).join("/") || url.pathname;
    const head = el("div", { class: "webhook-head" },
      el("h3", {}, el("span", { class: "method" }, event.method), " ", el("span", { class: "path", title: event.url }, path)),
      el("span", { class: "purpose" }, event.purpose),
      el("span", { class: `status ${failed ? "bad" : "good"}` }, event.status ? String(event.status) : "no answer"),
      event.error && el("span", { class: "status bad" }, event.error),
      event.revision && el("span", { class: "pill" }, `revision ${event.revision}`),
      el("time", { title: "since the call began" }, `${(item.wall_ms / 1000).toFixed(1)} s`));
    const body = el("div", { class: "webhook-body" });
    if (event.failure) body.append(el("p", { class: "failure" }, event.failure));
    if (seen?.document.length) body.append(documentLines(seen.document));
    else if (event.body) body.append(el("pre", { class: "plain-body", tabindex: 0, "aria-label": "Answer" }, event.body));
    if (seen?.log.length) {
      body.append(el("ul", { class: "log", "aria-label": "Log" }, ...seen.log.map((line) =>
        el("li", { class: line.level }, el("span", {}, line.source === "handler" ? line.level : `${line.source} ${line.level}`), line.text))));
    }
    if (seen) body.append(meters(event, seen));
    body.append(el("details", { class: "params" },
      el("summary", {}, `${event.params.length} parameters`),
      el("table", {}, el("tbody", {}, ...event.params.map(([name, value]) =>
        el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, value)))))));
    const actions = el("div", { class: "actions" });
    if (event.steers && this.page.isCall(this.shown)) {
      const id = this.shown.id;
      actions.append(el("button", { type: "button", class: "plain", title: "Calls again, does the same until here, and is your turn from here on",
        click: () => this.page.again({ conversation: id, before: item.seq }) }, "Press again from here"));
    }
    actions.append(el("button", { type: "button", class: "plain", click: () => this.curl(item) }, "Copy as curl"));
    return el("li", { class: `webhook ${event.steers ? "" : "callback"} ${failed ? "failed" : ""}`, "data-seq": item.seq, "data-conversation": item.conversation }, head, body, actions);
  }

  async curl(item) {
    const answer = await fetch(`api/conversations/${item.conversation}/curl/${item.seq}`);
    const text = await answer.text();
    if (answer.ok) copy("The command", text);
    else toast(JSON.parse(text).error);
  }
}

function row(item, kind, label, text, where) {
  return el("li", { class: `row-step ${kind}` },
    el("span", { class: "label" }, label),
    el("span", { class: "text" }, text, where && el("span", { class: "pill" }, where)),
    el("time", {}, `${(item.wall_ms / 1000).toFixed(1)} s`));
}

const attributes = (event) => event.attributes.map(([name, value]) => `${name}=${value}`).join("  ");

/** A document with its tags coloured and its problems beneath the lines that they are about. */
function documentLines(lines) {
  const code = el("ol", { class: "twiml", "aria-label": "Document", tabindex: 0 });
  for (const line of lines) {
    const text = el("code", { class: line.text.startsWith("<?") ? "declaration" : undefined }, ...coloured(line.text));
    text.style.paddingInlineStart = `${line.indent * 1.25}rem`;
    code.append(el("li", { class: line.problems?.length ? "has-problem" : undefined }, text,
      ...(line.problems ?? []).map((problem) => el("p", { class: `document-problem ${problem.severity}` },
        el("b", {}, problem.code ? `${problem.severity} ${problem.code}` : problem.severity), " ", problem.message))));
  }
  return code;
}

/** Tags, attribute names and values of one line as spans. */
function coloured(text) {
  const parts = [];
  const tags = /<[!?/]?[^\s<>/]*|\/?>|\?>|([\w:.-]+)(=)("[^"]*"|'[^']*')/g;
  let at = 0;
  let inTag = false;
  for (const match of text.matchAll(tags)) {
    if (match[1] && !inTag) continue;
    if (match.index > at) parts.push(text.slice(at, match.index));
    if (match[1]) {
      parts.push(el("span", { class: "name" }, match[1]), "=", el("span", { class: "value" }, match[3]));
    } else {
      inTag = match[0].startsWith("<");
      parts.push(el("span", { class: "tag" }, match[0]));
    }
    at = match.index + match[0].length;
  }
  if (at < text.length) parts.push(text.slice(at));
  return parts;
}

/** What the run took, against what it might take. */
function meters(event, seen) {
  const box = el("div", { class: "meters" });
  const run = seen.runs.at(-1);
  const meter = (name, used, most, unit, shown) => {
    // Less than one can see is nothing.
    const share = most && used / most > 0.01 ? Math.min(1, used / most) : 0;
    const bar = el("meter", { min: 0, max: 1, value: share.toFixed(4), high: 0.8, optimum: 0, "aria-label": `${name}: ${shown}${most ? ` of ${most} ${unit}` : ""}` });
    return el("div", { class: "meter" }, el("span", {}, name), bar, el("span", { class: "figure" }, shown, most ? el("small", {}, ` of ${most} ${unit}`) : ""));
  };
  if (run) {
    const { limits } = seen;
    box.append(meter("time", run.wall_us / 1000, limits?.deadline_ms, "ms", milliseconds(run.wall_us)));
    box.append(meter("CPU", run.cpu_us / 1000, limits?.cpu_ms, "ms", run.cpu_us < 1000 ? "under 1 ms" : milliseconds(run.cpu_us)));
    box.append(meter("memory", run.memory_kib / 1024, limits?.memory_mib, "MiB", run.memory_kib < 1024 ? `${run.memory_kib} KiB` : `${(run.memory_kib / 1024).toFixed(1)} MiB`));
    if (seen.runs.length > 1) box.append(el("p", { class: "quiet" }, `delivered ${seen.runs.length} times; the second was ${run.outcome}`));
  } else if (event.took_us) {
    box.append(meter("time", event.took_us / 1000, 0, "", milliseconds(event.took_us)));
  }
  return box;
}

const milliseconds = (us) => (us < 100000 ? `${(us / 1000).toFixed(1)} ms` : `${Math.round(us / 1000)} ms`);
