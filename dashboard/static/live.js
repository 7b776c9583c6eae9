// Keeps a page up to date: one stream of events for the tab, and the part of the page in #live fetched again when there
// is news for it. Also the theme, what is chosen in a list, and the button that pauses all of it. Pages work without it.

document.documentElement.dataset.scripts = "yes";  // what works by scripts alone is shown
const at = (id) => document.getElementById(id);
const pauseButton = at("pause"), liveness = at("liveness"), theme = at("theme");
const RETRY_MS = 15_000, SILENT_MS = 15_000, LOOK_MS = 5_000;  // figures come every two seconds
const MARKS = { live: "●", paused: "⏸" };
let stream = null, watched = "", trouble = false, paused = false, missed = false, fresh = 0, ended = false;
let refreshed = Date.now(), heard = Date.now(), lived = Date.now();

// What a page wants to know stands in it: `figures`, `minutes`, `watched` (what data-watch has), or `rows`.
// A page that says that the database is away only asks `again`.
const wants = (...what) => what.includes(at("live").dataset.live);
const isLive = () => wants("figures", "minutes", "watched", "rows");

// A list does not move: its rows are renewed instead, each where it is.
function refresh() {
  missed = !wants("rows") && (paused || document.hidden || someoneTypes());
  if (missed || wants("rows")) return;
  refreshed = Date.now();
  htmx.trigger(at("live"), "aw:news");
}

const someoneTypes = () => document.activeElement?.matches("#live :is(input:not([type=hidden]), select, textarea)");

// What somebody has typed or chosen, and not sent yet.
const typed = () => document.querySelector("[data-unsaved]") || [...document.querySelectorAll("input:not([type=hidden]), textarea")]
  .some((it) => it.value !== it.defaultValue || it.checked !== it.defaultChecked);

// What an answer says of the server and of the login. If that has ended, what is typed stays: whoever logs in again in
// another tab goes on here.
function note(answer) {
  trouble = !(answer?.status < 400);
  const login = answer?.headers.get("Login-At");
  if (login && !ended) {
    ended = true;
    close();
    if (typed()) at("outcome").replaceChildren(at("login-again").content.cloneNode(true));
    else location.assign(login);
  }
  show();
}

// Asks for a part of a page; undefined if there is none now.
async function ask(address) {
  const headers = { Accept: "text/html", "HX-Request": "true", "HX-Current-URL": location.href };
  const answer = await fetch(address, { headers }).catch(() => undefined);
  note(answer);
  return trouble ? undefined : answer;
}

// While somebody has chosen rows, a list stays as it is; what has changed meanwhile is renewed after.
const boxes = () => [...document.querySelectorAll('input[name="job"]')];
const chosen = () => boxes().filter((box) => box.checked).length;
const held = new Set();

function choose({ target }) {
  if (target.closest("#every")) for (const box of boxes()) box.checked = target.checked;
  if (!chosen()) renew([...held]);
  tell();
}

function tell() {
  const count = at("count");
  if (count) { count.textContent = `${chosen()} selected`; count.hidden = !chosen(); }
  show();
}

// The rows of these jobs or datasets, if nobody has chosen any meanwhile.
async function renew(ids) {
  for (const id of ids) held.add(id);
  if (!ids.length || chosen()) return;
  const answer = await ask(`${location.pathname}?ids=${ids.join(",")}`);
  const rows = answer && new DOMParser().parseFromString(await answer.text(), "text/html").querySelectorAll("tr[id]");
  if (!rows || chosen()) return;
  for (const id of ids) held.delete(id);
  for (const row of rows) {
    const old = at(row.id), focused = old?.querySelector(":focus")?.tagName;
    old?.replaceWith(row);
    if (focused) (row.querySelector(focused) ?? row.querySelector("a")).focus();
  }
}

function changed({ data }) {
  const news = JSON.parse(data), seen = [...news.jobs, ...news.datasets], link = at("news");
  if (wants("watched") && (seen.length || news.gone.length)) refresh();
  if (wants("rows")) renew(seen);
  fresh += news[link?.dataset.counts] ?? 0;
  if (link && fresh) { link.textContent = `${fresh} new: show`; link.hidden = false; }
}

function open() {
  if (stream || paused || document.hidden || ended || !isLive()) return;
  watched = at("live").dataset.watch;
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
  stream.addEventListener("error", () => {
    if (stream?.readyState === EventSource.CLOSED) {  // refused: the browser does not try again
      close();
      setTimeout(open, RETRY_MS);
      ask(location.href);  // which leads to the login, if that is why
    }
    show();
  });
}

function close() {
  stream?.close();
  stream = null;
}

// What is shown is either up to date, or the page says that it is not.
function show() {
  const open = stream?.readyState === EventSource.OPEN;
  const live = open && !trouble && Date.now() - heard < SILENT_MS;
  if (live && !paused) lived = heard;
  const old = ended ? "logged out" : open ? "not up to date" : "connection lost";
  const word = paused || chosen() ? "paused" : live ? "live" : old;
  const since = word === old ? ` since ${new Date(lived).toLocaleTimeString("sv")}` : "";
  liveness.textContent = `${MARKS[word] ?? "○"} ${word}${since}`;
  liveness.dataset.is = word;
}

function goOn() {
  open();
  if (missed) refresh();
}

function pause() {
  paused = !paused;
  pauseButton.setAttribute("aria-pressed", String(paused));
  pauseButton.textContent = paused ? "Go on with updates" : "Pause updates";
  at("outcome").textContent = paused ? "Updates are paused." : "";
  if (paused) close(); else goOn();
  show();
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) { close(); missed = true; } else { ended = false; goOn(); }
});
document.addEventListener("change", choose);
document.addEventListener("focusout", () => setTimeout(() => { if (missed) refresh(); }));
addEventListener("pagehide", close);
addEventListener("pageshow", tell);  // who comes back finds the rows selected

if (wants("again")) setInterval(async () => { if (await ask(location.href)) location.reload(); }, LOOK_MS);
if (isLive()) {
  pauseButton.hidden = liveness.hidden = false;
  const answered = (event) => { note(event.detail.ctx.response); missed ||= trouble; };
  document.addEventListener("htmx:after:request", answered);
  document.addEventListener("htmx:error", answered);
  document.addEventListener("htmx:after:swap", () => {
    if (stream && at("live").dataset.watch !== watched) { close(); open(); }
  });
  setInterval(show, LOOK_MS);
  pauseButton.addEventListener("click", pause);
}

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
