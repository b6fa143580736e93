// Comfort on a thread's page: words selected with the mouse or the keys become evidence, points are dragged or moved with
// Alt and an arrow, and what is written is saved as it goes. Everything here presses a button that the page has anyway.

const form = () => document.getElementById("edit");

function press(value) {
  const button = document.createElement("button");
  button.name = "do";
  button.value = value;
  button.hidden = true;
  form().append(button);
  form().requestSubmit(button);
  button.remove();
}

// --- words that were selected --------------------------------------------------------------------------------------

// A place on the page as a place in the message's text. The server counts characters, JavaScript counts UTF-16 units.
function place(node, offset, end) {
  const run = (node.nodeType === Node.TEXT_NODE ? node.parentElement : node).closest("[data-from]");
  if (!run) return null;
  if ("masked" in run.dataset) return Number(end ? run.dataset.to : run.dataset.from);
  const before = document.createRange();
  before.setStart(run, 0);
  before.setEnd(node, offset);
  return Number(run.dataset.from) + [...before.toString()].length;
}

function selected() {
  const selection = getSelection();
  if (!selection.rangeCount || selection.isCollapsed || !form()) return null;
  const range = selection.getRangeAt(0);
  const message = (range.startContainer.parentElement ?? range.startContainer).closest("[data-message]");
  if (!message) return null;
  // Where the selection ends outside of somebody's words, it ends with the last of them that it holds.
  const runs = [...message.querySelectorAll("[data-from]")].filter((run) => selection.containsNode(run, true));
  if (!runs.length) return null;
  const inside = (node) => runs.some((run) => run.contains(node));
  const start = inside(range.startContainer) ? place(range.startContainer, range.startOffset, false) : Number(runs[0].dataset.from);
  const end = inside(range.endContainer) ? place(range.endContainer, range.endOffset, true) : Number(runs.at(-1).dataset.to);
  return start < end ? { span: `${message.dataset.message}:${start}:${end}`, range } : null;
}

let bar = null;

function hide() {
  bar?.remove();
  bar = null;
}

function offer() {
  const found = selected();
  if (bar?.contains(document.activeElement)) return;
  hide();
  if (!found) return;
  bar = document.createElement("div");
  bar.className = "desk-selection";
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "What to do with the selected words");
  const button = (text, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "desk-button";
    made.textContent = text;
    made.addEventListener("mousedown", (event) => event.preventDefault()); // the words stay selected
    made.addEventListener("click", () => { hide(); act(); });
    bar.append(made);
  };
  button("Make a point", () => press(`quote ${found.span}`));
  const points = [...form().querySelectorAll("fieldset[data-point]")];
  if (points.length) {
    const choice = document.createElement("select");
    choice.className = "nhsuk-select";
    choice.setAttribute("aria-label", "Point");
    points.forEach((point, n) => {
      const words = point.querySelector("textarea").value;
      choice.add(new Option(`${n + 1}. ${words.length > 40 ? words.slice(0, 40) + "…" : words}`, point.dataset.point));
    });
    bar.append(choice);
    button("Supports it", () => press(`cite ${choice.value} ${found.span}`));
    button("Differs", () => press(`differ ${choice.value} ${found.span}`));
  }
  button("Is the question", () => press(`ask ${found.span}`));
  document.body.append(bar);
  const at = found.range.getBoundingClientRect();
  bar.style.top = `${scrollY + at.bottom + 8}px`;
  bar.style.left = `${Math.max(8, Math.min(scrollX + at.left, document.documentElement.clientWidth - bar.offsetWidth - 8))}px`;
}

let waiting = 0;
document.addEventListener("selectionchange", () => {
  clearTimeout(waiting);
  waiting = setTimeout(offer, 200);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && bar) hide();
  // From the selected words to what can be done with them: the bar stands at the end of the page.
  if (event.key === "Tab" && !event.shiftKey && bar && !bar.contains(document.activeElement)) {
    event.preventDefault();
    bar.querySelector("button").focus();
  }
});

// --- points: dragged, or moved with Alt and an arrow ---------------------------------------------------------------

let dragged = null;

