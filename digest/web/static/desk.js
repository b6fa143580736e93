// Comfort only: every page works without it.
import { initAll } from "./vendor/nhsuk-frontend.min.js";

document.body.classList.add("js-enabled", "nhsuk-frontend-supported");
initAll();

// Forms that say so swap what is in <main> (htmx) instead of loading a page. What was done is said in a live region that
// stays, the focus stays at what was changed, and an answer that is not the page's own takes nothing away that was typed.
const said = document.getElementById("said");

const state = () => document.querySelector("main [role=status]")?.textContent; // how far an edition is
let watched = state();

function say(words) {
  if (said) said.textContent = words;
}

for (const next of ["input", "click"]) document.addEventListener(next, () => say(""));

document.addEventListener("htmx:before:swap", (event) => {
  const { ctx, tasks } = event.detail;
  const fragment = tasks[0].fragment;
  const refusal = fragment.querySelector("#refusal");
  if (new URL(ctx.response.raw.url).pathname === "/sign-in") {
    say("You are signed out. Sign in in another tab, then try again here.");
  } else if (refusal || !fragment.firstElementChild) {
    say(refusal?.textContent ?? "Nothing was changed. Try again in a few minutes.");
  } else {
    return;
  }
  event.preventDefault();
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const main = ctx.target;
  // Something that is watched, such as deliveries: nobody asked for it just now.
  if (main.id !== "maincontent") return;
  if (ctx.swap.startsWith("innerMorph")) {
    if (state() !== watched) say(""); // what was said before is over
    watched = state();
    return;
  }
  watched = state();
  const done = main.querySelector(".desk-done, .nhsuk-notification-banner__heading");
  if (done) {
    say(done.textContent.trim());
    (done.closest(".nhsuk-notification-banner") ?? done).remove();
  }
  initAll({ scope: main }); // an error summary takes the focus here
  const changed = document.getElementById(new URL(ctx.response.raw.url).searchParams.get("at")) ?? main;
  if (!changed.contains(document.activeElement)) {
    changed.tabIndex = -1;
    changed.focus({ preventScroll: true });
  }
  document.activeElement.scrollIntoView({ block: "nearest" });
});

document.addEventListener("htmx:error", () => say("The service could not be reached, so nothing was changed. Try again."));
