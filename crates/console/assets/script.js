// What the pages can do without, but is better to have: local times, keys, and a refresh that can be paused.
"use strict";
(() => {
  const main = document.querySelector("main");
  const all = (selector) => Array.from(main.querySelectorAll(selector));

  // Times: in the reader's zone, with UTC on hover.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const day = { day: "numeric", month: "short" };
  const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const shapes = {
    day, clock: { ...clock, second: "2-digit" }, short: { ...day, ...clock },
    full: { year: "numeric", ...day, ...clock, second: "2-digit" },
  };
  const format = {};
  for (const [name, shape] of Object.entries(shapes)) format[name] = new Intl.DateTimeFormat("en-GB", shape);
  function times(root) {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      if (Number.isNaN(at.valueOf())) continue;
      const utc = time.dateTime.replace("T", " ").replace(/(\.\d+)?Z$/, " UTC");
      const shape = format[time.dataset.as];
      if (shape) time.textContent = shape.format(at);
      time.title = shape ? `${utc}; shown in ${zone}` : `${format.full.format(at)} ${zone}; ${utc}`;
    }
  }

  const picked = ".pick input[name]";

  // Selection: the count, and the box that selects the page.
  function selection() {
    const boxes = all(picked);
    const chosen = boxes.filter((box) => box.checked).length;
    for (const output of all("[data-chosen]")) output.textContent = chosen ? `${chosen} selected` : "";
    const page = main.querySelector("[data-page]");
    if (page) {
      page.hidden = false;
      page.checked = chosen > 0 && chosen === boxes.length;
      page.indeterminate = chosen > 0 && chosen < boxes.length;
    }
  }
  main.addEventListener("change", (event) => {
    if (event.target.matches("[data-page]")) for (const box of all(picked)) box.checked = event.target.checked;
    selection();
  });

  // Keys.
  const help = document.getElementById("keys");
  const opener = document.querySelector("[data-keys]");
  if (opener) {
    opener.hidden = false;
    opener.addEventListener("click", () => help.showModal());
  }
  function row(step) {
    const links = all("[data-row]");
    const at = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
    const next = links[Math.min(links.length - 1, Math.max(0, at + step))];
    if (next) { next.focus(); next.scrollIntoView({ block: "nearest" }); }
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (event.target.closest && event.target.closest("input[type=search], input[type=text], select, textarea")) return;
    const keys = {
      "/": () => { const field = document.querySelector("input[type=search]"); if (field) { field.focus(); field.select(); } },
      "j": () => row(1),
      "k": () => row(-1),
      "x": () => {
        const line = document.activeElement && document.activeElement.closest("tr");
        const box = line && line.querySelector(picked);
        if (box) { box.checked = !box.checked; selection(); }
      },
      "?": () => help.showModal(),
    };
    if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
  });

  // Refresh: the content of the page again, unless the reader is in the middle of something. The server says when something
  // changed; without its stream the page asks by itself, and with it once a minute, because ages grow.
  const button = document.querySelector("[data-live]");
  const seconds = button ? Number(button.dataset.live) : 0;
  let paused = false;
  try { paused = sessionStorage.getItem("paused") === "yes"; } catch { /* no storage: not paused */ }
  function label() { button.textContent = paused ? "Resume" : "Pause"; button.title = paused ? "Refresh this page again" : "Refreshed when something changes"; }
  function isBusy() {
    const active = document.activeElement;
    return help.open || document.hidden || (active && active.matches("main input, main select"))
      || all(picked).some((box) => box.checked) || String(getSelection());
  }
  // One stream of the page, while it is seen and not paused.
  let stream = null;
  let refreshed = Date.now();
  function listen() {
    const isWanted = !paused && !document.hidden && "EventSource" in window;
    if (!isWanted && stream) { stream.close(); stream = null; }
    if (isWanted && !stream) {
      stream = new EventSource("/events");
      stream.addEventListener("changed", refresh);
      // After a refusal it does not connect again by itself: the page asks instead.
      stream.addEventListener("error", () => { if (stream && stream.readyState === EventSource.CLOSED) stream = null; });
    }
  }
  async function refresh() {
    if (paused || isBusy()) return;
    refreshed = Date.now();
    try {
      const answer = await fetch(location.href, { headers: { "X-Fragment": "main" }, cache: "no-store" });
      if (!answer.ok || isBusy()) return;
      const focused = document.activeElement && document.activeElement.getAttribute("href");
      main.innerHTML = await answer.text();
      dress();
      const asof = main.querySelector("[data-asof]");
      const shown = document.querySelector(".asof time");
      if (asof && shown) shown.replaceWith(asof.firstElementChild);
      if (focused) { const link = all("a[href]").find((a) => a.getAttribute("href") === focused); if (link) link.focus({ preventScroll: true }); }
    } catch { /* the process is away: what is shown has its own time */ }
  }
  if (button) {
    button.hidden = false;
    label();
    button.addEventListener("click", () => {
      paused = !paused;
      try { sessionStorage.setItem("paused", paused ? "yes" : "no"); } catch { /* it is paused for this page */ }
      label();
      listen();
      refresh();
    });
    listen();
    setInterval(() => {
      const isTold = stream && stream.readyState === EventSource.OPEN && "streamed" in button.dataset;
      if (!isTold || Date.now() - refreshed > 60000) refresh();
    }, seconds * 1000);
    document.addEventListener("visibilitychange", listen);
  }

  function dress() { times(document); selection(); }
  dress();
})();