function equip() {
  for (const point of form()?.querySelectorAll("fieldset[data-point]:not([data-equipped])") ?? []) {
    point.dataset.equipped = "";
    const handle = document.createElement("span");
    handle.className = "desk-handle";
    handle.textContent = "↕ Drag";
    handle.title = "Drag this point, or press Alt and an arrow key in it";
    handle.setAttribute("aria-hidden", "true"); // there are buttons for everybody who does not drag
    handle.draggable = true;
    handle.addEventListener("dragstart", (event) => {
      dragged = point;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", point.dataset.point);
      event.dataTransfer.setDragImage(point, 20, 20);
      point.classList.add("desk-point--dragged");
    });
    handle.addEventListener("dragend", () => {
      point.classList.remove("desk-point--dragged");
      unmark();
      dragged = null;
    });
    point.prepend(handle);
  }
}

const unmark = () => {
  for (const marked of document.querySelectorAll(".desk-point--before, .desk-point--after")) {
    marked.classList.remove("desk-point--before", "desk-point--after");
  }
};

function target(event) {
  const point = event.target.closest?.("fieldset[data-point]");
  if (!dragged || !point || point === dragged) return null;
  const box = point.getBoundingClientRect();
  return { point, after: event.clientY > box.top + box.height / 2 };
}

document.addEventListener("dragover", (event) => {
  unmark();
  const to = target(event);
  if (!to) return;
  event.preventDefault();
  to.point.classList.add(to.after ? "desk-point--after" : "desk-point--before");
});
document.addEventListener("drop", (event) => {
  const to = target(event);
  if (!to) return;
  event.preventDefault();
  to.point[to.after ? "after" : "before"](dragged); // the form sends its points in the order they stand in
  press("save");
});
document.addEventListener("keydown", (event) => {
  const point = event.target.closest?.("fieldset[data-point]");
  if (!point || !event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
  event.preventDefault();
  press(`${event.key === "ArrowUp" ? "up" : "down"} ${point.dataset.point}`);
});

// --- saved as it goes ----------------------------------------------------------------------------------------------

const PAUSE = 1500; // milliseconds without a key
let pending = 0;
let sending = null;

// What makes something new is only sent when a button is pressed: sent twice, it would be there twice.
const once = (name) => name.startsWith("quote.") || name.startsWith("side.") || name === "label.new";

function tell(words) {
  const said = document.getElementById("autosaved");
  if (said) said.textContent = words;
}

async function autosave() {
  const edited = form();
  if (!edited || sending) return;
  const data = new URLSearchParams();
  for (const [name, value] of new FormData(edited)) if (!once(name)) data.append(name, value);
  data.append("do", "autosave");
  sending = fetch(edited.action, { method: "POST", body: data, redirect: "manual" });
  try {
    const answer = await sending;
    if (answer.ok && answer.headers.has("X-Version")) {
      edited.elements.seen.value = answer.headers.get("X-Version");
      const time = new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
      tell(`Saved at ${time} while you wrote.`);
    } else if (answer.status === 409 || answer.status === 400) {
      tell(`Not saved yet. ${await answer.text()}`);
    } else {
      tell("Not saved yet: you are signed out, or the service cannot be reached. What you wrote stays here.");
    }
  } catch {
    tell("Not saved yet: the service cannot be reached. What you wrote stays here.");
  } finally {
    sending = null;
  }
}

function soon(event) {
  if (event.target.form !== form() || !form() || once(event.target.name)) return;
  clearTimeout(pending);
  pending = setTimeout(autosave, PAUSE);
}
document.addEventListener("input", soon);
document.addEventListener("change", soon);

// A button and what is saved as it goes must not race each other: the button waits for the version it starts from.
document.addEventListener("submit", (event) => {
  if (event.target !== form()) return;
  clearTimeout(pending);
  if (!sending) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const { submitter } = event;
  const again = () => setTimeout(() => (submitter?.isConnected ? form().requestSubmit(submitter) : press(submitter?.value ?? "save")));
  sending.then(again, again);
}, true);

document.addEventListener("htmx:after:swap", equip);
equip();
