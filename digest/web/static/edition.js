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
