// What a page does beyond being read: it shows times in the reader's zone, and asks for itself anew when something
// changed. Without it every page can be read and used all the same.
"use strict";

const live = document.getElementById("live");
const SILENCE = 25_000; // two messages missed: the server speaks every 10 s
let heard = 0;

function showTimes(within) {
  const sameDay = new Date().toDateString();
  for (const element of within.querySelectorAll("time[datetime]")) {
    const at = new Date(element.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const day = at.toDateString() === sameDay ? "" : at.toLocaleDateString(undefined, { dateStyle: "medium" }) + " ";
    const text = day + at.toLocaleTimeString(undefined, { timeStyle: "medium" });
    if (element.textContent !== text) element.textContent = text;
  }
}

function standing(state, text) {
  if (live.dataset.live === state) return;
  live.dataset.live = state;
  live.textContent = text;
}

// Typing is not disturbed, and an opened list stays open: the page waits until the reader has finished.
function isBusy(main) {
  return main.contains(document.activeElement) && document.activeElement.matches("input, select, textarea");
}

async function refresh() {
  const main = document.querySelector("main[data-follows]");
  if (!main || document.hidden || isBusy(main)) return;
  await htmx.ajax("GET", location.pathname + location.search.replace(/[?&]said=[^&]*/, ""), {
    source: main, target: main, select: "#main", swap: "outerMorph",
  });
  showTimes(document);
  document.dispatchEvent(new CustomEvent("mailward:refreshed"));
}

function follow() {
  const events = new EventSource("/live");
  const hear = () => { heard = Date.now(); standing("on", "live"); };
  events.addEventListener("connected", () => { if (heard) refresh(); hear(); });
  events.addEventListener("unchanged", hear);
  events.addEventListener("changed", () => { hear(); refresh(); });
  events.onerror = () => standing("off", "connection lost; this page may be old");
  setInterval(() => {
    if (heard && Date.now() - heard > SILENCE) standing("off", "connection lost; this page may be old");
  }, 5_000);
  document.addEventListener("visibilitychange", refresh);
  window.addEventListener("pagehide", () => events.close());
}

showTimes(document);
follow();
