// Buttons that copy what data-copy names, or what stands before them.

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (button === null) return;
  const from = document.getElementById(button.dataset.copy) ?? button.previousElementSibling;
  let said = "Copied.";
  try { await navigator.clipboard.writeText(from.textContent); } catch {
    from.closest("details")?.setAttribute("open", "");
    getSelection().selectAllChildren(from);
    said = "Selected: press Ctrl+C.";
  }
  document.getElementById("outcome").textContent = said;
});
