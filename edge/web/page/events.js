// Events: a timeline with a filter and downloads.
import { $, checkStream, connection, make, oneLine, percent, request } from "./common.js";

const MAX_EVENTS = 500;
const known = []; // Newest first.
let shown = [];
let stream = null;
// Always English, as the page is, whatever the browser's language is.
const DAY = new Intl.DateTimeFormat("en-GB", { dateStyle: "long" });
const TIME = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

function duration(seconds) {
  for (const [unit, length] of [["days", 86400], ["h", 3600], ["min", 60]]) if (seconds >= 2 * length) return `${Math.floor(seconds / length)} ${unit}`;
  return `${Math.floor(seconds)} s`;
}

// The texts for an event or a notice: its kind, what is there now, and the details.
function describe(one) {
  if (one.notice) return [one.notice, one.state, one.reason || one.name];
  const before = one.before ? [`was ${oneLine(one.before)} for ${duration(one.held_seconds)}`] : [];
  return [one.event, oneLine(one.text), [...before, `${percent(one.confidence)} sure`].join(" · ")];
}

function row(one) {
  const [kind, text, details] = describe(one);
  const bad = ["stalled", "reopening", "refused"].includes(one.state);
  return make("li", { className: bad ? "bad" : one.notice ? "notice" : kind }, make("time", { dateTime: one.at, textContent: TIME.format(new Date(one.at)) }),
    make("span", { className: "age" }), make("span", { textContent: kind }), make("b", { textContent: text || "–" }), make("small", { textContent: details }));
}

export function updateAges() {
  if ($("events-view").hidden) return;
  for (const time of $("timeline").querySelectorAll("time")) {
    const seconds = (Date.now() - new Date(time.dateTime)) / 1000;
    const text = seconds < 2 ? "now" : `${duration(seconds)} ago`;
    if (time.nextSibling.textContent !== text) time.nextSibling.textContent = text;
  }
}

// Shows the events that match the filter. Spaces and capitals make no difference.
function showMatches() {
  const normalised = (text) => text.replace(/\s/g, "").toLowerCase();
  const wanted = normalised($("filter-text").value);
  const kind = $("filter-kind").value;
  shown = known.filter((one) => (!kind || kind === (one.event || one.notice)) && normalised(describe(one).slice(1).join(" ")).includes(wanted));
  const days = new Map();
  for (const one of shown) {
    const day = DAY.format(new Date(one.at));
    if (!days.has(day)) days.set(day, make("ol"));
    days.get(day).append(row(one));
  }
  const box = $("timeline");
  const height = box.scrollHeight;
  box.replaceChildren(...[...days].flatMap(([day, rows]) => [make("h3", { textContent: day === DAY.format(new Date()) ? `Today, ${day}` : day }), rows]));
  // If the user has scrolled down, new events do not move what is in sight.
  if (box.scrollTop) box.scrollTop += box.scrollHeight - height;
  updateAges();
  $("csv").disabled = $("jsonl").disabled = !shown.length;
  $("events-note").textContent = shown.length ? (known.length === MAX_EVENTS ? `only the newest ${MAX_EVENTS} events are searched` : "") : known.length ? "no events match" : "no events yet";
}

function addEvents(news) {
  const key = (one) => `${one.at} ${one.event || one.notice} ${one.state}`;
  const keys = new Set(known.map(key));
  known.push(...news.filter((one) => !keys.has(key(one))));
  known.sort((one, other) => other.at.localeCompare(one.at));
  known.splice(MAX_EVENTS);
  showMatches();
}

export function streamEvents(on) {
  if (!on) { stream?.close(); stream = null; return; }
  if (stream) return;
  stream = new EventSource("/api/events");
  stream.addEventListener("event", (event) => addEvents([JSON.parse(event.data)]));
  // Stored events are requested after the stream has opened, so that none is missed in between.
  stream.addEventListener("open", () => request(`/api/events?last=${MAX_EVENTS}`).then(({ events }) => addEvents(events), () => { connection.lost = true; }));
  stream.addEventListener("error", (event) => checkStream(event.target));
}

for (const id of ["filter-text", "filter-kind"]) $(id).addEventListener("input", showMatches);
$("filter").addEventListener("submit", (event) => event.preventDefault());

// The columns of `edge history --csv`, and its apostrophe before a text that a spreadsheet would run as a formula.
const COLUMNS = ["at", "device", "boot_id", "seq", "kind", "text", "before", "held_seconds", "confidence", "source", "reason"];

function cell(value) {
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function csv(events) {
  const rows = events.map((one) => (one.notice ? { ...one, kind: one.notice, text: one.state, source: one.name } : { ...one, kind: one.event, reason: one.reading?.reason }));
  return [COLUMNS, ...rows.map((one) => COLUMNS.map((name) => one[name]))].map((cells) => `${cells.map(cell).join(",")}\r\n`).join("");
}

function download(name, type, text) {
  const link = make("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// Oldest first, like the file that the device gives.
$("csv").addEventListener("click", () => download("events.csv", "text/csv", csv([...shown].reverse())));
$("jsonl").addEventListener("click", () => download("events.jsonl", "application/jsonl", [...shown].reverse().map((one) => `${JSON.stringify(one)}\n`).join("")));
