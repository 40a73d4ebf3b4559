// Renews the part of the page that changes. Without it the page says the same and loads itself anew.
// What is kept across a renewal: the focus, opened details, how far something was scrolled, and what is selected for copying.
"use strict";

(() => {
  const live = document.getElementById("live");
  const tools = document.getElementById("live-tools");
  const announcer = document.getElementById("announcer");
  if (!live || !tools) return;

  const SECONDS = Number(live.dataset.every);
  const SLOWEST = 60;
  let version = null, paused = false, failures = 0, timer = 0;

  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Pause updates";
  button.setAttribute("aria-pressed", "false");
  const state = document.createElement("span");
  state.className = "note";
  tools.append(state, button);

  const remembered = () => ({
    open: [...live.querySelectorAll("details[open]")].map(one => one.id),
    focus: path(document.activeElement),
    scrolled: [...live.querySelectorAll(".scroll")].map(one => [one.getAttribute("aria-label"), one.scrollLeft]),
  });

  // Where an element is: its place among those of its kind, as nothing else of a row is sure to have an id.
  function path(element) {
    if (!element || !live.contains(element)) return null;
    const kind = element.tagName.toLowerCase();
    const key = element.getAttribute("href") || element.getAttribute("aria-label") || element.textContent;
    return { kind, key };
  }

  function restore(kept) {
    for (const id of kept.open) document.getElementById(id)?.setAttribute("open", "");
    for (const one of live.querySelectorAll(".scroll")) {
      const before = kept.scrolled.find(([label]) => label === one.getAttribute("aria-label"));
      if (before) one.scrollLeft = before[1];
    }
    if (!kept.focus) return;
    const alike = [...live.querySelectorAll(kept.focus.kind)].find(one => {
      const key = path(one);
      return key && key.key === kept.focus.key;
    });
    alike?.focus({ preventScroll: true });
  }

  function replace(html) {
    const headline = () => live.querySelector(".headline .badge")?.textContent;
    const kept = remembered(), before = headline();
    live.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
    restore(kept);
    if (headline() !== before) announcer.textContent = `Now ${headline()}`;
    tell();
  }

  // "3 min ago" beside every time, for eyes only: the time itself is what is read aloud.
  function tell() {
    for (const time of live.querySelectorAll("time")) {
      const seconds = Math.max(0, (Date.now() - Date.parse(time.dateTime)) / 1000);
      const [size, unit] = seconds < 90 ? [1, "s"] : seconds < 5400 ? [60, "min"] : seconds < 129600 ? [3600, "h"] : [86400, "d"];
      time.title = `${Math.round(seconds / size)} ${unit} ago`;
    }
  }

  async function renew() {
    const response = await fetch(live.dataset.from, {
      headers: version ? { "If-None-Match": version } : {}, cache: "no-store", signal: AbortSignal.timeout(10000), redirect: "error",
    });
    if (response.status === 401) return location.reload();
    if (response.status === 404) { state.textContent = "gone"; return; }
    if (response.status !== 304) {
      if (!response.ok) throw new Error(`status ${response.status}`);
      version = response.headers.get("ETag");
      const html = await response.text();
      if (String(getSelection()) === "") replace(html); else version = null;
    }
    state.textContent = "live";
  }

  async function turn() {
    clearTimeout(timer);
    if (paused || document.hidden) return;
    try {
      await renew();
      failures = 0;
    } catch {
      failures += 1;
      state.textContent = "no answer from the operator; trying again";
    }
    timer = setTimeout(turn, 1000 * Math.min(SLOWEST, SECONDS * 2 ** Math.min(failures, 5)));
  }

  button.addEventListener("click", () => {
    paused = !paused;
    button.setAttribute("aria-pressed", String(paused));
    state.textContent = paused ? "paused" : "live";
    if (!paused) turn();
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) turn(); });
  tell();
  state.textContent = "live";
  timer = setTimeout(turn, 1000 * SECONDS);
})();
