// Comfort on an edition's page: threads are dragged into order, and the preview follows what is written. Without this
// file there are buttons for both.

const order = () => document.getElementById("order");
let dragged = null;

function equip() {
  for (const place of order()?.querySelectorAll("li[data-place]:not([draggable])") ?? []) place.draggable = true;
}

const unmark = () => {
  for (const marked of document.querySelectorAll(".desk-point--before, .desk-point--after")) {
    marked.classList.remove("desk-point--before", "desk-point--after");
  }
};

function target(event) {
  const place = event.target.closest?.("li[data-place]");
  if (!dragged || !place || place === dragged) return null;
  const box = place.getBoundingClientRect();
  return { place, after: event.clientY > box.top + box.height / 2 };
}

document.addEventListener("dragstart", (event) => {
  const place = event.target.closest?.("li[data-place]");
  if (!place || event.target !== place) return;
  dragged = place;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", place.dataset.place);
});
document.addEventListener("dragend", () => { unmark(); dragged = null; });
document.addEventListener("dragover", (event) => {
  unmark();
  const to = target(event);
  if (!to) return;
  event.preventDefault();
  to.place.classList.add(to.after ? "desk-point--after" : "desk-point--before");
});
document.addEventListener("drop", (event) => {
  const to = target(event);
  if (!to) return;
  event.preventDefault();
  to.place[to.after ? "after" : "before"](dragged);
  order().requestSubmit();
});
document.addEventListener("keydown", (event) => {
  const place = event.target.closest?.("li[data-place]");
  if (!place || !event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
  event.preventDefault();
  document.getElementById(`${event.key === "ArrowUp" ? "up" : "down"}-${place.dataset.place}`)?.click();
});

document.addEventListener("htmx:after:swap", equip);
equip();

// --- the preview follows what is written -----------------------------------------------------------------------------

let shown = 0; // how often the mail was asked for

// The mail with the words of the form, saved or not. It comes into a frame of its own, which takes the place of the one
// that is looked at once it is there: nothing flickers, and no step is added to the browser's history.
function showMail() {
  const before = document.querySelector("#preview iframe:last-of-type");
  const own = document.getElementById("own");
  if (!before || !own) return;
  const fresh = before.cloneNode();
  const address = before.dataset.of ?? before.getAttribute("src");
  fresh.removeAttribute("src");
  fresh.dataset.of = address;
  fresh.name = `mail-${++shown}`;
  fresh.classList.add("desk-mail--coming");
  before.after(fresh);
  const { action, target } = own.attributes;
  const [asked, into] = [action?.value, target?.value];
  own.setAttribute("action", address);
  own.setAttribute("target", fresh.name);
  own.submit(); // no event, so nothing else takes the form for sent
  own.setAttribute("action", asked);
  if (into) own.setAttribute("target", into);
  else own.removeAttribute("target");
  const number = shown;
  fresh.addEventListener("load", () => {
    if (number !== shown) return fresh.remove(); // a later one is on its way
    for (const old of document.querySelectorAll("#preview iframe")) if (old !== fresh) old.remove();
    fresh.classList.remove("desk-mail--coming");
  });
}

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (["measure", "preview"].includes(ctx.target.id)) showMail();
});
