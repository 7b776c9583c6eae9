// Keys that act by themselves, unless they are switched off or somebody types.

const find = (what, within = document) => within?.querySelector(what);
const kept = (work) => { try { return work(localStorage); } catch { return null; } };  // denied: for this page alone
let off = kept((it) => it.getItem("aw-keys")) === "off", went = 0;
const dialog = find("#shortcuts"), link = find("#help");

const rows = () => [...document.querySelectorAll("main tbody tr, main .lines li, main .group")].filter((it) => find("a", it));
const here = () => rows().find((it) => it.contains(document.activeElement)) ?? null;
const box = () => find("[name=job]", here());

function move(by) {
  const all = rows(), at = all.indexOf(here());
  find("a", all[at < 0 ? 0 : at + by] ?? null)?.focus();
}

// Asks a question: about what is chosen, the row with the focus, or the job of the page.
function ask(act) {
  const list = find(`#chosen [value=${act}]`), job = find(`form:has([value=${act}]):has([name=target][value=job])`);
  if (list && !find("#chosen [name=job]:checked")) box()?.click();
  if (list && find("#chosen [name=job]:checked")) list.click();
  else if (job) location = `/selection?${new URLSearchParams({ act, job: job.elements.id.value, back: location.pathname })}`;
  else find(`a[href*="/new?action=${act}"]`, here())?.click();
}

const help = () => dialog.showModal();
const does = {
  j: () => move(1), k: () => move(-1), r: () => ask("retry"), c: () => ask("cancel"), x: () => box()?.click(), "?": help,
  p: () => find("#pause").click(), "/": () => find("[data-key='/']")?.focus(),
};

document.addEventListener("keydown", (event) => {
  const typed = event.target.matches("input:not([type=checkbox]), select, textarea");
  if (off || typed || dialog.open || event.ctrlKey || event.metaKey || event.altKey) return;
  const place = Date.now() - went < 1500 && find(`nav [data-key="${CSS.escape(event.key)}"]`);
  went = event.key === "g" ? Date.now() : 0;
  const act = place ? () => place.click() : Object.hasOwn(does, event.key) && does[event.key];
  if (act) { event.preventDefault(); act(); }
});
link?.addEventListener("click", (event) => { event.preventDefault(); help(); });

for (const button of document.querySelectorAll(".switch")) {
  const show = () => { button.textContent = `Switch these keys ${off ? "on" : "off"}`; };
  button.addEventListener("click", () => { off = !off; kept((it) => it.setItem("aw-keys", off ? "off" : "on")); show(); });
  show();
}
