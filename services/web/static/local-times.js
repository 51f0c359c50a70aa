// Times come in UTC; shows them in the reader's zone. Without script they stay readable as UTC.
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** Writes the local form of one <time datetime>. */
export function localTime(element) {
  const moment = new Date(element.dateTime);
  if (Number.isNaN(moment.getTime())) return;
  element.textContent = (element.dataset.form === "clock" ? clock : full).format(moment);
  element.title = full.format(moment);
}

for (const element of document.querySelectorAll("time[datetime]")) localTime(element);
