// The live view: rows are added as server-sent events tell them. Whatever comes is put in as text, never as HTML.
"use strict";
(() => {
  const MOST_ROWS = 200;
  const RETRY_AFTER = 15000;
  const $ = (id) => document.getElementById(id);
  const body = document.querySelector("#t-live").closest("table").tBodies[0];
  const status = $("live-status"), text = $("live-text"), action = $("live-action"), pause = $("live-pause");
  let isPaused = false, waiting = [], skipped = 0;

  // As on the server: what cannot be printed, and marks that change the direction of text, are shown.
  const visible = (value) => String(value ?? "").replace(
    /[\p{C}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/gu,
    (c) => "\\u" + c.codePointAt(0).toString(16).padStart(4, "0"),
  );
  const say = (words) => { if (status.textContent !== words) status.textContent = words; };

  function cell(kind, value, className) {
    const made = document.createElement(kind);
    const inner = className ? document.createElement("span") : made;
    if (className) { inner.className = className; made.append(inner); }
    inner.textContent = visible(value) || "–";
    return made;
  }

  const heads = [...body.closest("table").tHead.rows[0].cells].map((one) => one.textContent);

  function row(hit) {
    const made = document.createElement("tr");
    made.dataset.action = hit.action;
    const when = document.createElement("td"), time = document.createElement("time");
    time.dateTime = hit.last;
    time.textContent = hit.last.slice(0, 19).replace("T", " ");
    when.append(time);
    const done = document.createElement("td"), badge = $("badge-" + hit.action);
    done.append(badge ? badge.content.cloneNode(true) : visible(hit.action));
    const name = cell("th", hit.name, "name"), client = cell("td", hit.client, "name"), count = cell("td", hit.count);
    name.scope = "row";
    if (hit.group) {
      const group = document.createElement("span");
      group.className = "sub";
      group.textContent = visible(hit.group);
      client.append(group);
    }
    count.className = "n";
    client.classList.add("who");
    made.append(when, done, name, cell("td", hit.type), client, cell("td", hit.vendor), count);
    [...made.cells].forEach((one, place) => { if (one !== name) one.dataset.label = heads[place]; });
    return made;
  }

  const fits = (one) => (!action.value || one.dataset.action === action.value)
    && one.textContent.toLowerCase().includes(text.value.trim().toLowerCase());

  function show(hits) {
    for (const hit of hits) {
      const made = row(hit);
      made.hidden = !fits(made);
      made.className = "fresh";
      body.prepend(made);
    }
    while (body.rows.length > MOST_ROWS) body.lastElementChild.remove();
    $("live-empty").hidden = body.rows.length > 0;
  }

  function told(event) {
    const hit = JSON.parse(event.data);
    if (!isPaused) return show([hit]);
    waiting.push(hit);
    if (waiting.length > MOST_ROWS) { waiting.shift(); skipped += 1; }
    pause.textContent = `Go on (${waiting.length + skipped} wait)`;
  }

  function listen() {
    const source = new EventSource("/api/v1/hits/live");
    source.addEventListener("open", () => say(isPaused ? "Paused." : "Connected: new queries appear at the top."));
    source.addEventListener("hit", told);
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED) return say("The connection was lost; trying again.");
      say("The server does not let this page listen now: too many listen already, or you are logged out. Trying again.");
      setTimeout(listen, RETRY_AFTER);
    });
    addEventListener("pagehide", () => source.close(), { once: true });
  }

  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    pause.textContent = isPaused ? "Go on" : "Pause";
    say(isPaused ? "Paused." : "Connected: new queries appear at the top.");
    if (!isPaused) { show(waiting); waiting = []; skipped = 0; }
  });
  $("live-clear").addEventListener("click", () => { body.replaceChildren(); $("live-empty").hidden = false; });
  const filter = () => { for (const one of body.rows) one.hidden = !fits(one); };
  text.addEventListener("input", filter);
  action.addEventListener("change", filter);
  addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
  $("live-controls").hidden = false;
  say("Connecting.");
  listen();
})();
