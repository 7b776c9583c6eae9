// Times that the server writes in UTC, in the zone of whoever looks on; their title keeps the UTC.

const zone = new Intl.DateTimeFormat("en", { timeZoneName: "short" });

function write(within) {
  for (const time of within.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime), utc = time.textContent;
    if (!utc.endsWith(" UTC") || Number.isNaN(at.getTime())) continue;
    const local = `${at.toLocaleString("sv")} ${zone.formatToParts(at).find((part) => part.type === "timeZoneName").value}`;
    if (time.title !== utc) time.title = utc;
    if (local !== utc) time.textContent = local;
  }
}

// A page that is renewed brings them in UTC again: they are written before anybody sees them.
new MutationObserver(() => write(document)).observe(document.body, { childList: true, characterData: true, subtree: true });
write(document);
