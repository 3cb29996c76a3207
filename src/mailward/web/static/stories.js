// What the reader has opened or closed stays so when the page asks for itself anew.
"use strict";

const chosen = new Map(); // id of a <details> -> whether the reader wants it open

function keepOpen() {
  for (const [id, open] of chosen) {
    const details = document.getElementById(id);
    if (details && details.open !== open) details.open = open;
  }
}

document.addEventListener("click", (event) => {
  const summary = event.target.closest("summary");
  const details = summary && summary.parentElement;
  if (details && details.id) chosen.set(details.id, !details.open); // it is turned after this event
});
new MutationObserver(keepOpen).observe(document.body, { childList: true, subtree: true, attributeFilter: ["open"] });
