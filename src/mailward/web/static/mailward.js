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
  if (live.textContent === text) return; // a screen reader would say it again
  live.dataset.live = state;
  live.textContent = text;
}

// Typing is not disturbed, and an opened list stays open: the page waits until the reader has finished.
function isBusy(main) {
  return main.contains(document.activeElement) && document.activeElement.matches("input, select, textarea");
}

// Only a page that came as it should replaces this one: a refusal or a login page would leave nothing to follow.
async function refresh() {
  const [page, main] = [document.getElementById("page"), document.querySelector("main[data-follows]")];
  if (!main || document.hidden) return;
  if (isBusy(main)) return standing("on", "waits while you type");
  const address = new URL(location.href);
  address.searchParams.delete("said");
  let answer;
  try {
    // The mark tells that nobody asked: a page that is left open keeps no session alive.
    answer = await fetch(address, { headers: { Accept: "text/html", "HX-Request": "true" } });
  } catch {
    return lost();
  }
  if (answer.redirected) return location.reload(); // the session is over: the page to log in is the whole page
  if (!answer.ok) return lost();
  await htmx.swap({ text: await answer.text(), target: page, select: "#page", swap: "outerMorph", sourceElement: page });
  showTimes(document);
  document.dispatchEvent(new CustomEvent("mailward:refreshed"));
}

function lost() {
  standing("off", "connection lost; this page may be old");
}

// A hidden page lets go of its stream: a browser has six connections to a server, and pages stay open for days.
let events = null;

function follow() {
  if (events || document.hidden) return;
  events = new EventSource("/live");
  const hear = () => { heard = Date.now(); standing("on", "live"); };
  events.addEventListener("connected", () => { if (heard) refresh(); hear(); });
  events.addEventListener("unchanged", hear);
  events.addEventListener("changed", () => { hear(); refresh(); });
  events.onerror = lost;
}

function letGo() {
  events?.close();
  events = null;
}

setInterval(() => {
  if (events && heard && Date.now() - heard > SILENCE) lost();
}, 5_000);
document.addEventListener("focusout", (left) => {
  if (left.target.matches("input, select, textarea")) setTimeout(refresh);
});
document.addEventListener("visibilitychange", () => (document.hidden ? letGo() : follow()));
window.addEventListener("pagehide", letGo);
window.addEventListener("pageshow", follow);

showTimes(document);
// Before anything is painted: a page that has just asked for itself anew shows no time in UTC for a moment.
new MutationObserver(() => showTimes(document)).observe(document.body, { childList: true, characterData: true, subtree: true });
follow();
