// Events: a line of time, with a filter, to be taken along.
import { $, again, ask, flat, make, percent, way } from "./common.js";

const MOST_EVENTS = 500;
const known = []; // Newest first.
let shown = [];
let listening = null;
// Short, and no other language's than the page's.
const DAY = new Intl.DateTimeFormat("en-GB", { dateStyle: "long" });
const TIME = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

function span(seconds) {
  for (const [unit, length] of [["days", 86400], ["h", 3600], ["min", 60]]) if (seconds >= 2 * length) return `${Math.floor(seconds / length)} ${unit}`;
  return `${Math.floor(seconds)} s`;
}

// What is said of an event or a notice: what it is, what is there now, and the rest.
function told(one) {
  if (one.notice) return [one.notice, one.state, one.reason || one.name];
  const before = one.before ? [`was ${flat(one.before)} for ${span(one.held_seconds)}`] : [];
  return [one.event, flat(one.text), [...before, `${percent(one.confidence)} sure`].join(" · ")];
}

function row(one) {
  const [kind, text, rest] = told(one);
  const bad = ["stalled", "reopening", "refused"].includes(one.state);
  return make("li", { className: bad ? "bad" : one.notice ? "notice" : kind }, make("time", { dateTime: one.at, textContent: TIME.format(new Date(one.at)) }),
    make("span", { className: "age" }), make("span", { textContent: kind }), make("b", { textContent: text || "–" }), make("small", { textContent: rest }));
}

export function ages() {
  if ($("events-view").hidden) return;
  for (const time of $("timeline").querySelectorAll("time")) {
    const seconds = (Date.now() - new Date(time.dateTime)) / 1000;
    const text = seconds < 2 ? "now" : `${span(seconds)} ago`;
    if (time.nextSibling.textContent !== text) time.nextSibling.textContent = text;
  }
}

// Looks at what is shown, however it is spaced.
function list() {
  const bare = (text) => text.replace(/\s/g, "").toLowerCase();
  const wanted = bare($("filter-text").value);
  const kind = $("filter-kind").value;
  shown = known.filter((one) => (!kind || kind === (one.event || one.notice)) && bare(told(one).slice(1).join(" ")).includes(wanted));
  const days = new Map();
  for (const one of shown) {
    const day = DAY.format(new Date(one.at));
    if (!days.has(day)) days.set(day, make("ol"));
    days.get(day).append(row(one));
  }
  const box = $("timeline");
  const high = box.scrollHeight;
  box.replaceChildren(...[...days].flatMap(([day, rows]) => [make("h3", { textContent: day === DAY.format(new Date()) ? `Today, ${day}` : day }), rows]));
  // Whoever has scrolled down reads on undisturbed.
  if (box.scrollTop) box.scrollTop += box.scrollHeight - high;
  ages();
  $("csv").disabled = $("jsonl").disabled = !shown.length;
  $("no-rows").textContent = shown.length ? (known.length === MOST_EVENTS ? `the newest ${MOST_EVENTS} were looked at` : "") : known.length ? "none of this kind" : "nothing yet";
}

function learn(news) {
  const key = (one) => `${one.at} ${one.event || one.notice} ${one.state}`;
  const keys = new Set(known.map(key));
  known.push(...news.filter((one) => !keys.has(key(one))));
  known.sort((one, other) => other.at.localeCompare(one.at));
  known.splice(MOST_EVENTS);
  list();
}

export function follow(on) {
  if (!on) { listening?.close(); listening = null; return; }
  if (listening) return;
  listening = new EventSource("/api/events");
  listening.addEventListener("event", (event) => learn([JSON.parse(event.data)]));
  // After it listens, so that none is missed between.
  listening.addEventListener("open", () => ask(`/api/events?last=${MOST_EVENTS}`).then(({ events }) => learn(events), () => { way.lost = true; }));
  listening.addEventListener("error", (event) => again(event.target));
}

for (const id of ["filter-text", "filter-kind"]) $(id).addEventListener("input", list);
$("filter").addEventListener("submit", (event) => event.preventDefault());

// The columns of edge history --csv, and its apostrophe before what a spreadsheet would take for a formula.
const COLUMNS = ["at", "device", "boot_id", "seq", "kind", "text", "before", "held_seconds", "confidence", "source", "reason"];

function cell(value) {
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function csv(events) {
  const rows = events.map((one) => (one.notice ? { ...one, kind: one.notice, text: one.state, source: one.name } : { ...one, kind: one.event, reason: one.reading?.reason }));
  return [COLUMNS, ...rows.map((one) => COLUMNS.map((name) => one[name]))].map((cells) => `${cells.map(cell).join(",")}\r\n`).join("");
}

function file(name, type, text) {
  const link = make("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// Oldest first, as the device's own file.
$("csv").addEventListener("click", () => file("events.csv", "text/csv", csv([...shown].reverse())));
$("jsonl").addEventListener("click", () => file("events.jsonl", "application/jsonl", [...shown].reverse().map((one) => `${JSON.stringify(one)}\n`).join("")));
