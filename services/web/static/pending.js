// Follows a start: adds steps as they come, moves on when the server is ready, shows the failure when it failed.
// The page holds every step reached when it was made; the stream repeats them, so each is shown once.
import { localTime } from "./local-times.js";

const page = document.querySelector("[data-progress-url]");
const list = document.getElementById("steps");
const bar = document.getElementById("progress");
const status = document.getElementById("step-status");

const items = () => [...list.children];
const timeOf = (item) => item.querySelector(":scope > time").dateTime;
// Times are UTC of one form and order as text. A line that was replaced by a later one of its name counts as shown.
const isShown = ({ step, at }) => items().some((item) => item.dataset.step === step && timeOf(item) >= at);

/** The line of a step: the last one when it tells of the same thing, one announced as still to come, or a new one before those. */
function lineFor(step) {
  const last = items().findLast((item) => item.dataset.step);
  if (last?.dataset.step === step) return last;
  const announced = items().find((item) => item.dataset.todo === step);
  if (announced) {
    // Steps may be skipped; what stands above was passed by.
    for (const item of items()) if (item !== announced && item.dataset.todo) announced.after(item);
    sortTodo();
    return announced;
  }
  const line = document.createElement("li");
  for (const [tag, name] of [
    ["span", "mark"],
    ["span", "what"],
    ["time", ""],
  ]) {
    const part = document.createElement(tag);
    part.className = name;
    line.append(part);
  }
  line.querySelector(".mark").setAttribute("aria-hidden", "true");
  line.querySelector("time").dataset.form = "clock";
  list.insertBefore(line, items().find((item) => item.dataset.todo) ?? null);
  return line;
}

const order = items()
  .map((item) => item.dataset.todo)
  .filter(Boolean);

function sortTodo() {
  const open = items().filter((item) => item.dataset.todo);
  open.sort((a, b) => order.indexOf(a.dataset.todo) - order.indexOf(b.dataset.todo));
  for (const item of open) list.append(item);
}

/** What is waited for: the last line while it goes on, else the first to come. */
function markNow(isOngoing) {
  for (const item of items()) item.className = item.dataset.todo ? "todo" : "done";
  if (isOngoing) items().findLast((item) => item.dataset.step).className = "now";
  else list.querySelector(".todo")?.classList.add("now");
}

function show({ step, at, title, detail, progress, ongoing }) {
  if (typeof progress === "number" && progress > bar.value) bar.value = progress;
  if (!step || isShown({ step, at })) return;
  const line = lineFor(step);
  delete line.dataset.todo;
  line.dataset.step = step;
  const what = line.querySelector(".what");
  what.textContent = title;
  if (detail) {
    const more = document.createElement("small");
    more.append(...withTimes(detail));
    what.append(more);
  }
  const time = line.querySelector(":scope > time");
  time.dateTime = at;
  localTime(time);
  // Whoever listens is told once what goes on, not each percent of it.
  if (status.dataset.step !== step) status.textContent = title;
  status.dataset.step = step;
  markNow(ongoing);
}

const UTC = /(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z| UTC))/;
const part = (id) => document.getElementById(id);

/** A moment in a sentence of a backend is shown in the reader's time. */
function withTimes(sentence) {
  return sentence.split(UTC).map((text, index) => {
    if (index % 2 === 0) return text;
    const time = document.createElement("time");
    time.dateTime = text.replace(" ", "T").replace(" UTC", "Z");
    localTime(time);
    return time;
  });
}

/** Queued, unknown, or going on again. */
function showState({ kind, word, heading, words, reason, since }) {
  part("heading").textContent = heading;
  part("state-word").textContent = word;
  part("state-word").className = `status status--${kind === "unknown" ? "unknown" : "pending"}`;
  part("state").hidden = kind === "starting";
  part("state").className = `notice notice--${kind}`;
  part("state-words").textContent = words;
  part("state-reason").replaceChildren(...withTimes(reason));
  part("state-since").dateTime = since;
  localTime(part("state-since"));
  if (words) status.textContent = words;
}

function follow() {
  const source = new EventSource(page.dataset.progressUrl);
  source.addEventListener("message", ({ data }) => {
    const event = JSON.parse(data);
    if (event.state) return showState(event.state);
    if (!event.ready && !event.failed) return show(event);
    source.close();
    if (event.ready) bar.value = 100;
    status.textContent = event.ready ? "Your server is ready" : event.message;
    // The page knows where to go from here: on to the server, or to what went wrong. The last steps are seen first.
    setTimeout(() => location.reload(), event.ready ? 400 : 0);
  });
  source.addEventListener("error", () => {
    // The browser reconnects by itself unless the hub refused; then the page is asked anew, not too often.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 3000);
  });
}

if (page && list && bar && status) follow();
