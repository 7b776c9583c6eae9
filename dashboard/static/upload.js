// The queue of the upload page: hashes files, asks which are known, sends the others. The server answers with rows of
// the table; those of the same bytes have the same id. The form works without this file.
"use strict";
(() => {
  const AT_ONCE = 3;
  const [form, body, blank] = ["sending", "files", "chosen"].map((id) => document.getElementById(id));
  const { country, file: input, send, copy, text } = form.elements, queue = [];
  let ready = Promise.resolve(), busy = 0;

  const later = (work) => { ready = ready.then(work).catch(() => {}); };
  const rows = (states) => [...body.rows].filter((row) => states.test(row.dataset.is));
  const fresh = () => rows(/chosen|checked/);
  const wrong = () => rows(/failed|refused|unsent/);
  const again = () => wrong().filter((row) => row.file);

  function count() {
    const retries = again().length, all = fresh().length + retries;
    send.textContent = retries && retries === all ? `Retry ${all} that failed` : `Upload ${all || ""}`;
    copy.hidden = !wrong().length;
  }

  function tell(row, state, words = "") {
    row.dataset.is = row.querySelector(".state").textContent = state;
    row.querySelector(".said").textContent = words;
    count();
  }

  // Each row of the server takes the place of the one that it is about.
  function take(html, sent) {
    const made = new DOMParser().parseFromString(html, "text/html").querySelectorAll("tr[data-is]");
    for (const row of made) {
      const old = sent ?? document.getElementById(row.id);
      if (!sent && (old?.matches(":focus-within, [data-is=sending], [data-is=waiting]") || old?.textContent === row.textContent)) continue;
      row.file = old?.file;
      row.classList.toggle("held", row.file);
      if (old) old.replaceWith(row); else body.append(row);
    }
    count();
    return made.length;
  }

  async function hash(row) {
    const bytes = await crypto.subtle.digest("SHA-256", await row.file.arrayBuffer());
    const id = `sha-${new Uint8Array(bytes).toHex()}`, same = document.getElementById(id);
    if (same) tell(row, "twice", `The same bytes as ${same.cells[0].innerText}.`); else row.id = id;
    if (same && !same.file) { same.file = row.file; same.classList.add("held"); }
  }

  async function look() {
    const sha256 = fresh().map((row) => row.id.slice(4)).join(" ");
    const body = new URLSearchParams({ country: country.value, sha256 });
    take(await (await fetch("/upload/known", { method: "POST", body })).text());
  }

  async function add(files) {
    for (const file of files) {
      const row = body.appendChild(blank.content.firstElementChild.cloneNode(true));
      row.file = file;
      row.cells[0].textContent = file.name;
      row.classList.toggle("held", !/(1[89]|20)\d\d/.test(file.name));
      tell(row, "chosen");
      await hash(row).catch(() => {});  // over plain HTTP there is none, and the server tells
    }
    await look();
  }

  const move = (row, action) => new Promise((done) => {
    const request = new XMLHttpRequest(), data = new FormData(row.querySelector("form"));
    for (const [name, value] of new FormData(form)) if (!data.get(name)) data.set(name, value);
    data.delete("file");
    data.append("file", row.file);
    request.open("POST", action);
    request.setRequestHeader("Accept", "text/html");
    request.setRequestHeader("HX-Request", "true");
    request.upload.onprogress = ({ loaded, total }) => tell(row, "sending", `${loaded} of ${total} bytes`);
    request.onloadend = () => {
      if (!take(request.response, row)) tell(row, "unsent", "It did not arrive: the connection was lost.");
      done();
    };
    request.send(data);
  });

  async function work() {
    if (busy === AT_ONCE) return;
    for (busy++; queue.length;) await move(...queue.shift());
    busy--;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const action = event.submitter.formAction;
    later(() => {
      for (const row of [...fresh(), ...again()]) { tell(row, "waiting"); queue.push([row, action]); work(); }
      if (event.submitter === send) history.replaceState(null, "", form.dataset.batch);
    });
  });
  input.required = false;
  input.addEventListener("change", () => { const files = [...input.files]; input.value = ""; later(() => add(files)); });
  country.addEventListener("change", () => { rows(/known/).forEach((row) => tell(row, "chosen")); later(look); });
  copy.addEventListener("click", () => {
    const said = wrong().flatMap((row) => [...row.querySelectorAll("th, .said")]);
    text.value = said.map((it) => it.innerText).join("\n");
    text.hidden = false;
    text.select();
    document.execCommand("copy");
  });
  document.addEventListener("htmx:after:request", (event) => take(event.detail.ctx.text));
  addEventListener("beforeunload", (event) => { if (busy) event.preventDefault(); });
})();
