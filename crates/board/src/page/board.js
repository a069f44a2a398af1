// Fetches the live part of the page every second and replaces the sections that changed. Whatever fails is shown.
"use strict";

const PERIOD_MS = 1000;
const PATIENCE_MS = 5000;
const LOST_AFTER = 3;

let failures = 0;

function replace(board, fresh) {
  if (fresh.dataset.edition !== board.dataset.edition) {
    location.reload();
    return;
  }
  document.title = fresh.dataset.title;
  for (const part of [...fresh.children]) {
    const old = document.getElementById(part.id);
    if (old.outerHTML !== part.outerHTML) {
      // Whoever is about to press a button shall not lose it.
      const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
      old.replaceWith(document.adoptNode(part));
      if (focused) {
        document.getElementById(focused)?.focus({ preventScroll: true });
      }
    }
  }
}

async function update() {
  try {
    const answer = await fetch("/live" + location.search, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    if (answer.status === 401) {
      location.reload();
      return;
    }
    if (!answer.ok) {
      throw new Error(`status ${answer.status}`);
    }
    const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
    replace(document.getElementById("board"), parsed.getElementById("board"));
    failures = 0;
  } catch (error) {
    failures += 1;
    console.warn("slawatch cannot be reached:", error);
  }
  const lost = failures >= LOST_AFTER;
  document.getElementById("lost").hidden = !lost;
  document.body.classList.toggle("lost", lost);
  document.body.dataset.updates = String(Number(document.body.dataset.updates || 0) + 1);
  setTimeout(update, PERIOD_MS);
}

update();
