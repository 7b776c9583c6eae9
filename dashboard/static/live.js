// Keeps a page up to date: one stream of events for the tab, and the part of the page in #live fetched again when there
// is news for it. Also the theme, what is chosen in a list, and the button that pauses all of it. Pages work without it.
"use strict";
(() => {
  const part = () => document.getElementById("live");
  const say = (text) => { document.getElementById("outcome").textContent = text; };
  const pauseButton = document.getElementById("pause");
  const liveness = document.getElementById("liveness");
  const RETRY_MS = 15_000, SILENT_MS = 15_000, LOOK_MS = 5_000;  // figures come every two seconds
  let stream = null, watched = "", trouble = false, paused = false, missed = false, fresh = 0, ended = false;
  let refreshed = Date.now(), heard = Date.now(), lived = Date.now();

  // What a page wants to know stands in it: `figures`, `minutes`, `watched` (what data-watch has), or `rows`.
  const wants = (what) => part().dataset.live === what;

  function refresh() {
    if (paused || document.hidden || someoneTypes()) { missed = true; return; }
    missed = false;
    refreshed = Date.now();
    htmx.trigger(part(), "aw:news");
  }

  function someoneTypes() {
    const at = document.activeElement;
    return at !== null && part().contains(at) && at.matches("input:not([type=hidden]), select, textarea");
  }

  // What somebody has typed or chosen, and not sent yet.
  const typed = () => document.querySelector("[data-unsaved]") !== null || [...document.querySelectorAll("input:not([type=hidden]), textarea")]
    .some((it) => it.value !== it.defaultValue || it.checked !== it.defaultChecked);

  // The login has ended. What is typed stays: whoever logs in again in another tab goes on here.
  function leave(to) {
    if (ended) return;
    ended = true;
    close();
    show();
    if (!typed()) { location.assign(to); return; }
    say("Your login has ended. What you typed is still here: ");
    const link = Object.assign(document.createElement("a"), { href: to, target: "_blank", textContent: "log in again in another tab" });
    document.getElementById("outcome").append(link, ", then go on.");
  }

  // Asks for a part of a page; undefined if there is none now.
  async function ask(address) {
    const answer = await fetch(address, { headers: { Accept: "text/html", "HX-Request": "true", "HX-Current-URL": location.href } }).catch(() => undefined);
    trouble = answer === undefined || !answer.ok;
    if (answer?.headers.has("Login-At")) leave(answer.headers.get("Login-At"));
    show();
    return trouble ? undefined : answer;
  }

  // While somebody has chosen rows, a list stays as it is; what has changed meanwhile is renewed after.
  const chosen = () => document.querySelectorAll('input[name="job"]:checked').length;
  const held = new Set(), hold = (jobs) => jobs.forEach((job) => held.add(job));

  function choose(event) {
    if (event.target.closest("#every")) {
      for (const box of document.querySelectorAll('input[name="job"]')) box.checked = event.target.checked;
    } else if (event.target.name !== "job") return;
    if (!chosen() && held.size) { renew([...held]); held.clear(); }
    tell();
  }

  function tell() {
    const count = document.getElementById("count");
    if (count !== null) { count.textContent = `${chosen()} selected`; count.hidden = !chosen(); }
    show();
  }

  // The rows of these jobs or datasets, each where it is: a list does not move under the pointer.
  async function renew(ids) {
    const answer = await ask(`${location.pathname}?ids=${ids.join(",")}`);
    if (answer === undefined) return;
    if (chosen()) { hold(ids); return; }
    const made = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const row of made.querySelectorAll("tr[id]")) {
      const old = document.getElementById(row.id);
      if (old === null) continue;
      const focused = old.contains(document.activeElement) ? document.activeElement.tagName : null;
      old.replaceWith(row);
      if (focused) (row.querySelector(focused) ?? row.querySelector("a")).focus();
    }
  }

  function changed(event) {
    const news = JSON.parse(event.data);
    const seen = [...news.jobs, ...news.datasets];
    if (wants("watched") && (seen.length || news.gone.length)) refresh();
    if (!wants("rows")) return;
    if (chosen()) hold(seen);
    else if (seen.length) renew(seen);
    const link = document.getElementById("news");
    const more = link === null ? 0 : news[link.dataset.counts];
    if (more) {
      fresh += more;
      link.textContent = `${fresh} new: show`;
      link.hidden = false;
    }
  }

  function open() {
    if (stream !== null || paused || document.hidden || ended || !part().dataset.live || wants("again")) return;
    watched = part().dataset.watch;
    let first = true;
    stream = new EventSource("/v1/stream?figures=1" + (watched ? "&ids=" + watched : ""));
    stream.addEventListener("figures", () => {
      const due = wants("figures") || (wants("minutes") && Date.now() - refreshed > 60_000);
      if (due && !first) refresh();
      first = false;
    });
    // The first one tells of all that is watched: it may have changed between the page and its stream.
    stream.addEventListener("changed", changed);
    for (const name of ["open", "figures", "changed"]) stream.addEventListener(name, () => { heard = Date.now(); show(); });
    stream.addEventListener("error", failed);
    stream.addEventListener("bye", (event) => {
      if (JSON.parse(event.data).why === "key") ask(location.href);
    });
  }

  function close() {
    if (stream !== null) stream.close();
    stream = null;
  }

  // What is shown is either up to date, or the page says that it is not.
  function show() {
    const open = stream !== null && stream.readyState === EventSource.OPEN;
    const live = open && !trouble && Date.now() - heard < SILENT_MS;
    if (live && !paused) lived = Math.max(lived, heard);
    const [mark, word] = paused || chosen() ? ["⏸", "paused"] : live ? ["●", "live"] : ["○", ended ? "logged out" : open ? "not up to date" : "connection lost"];
    liveness.textContent = `${mark} ${word}${mark === "○" ? ` since ${new Date(lived).toLocaleTimeString("sv")}` : ""}`;
    liveness.dataset.is = word;
  }

  function failed() {
    if (stream !== null && stream.readyState === EventSource.CLOSED) {  // refused: the browser does not try again
      close();
      setTimeout(open, RETRY_MS);
      ask(location.href);  // which leads to the login, if that is why
    }
    show();
  }

  function pause(on) {
    paused = on;
    pauseButton.setAttribute("aria-pressed", String(on));
    pauseButton.textContent = on ? "Go on with updates" : "Pause updates";
    if (on) close(); else { open(); if (missed) refresh(); }
    show();
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { close(); missed = true; return; }
    ended = false;
    open();
    if (missed && !wants("rows")) refresh();
  });
  document.addEventListener("change", choose);
  document.addEventListener("focusout", () => setTimeout(() => { if (missed) refresh(); }));
  addEventListener("pagehide", close);
  addEventListener("pageshow", tell);  // who comes back finds the rows selected

  // A page that says that the database is away.
  if (wants("again")) setInterval(async () => { if (await ask(location.href)) location.reload(); }, LOOK_MS);
  else if (part().dataset.live) {
    pauseButton.hidden = liveness.hidden = false;
    const answered = (event) => {
      const { response } = event.detail.ctx;
      trouble = response === undefined || response.status >= 400;
      missed ||= trouble;
      const login = response?.headers.get("Login-At");
      if (login) leave(login);
      show();
    };
    document.addEventListener("htmx:after:request", answered);
    document.addEventListener("htmx:after:swap", () => {
      if (stream !== null && part().dataset.watch !== watched) { close(); open(); }
    });
    document.addEventListener("htmx:error", answered);
    show();
    setInterval(show, LOOK_MS);
    pauseButton.addEventListener("click", () => { pause(!paused); say(paused ? "Updates are paused." : ""); });
  }

  const every = document.getElementById("every");
  if (every !== null) every.hidden = false;

  const theme = document.getElementById("theme");
  theme.closest("label").hidden = false;
  theme.addEventListener("change", () => {
    document.documentElement.dataset.theme = theme.value;
    document.cookie = `aw-theme=${theme.value}; Path=/; SameSite=Strict; Max-Age=31536000`;
  });

  // The line that says what was done is said once: a page that is loaded again does not say it.
  const address = new URL(location.href);
  if (address.searchParams.has("did")) {
    address.searchParams.delete("did");
    history.replaceState(null, "", address);
  }

  open();
})();
