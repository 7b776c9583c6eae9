// The queue of the upload page: hashes files, asks which are known, and sends the others, three at a time. The server
// answers with rows of the table; those of the same bytes have the same id. The form works without this file.
"use strict";
(() => {
  const [form, body, blank] = ["sending", "files", "chosen"].map((id) => document.getElementById(id));
  const { country, file: input, send, copy, text } = form.elements, queue = [];
  let ready = Promise.resolve(), busy = 0;

  const later = (work) => { ready = ready.then(work).catch(() => {}); };
  const are = (...states) => [...body.rows].filter((row) => states.includes(row.dataset.is));
  const fresh = () => are("chosen", "checked");
  const wrong = () => are("failed", "refused", "unsent");
  const again = () => wrong().filter((row) => row.file);

  function count() {
    const [files, retries] = [fresh().length, again().length];
    send.textContent = files || !retries ? `Upload ${files + retries || ""}` : `Retry ${retries} that failed`;
    copy.hidden = !wrong().length;
  }

  function tell(row, state, words) {
    row.dataset.is = row.querySelector(".state").textContent = state;
    row.querySelector(".said").textContent = words;
    count();
  }

  // Puts each row of the server in the place of the one that it is about.
  function take(html, sent) {
    const rows = new DOMParser().parseFromString(html, "text/html").querySelectorAll("tr[data-is]");
    for (const row of rows) {
      const old = sent ?? document.getElementById(row.id);
      if (!sent && old && (old.matches(":focus-within, [data-is=sending], [data-is=waiting]") || old.textContent === row.textContent)) continue;
      row.file = old?.file;
      row.classList.toggle("held", row.file);
      if (old) old.replaceWith(row); else body.append(row);
    }
    count();
    return rows.length;
  }

  async function hash(row) {
    const bytes = await crypto.subtle.digest("SHA-256", await row.file.arrayBuffer());
    const id = `sha-${new Uint8Array(bytes).toHex()}`, same = document.getElementById(id);
    if (!same) { row.id = id; return; }
    same.file ??= row.file;
    same.classList.add("held");
    tell(row, "twice", `The same bytes as ${same.cells[0].innerText}.`);
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
      tell(row, "chosen", "");
      await hash(row).catch(() => {});  // over plain HTTP there are no hashes, and the server tells
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
      if (!take(request.response, row)) tell(row, "unsent", "The connection was lost.");
      done();
    };
    request.send(data);
  });

  async function work() {
    if (busy === 3) return;
    for (busy++; queue.length;) await move(...queue.shift());
    busy--;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    later(() => {
      for (const row of [...fresh(), ...again()]) { queue.push([row, event.submitter.formAction]); tell(row, "waiting", ""); }
      if (event.submitter === send) history.replaceState(null, "", form.dataset.batch);
      work(); work(); work();
    });
  });
  input.required = false;
  input.addEventListener("change", () => { const files = [...input.files]; input.value = ""; later(() => add(files)); });
  country.addEventListener("change", () => { for (const row of are("known")) tell(row, "chosen", ""); later(look); });
  copy.addEventListener("click", () => {
    const lines = wrong().flatMap((row) => [row.cells[0], ...row.querySelectorAll(".said")]).map((it) => it.innerText);
    text.value = lines.join("\n");
    text.hidden = false;
    text.select();
    navigator.clipboard?.writeText(text.value).catch(() => {});
  });
  document.addEventListener("htmx:after:request", (event) => take(event.detail.ctx.text));
  addEventListener("beforeunload", (event) => { if (busy) event.preventDefault(); });
})();
