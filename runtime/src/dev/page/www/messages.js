// Conversations by text message.

import { $, el, post, toast } from "./dom.js";

export class Messages {
  constructor(page) {
    this.page = page;
    this.thread = null;
    $("write-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    $("write").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.send();
      }
    });
  }

  async send() {
    const body = $("write").value.trim();
    const attach = $("attach").value;
    if (!body && !attach) return $("write").focus();
    const { handler, from, to, faults } = this.page.call();
    if (!handler) return toast("There is no handler to write to yet.");
    // Other numbers, another handler or other faults make another conversation.
    const key = JSON.stringify([handler, from, to, faults]);
    const conversation = this.thread?.key === key ? this.thread.id : undefined;
    const request = { page: this.page.id(), handler, from, to, body, faults, delivery: $("delivery").value, media: attach ? [attach] : [] };
    if (conversation) request.conversation = conversation;
    $("write").value = "";
    $("attach").value = "";
    try {
      const begun = await post("api/messages", request);
      if (!conversation) this.page.began(begun.conversation, { kind: "messages", handler, from, to, key });
    } catch (error) {
      $("write").value ||= body;
      toast(error.message);
    }
    $("write").focus();
  }

  select(thread) {
    this.thread = thread;
    $("thread").replaceChildren();
    for (const item of thread?.items ?? []) this.show(item);
    $("sms-state").textContent = thread ? `${thread.from} writes` : "No message yet";
  }

  item(thread, item) {
    if (thread === this.thread) this.show(item);
  }

  show(item) {
    if (item.item !== "event") return;
    const { event } = item;
    const log = $("thread");
    let line = null;
    if (event.kind === "did") {
      const [, text, , media] = /^wrote “([\s\S]*)”( with (\d+) media)?$/.exec(event.text) ?? [null, event.text];
      line = el("li", { class: "mine" }, el("span", { class: "hidden" }, "You write: "), text, media && el("span", { class: "media" }, `📎 ${media}`));
    } else if (event.kind === "message") {
      line = el("li", { class: event.by_carrier ? "theirs carrier" : "theirs" },
        el("span", { class: "hidden" }, event.by_carrier ? "The carrier: " : "They write: "), event.body,
        ...event.media.map((link) => el("span", { class: "media" }, `📎 ${link}`)),
        el("small", { class: "receipt" }, event.by_carrier ? "by the carrier itself" : ""));
    } else if (event.kind === "webhook" && /^message: /.test(event.purpose)) {
      const receipt = [...log.querySelectorAll(".theirs:not(.carrier) .receipt")].at(-1);
      if (receipt) receipt.textContent = event.purpose.replace("message: ", "");
    } else if (event.kind === "webhook" && event.error) {
      line = el("li", { class: "wrong" }, `${event.error}: the handler failed, and this is its fallback`);
    } else if (event.kind === "note") {
      line = el("li", { class: "remark" }, event.text);
    }
    if (line) {
      log.append(line);
      log.scrollTop = log.scrollHeight;
    }
  }
}
