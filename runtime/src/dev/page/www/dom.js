// Small helpers. Text reaches the document as text only: nothing here, or anywhere on the page, makes HTML of it.

export const $ = (id) => document.getElementById(id);

/** An element with attributes (functions are listeners, `class` is its class) and children (strings become text). */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Sends JSON; what is refused becomes an error with the server's words. */
export async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  const parsed = text ? JSON.parse(text) : {};
  if (!answer.ok) throw new Error(parsed.error || `HTTP ${answer.status}`);
  return parsed;
}

let toastTimer;
/** Says something for a moment. */
export function toast(text) {
  const place = $("toast");
  place.textContent = text;
  place.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { place.hidden = true; }, 5000);
}

/** Shows a longer text, selected, for whoever wants to take it along. */
export function showText(title, text) {
  $("text-title").textContent = title;
  $("text-body").value = text;
  $("text-dialog").showModal();
  $("text-body").select();
}

/** Copies; where the browser does not let us, shows it instead. */
export async function copy(title, text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${title} is in the clipboard.`);
  } catch {
    showText(title, text);
  }
}

/** What is remembered of the page in this browser. */
export const remembered = {
  get(name, otherwise) {
    try { return localStorage.getItem(`hookswitch.${name}`) ?? otherwise; } catch { return otherwise; }
  },
  set(name, value) {
    try { localStorage.setItem(`hookswitch.${name}`, value); } catch { /* It works without. */ }
  },
};

/** 75 → 1:15 */
export const minutes = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
