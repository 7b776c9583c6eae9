// The queue of the upload page: hashes files, asks which are known, sends the others. The server answers with rows;
// those of the same bytes have the same id. The form works without this file.

const at = (id) => document.getElementById(id);
const { country, file: input, send, copy, text } = at("sending").elements, queue = [];
let ready = Promise.resolve(), busy = 0;

const rows = (states) => [...at("files").rows].filter((row) => states.test(row.dataset.is));
const fresh = () => rows(/chosen|checked/);
const wrong = () => rows(/failed|refused|unsent/);
const again = () => wrong().filter((row) => row.file);

function tell(row, state, words = "") {
  row.dataset.is = row.querySelector(".state").textContent = state;
  row.querySelector(".said").textContent = words;
}

// Each row of the server takes the place of the one that it is about.
function take(html, sent, files) {
  const made = [...new DOMParser().parseFromString(html, "text/html").querySelectorAll("tr[data-is]")];
  made.forEach((row, n) => {
    const old = sent ?? at(row.id), stays = old?.matches(":focus-within, [data-is=sending], [data-is=waiting]");
    if (!sent && !files && (stays || old?.textContent === row.textContent)) return;
    row.file = files?.[n] ?? old?.file;
    row.classList.toggle("mine", row.file);
    if (old) old.replaceWith(row); else at("files").append(row);
  });
  const states = Object.entries(Object.groupBy(at("files").rows, (row) => row.dataset.is));
  at("tally").textContent = states.map(([state, { length }]) => `${length} ${state}`).join(", ");
  const retries = again().length, all = fresh().length + retries;
  send.textContent = retries && retries === all ? `Retry ${all} that failed` : `Upload ${all || ""}`;
  send.form.toggleAttribute("data-unsaved", all > 0);
  copy.hidden = !wrong().length;
}

async function add(files) {
  const chosen = [];
  for (const file of files) {
    const hash = file.arrayBuffer().then((bytes) => crypto.subtle.digest("SHA-256", bytes));
    const sha256 = await hash.then((it) => new Uint8Array(it).toHex(), () => "");  // none over plain HTTP
    chosen.push({ name: file.name, size: file.size, sha256 });
  }
  const body = new URLSearchParams({ country: country.value, files: JSON.stringify(chosen) });
  const answer = await fetch("/upload/chosen", { method: "POST", body });
  at("away").hidden = answer.ok;
  if (answer.ok) take(await answer.text(), null, files);
}

const move = (row, action) => new Promise((done) => {
  const request = new XMLHttpRequest(), data = new FormData(row.querySelector("form"));
  for (const [name, value] of new FormData(send.form)) if (!data.get(name)) data.set(name, value);
  data.delete("file");
  data.append("file", row.file);
  request.open("POST", action);
  request.setRequestHeader("HX-Request", "true");
  request.upload.onprogress = ({ loaded, total }) => tell(row, "sending", `${loaded} of ${total} bytes`);
  request.onloadend = () => {
    at("away").hidden = request.status !== 401;
    if (request.status === 200) take(request.response, row); else tell(row, "unsent", why(request));
    done(take(""));
  };
  request.send(data);
  tell(row, "sending");
});

function why({ status, response }) {
  if (status === 401) return "Your login has ended.";
  try { return JSON.parse(response).detail; } catch { return "It did not arrive: the connection was lost."; }
}

async function work() {
  if (busy === 3) return;  // at a time
  for (busy++; queue.length;) await move(...queue.shift());
  busy--;
}

const later = (work) => { ready = ready.then(work).catch(() => { at("away").hidden = false; }); };
send.form.onsubmit = (event) => {
  const action = event.submitter.formAction;
  event.preventDefault();
  later(() => {
    for (const row of [...fresh(), ...again()]) { tell(row, "waiting"); queue.push([row, action]); work(); }
    if (event.submitter === send) history.replaceState(null, "", send.form.dataset.batch);
  });
};
input.required = false;
const choose = (event, { files }) => {
  const chosen = [...files];
  event.preventDefault();
  input.value = "";
  later(() => add(chosen));
};
input.onchange = (event) => choose(event, input);
document.ondragover = (event) => event.preventDefault();
document.ondrop = (event) => choose(event, event.dataTransfer);
country.onchange = () => later(() => add(rows(/chosen|known/).flatMap((row) => row.file ?? [])));
copy.onclick = () => {
  const said = wrong().flatMap((row) => [...row.querySelectorAll("th, .said")]);
  text.value = said.map((it) => it.innerText).join("\n");
  text.hidden = false;
  text.select();
  document.execCommand("copy");
};
document.addEventListener("htmx:after:request", (event) => take(event.detail.ctx.text));
addEventListener("beforeunload", (event) => { if (busy) event.preventDefault(); });
