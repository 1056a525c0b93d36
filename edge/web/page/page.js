// The page: no library, no build. It asks the same API that anybody may ask.
const $ = (id) => document.getElementById(id);
const EMPTY = $("draw-ink").src;
const SVG = "http://www.w3.org/2000/svg";
// Never more than it is: 99.96 % is not sure.
const percent = (share) => `${share < 0.1 ? Math.floor(100 * share) : (Math.floor(1000 * share) / 10).toFixed(1)} %`;

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

async function ask(path, options) {
  const answer = await fetch(path, options).catch(() => { throw new Error("the device does not answer"); });
  if (answer.status === 401 && path !== "/api/login") logIn();
  // What was to be changed is asked again once it may be.
  if (answer.status === 403 && options?.method && await allowed()) return ask(path, options);
  if (answer.status === 204) return null;
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error || `the device answers ${answer.status}`);
  return answer.json();
}

// --- what was seen: boxes on the picture, the stages, each glyph with its three likeliest digits

const LABEL = 2.65; // The width of "7 99%", in letters.

// How large each label is: to be read on a telephone, about as large as the others, and no wider than what is left to the digit beside it.
function letters(svg, view) {
  const [width, height] = view.size;
  const side = Math.max(width, height);
  const pixel = Math.max(width / (svg.clientWidth || width), height / (svg.clientHeight || height));
  const rooms = view.candidates.map(({ box: [x, y, , high] }) =>
    Math.min(...view.candidates.map(({ box }) => (box[0] > x && Math.abs(box[1] - y) < (box[3] + high) / 2 ? box[0] - x : side))) / LABEL);
  const usual = rooms.filter((room) => room < side / LABEL).sort((one, other) => one - other);
  const most = Math.min(Math.max(side / 24, 16 * pixel), usual[Math.floor(usual.length / 2)] ?? side);
  return rooms.map((room) => Math.max(side / 60, Math.min(most, room)));
}

function shape(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function boxes(svg, view) {
  const [width, height] = view.size;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const sizes = letters(svg, view);
  svg.replaceChildren(...view.candidates.flatMap((one, n) => {
    const kind = one.read ? "read" : "unread";
    const [x, y, wide, high] = one.box;
    const letter = sizes[n];
    const left = Math.max(0, Math.min(x - 2, width - LABEL * letter));
    const share = one.top.find(([label]) => label === String(one.digit))?.[1];
    const sure = one.read && share !== undefined ? [shape("tspan", { dx: letter / 6, "font-size": 0.72 * letter, "stroke-width": letter / 6 }, `${Math.floor(100 * share)}%`)] : [];
    return [
      shape("rect", { x: x - 3, y: y - 3, width: wide + 6, height: high + 6, rx: letter / 6, class: kind, "stroke-width": letter / 9 }),
      shape("text", { x: left, y: Math.max(letter, y - letter / 3), class: kind, "font-size": letter, "stroke-width": letter / 5 }, one.read ? String(one.digit) : "?", ...sure),
    ];
  }));
}

function entry() {
  const line = () => make("li", {}, make("b"), make("span"));
  const item = make("li", {}, make("img", { width: 84, height: 84 }), make("ol", { className: "top" }, line(), line(), line()), make("button", { className: "small" }));
  item.lastChild.addEventListener("click", () => correct(item.seen, item.view));
  return item;
}

// Entries stay and are filled anew: a button that was replaced under a finger would not be pressed.
function glyphs(list, view) {
  const many = view.candidates.length;
  while (list.children.length > many) list.lastChild.remove();
  while (list.children.length < many) list.append(entry());
  view.candidates.forEach((one, n) => {
    const item = list.children[n];
    const [image, top, button] = item.children;
    Object.assign(item, { seen: one, view, className: one.read ? "" : "unread" });
    Object.assign(image, { src: one.glyph, alt: one.read ? `read as ${one.digit}` : "not read" });
    one.top.forEach(([label, share], m) => {
      const line = top.children[m];
      line.children[0].textContent = label;
      line.children[1].textContent = percent(share);
      line.style.setProperty("--share", `${100 * share}%`);
    });
    button.textContent = one.read ? `not a ${one.digit}?` : "a digit?";
  });
  list.dataset.more = view.more ? `and ${view.more} more` : "";
}

const WHY = {
  blank: "nothing is written there", low_contrast: "too faint to be told from the paper", blurred: "too blurred: hold still, or focus",
  too_small: "too small: come nearer", clutter: "marks, but none of a digit's shape", uncertain: "may be digits, but the model is not sure",
};

// Lines of writing on one line, as edge read says them.
const flat = (text) => text.replaceAll("\n", " / ");

// The place of the text is always the same: what is long is written smaller, and what is longer still can be scrolled.
function write(output, text) {
  if (output.value === text) return;
  const place = output.parentElement;
  const over = () => place.scrollHeight > place.clientHeight;
  output.className = "";
  output.value = text;
  if (over()) output.className = "long";
  if (over()) place.tabIndex = 0; else place.removeAttribute("tabindex");
}

function show(prefix, view) {
  const { reading } = view;
  write($(`${prefix}-text`), flat(reading.text));
  const least = Math.min(...reading.digits.map((digit) => digit.confidence));
  $(`${prefix}-why`).textContent = reading.reason ? `${reading.reason}: ${WHY[reading.reason] || ""}`
    : `${reading.digits.length} digit${reading.digits.length > 1 ? "s" : ""}, the least sure ${percent(least)}; ${reading.elapsed_ms.toFixed(1)} ms`;
  $(`${prefix}-even`).src = view.pictures.even;
  $(`${prefix}-ink`).src = view.pictures.ink;
  boxes(document.querySelector(`#${prefix}-picture svg`), view);
  glyphs($(`${prefix}-glyphs`), view);
}

function picture(prefix, view) {
  const figure = $(`${prefix}-picture`);
  const image = figure.querySelector("img");
  image.src = view.pictures.grey;
  image.alt = view.reading.text ? `Camera picture; it reads ${flat(view.reading.text)}` : "Camera picture; nothing is read";
  image.hidden = false;
  figure.querySelector(".wait").hidden = true;
  show(prefix, view);
}

function pairs(list, entries) {
  list.replaceChildren(...entries.flatMap(([name, value]) => [make("dt", { textContent: name }), make("dd", { textContent: value })]));
}

// --- live

let stream = null;
let held = false;
const usual = {};

function look(on) {
  if (!on) { stream?.close(); stream = null; return; }
  if (stream) return;
  stream = new EventSource("/api/live");
  stream.addEventListener("view", (event) => {
    const view = JSON.parse(event.data);
    // What is asked about stays in sight.
    if (held || $("correct").open) return;
    picture("live", view);
    for (const [stage, ms] of Object.entries(view.stages_ms)) usual[stage] = usual[stage] === undefined ? ms : 0.8 * usual[stage] + 0.2 * ms;
    pairs($("live-times"), Object.entries(usual).map(([stage, ms]) => [stage, `${ms.toFixed(2)} ms`]));
  });
  stream.addEventListener("error", (event) => again(event.target));
}

$("hold").addEventListener("click", () => {
  held = !held;
  $("hold").setAttribute("aria-pressed", held);
});

// --- how it gets on, in all views: asked every now and then

const PULSE_MS = 2000;
let lost = false;

async function beat() {
  try {
    status(await ask("/api/status", { signal: AbortSignal.timeout(5000) }));
  } catch (error) {
    lost = true;
    if (!$("login").open) say(`${error.message}; trying again`, true);
    return;
  }
  if (!lost) return;
  lost = false;
  look(false);
  follow(false);
  turn();
}

// Nobody is asked while nobody looks, or while only a token helps.
async function pulse() {
  if (!document.hidden && !($("login").open && needed)) await beat();
  ages();
  setTimeout(pulse, PULSE_MS);
}

// A browser opens a stream again where the way broke; not where the device said no.
function again(source) {
  if (source.readyState === EventSource.CLOSED) lost = true;
}

// A screen reader says whatever changes here, so that nothing changes without need.
function say(text, bad) {
  if ($("state").textContent !== text) $("state").textContent = text;
  $("state").classList.toggle("bad", Boolean(bad));
  if (bad) $("fps").textContent = "";
}

const CAMERA = { starting: "waiting for the camera's first frame", stalled: "the camera gives no new frame", reopening: "opening the camera again" };

function status(now) {
  $("device").textContent = now.device;
  if (now.paused) say("paused", true);
  else if (now.camera !== "running") say(CAMERA[now.camera] || now.camera, true);
  else {
    say("reading");
    $("fps").textContent = ` · ${now.fps.toFixed(1)} frames a second`;
  }
  const facts = [["camera", now.source], ["model", now.model], ["frames", `${now.frames.toLocaleString()} read, ${now.dropped_frames.toLocaleString()} let go`]];
  if (now.temperature_celsius !== null) facts.push(["heat", `${now.temperature_celsius.toFixed(0)} °C${now.throttled ? ", throttled" : ""}`]);
  for (const one of now.publishers) facts.push([one.name, one.problem || (one.backlog ? `${one.backlog} wait, the oldest ${one.oldest_seconds} s` : one.connected ? "all sent" : "not connected")]);
  pairs($("live-facts"), facts);
}

// --- draw

const pad = $("pad");
const pen = pad.getContext("2d");
let strokes = [];
let photo = null;
let raw = null; // A file that the browser cannot show, until the device has.
let going = false;
let changed = false;

const empty = () => !strokes.length && !photo && !raw;

function paint() {
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, pad.width, pad.height);
  if (photo) pen.drawImage(photo, 0, 0, pad.width, pad.height);
  pen.strokeStyle = pen.fillStyle = "#111";
  pen.lineCap = pen.lineJoin = "round";
  for (const stroke of strokes) {
    pen.lineWidth = stroke.width;
    pen.beginPath();
    pen.moveTo(...stroke.points[0]);
    for (const point of stroke.points) pen.lineTo(...point);
    pen.stroke();
  }
  $("undo").disabled = !strokes.length;
  $("clear").disabled = empty();
}

// One request at a time; what changed meanwhile is sent when it is back.
async function readPad() {
  if (going) { changed = true; return; }
  if (empty()) return nothing("nothing drawn yet");
  going = true;
  const file = raw;
  try {
    const body = file ?? await new Promise((done) => pad.toBlob(done, "image/png"));
    const view = await ask("/api/read?stages", { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body });
    if (file && file === raw) lay(await loaded(view.pictures.grey));
    if (!empty()) show("draw", view);
  } catch (error) {
    nothing(error.message);
  } finally {
    going = false;
    if (changed) { changed = false; readPad(); }
  }
}

async function loaded(src) {
  const image = new Image();
  image.src = src;
  await image.decode();
  return image;
}

function nothing(why) {
  write($("draw-text"), "");
  $("draw-why").textContent = why;
  for (const id of ["draw-even", "draw-ink"]) $(id).src = EMPTY;
  document.querySelector("#draw-picture svg").replaceChildren();
  $("draw-glyphs").replaceChildren();
}

// Where the canvas stands in its frame: in the middle, and as large as it may be.
function place(event) {
  const frame = pad.getBoundingClientRect();
  const scale = Math.min(frame.width / pad.width, frame.height / pad.height);
  return [(event.clientX - frame.left - frame.width / 2) / scale + pad.width / 2, (event.clientY - frame.top - frame.height / 2) / scale + pad.height / 2];
}

pad.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  pad.setPointerCapture(event.pointerId);
  raw = null;
  strokes.push({ points: [place(event)], width: pad.width / 80, pointer: event.pointerId });
  paint();
});
pad.addEventListener("pointermove", (event) => {
  const stroke = strokes.at(-1);
  if (!stroke || stroke.pointer !== event.pointerId) return;
  for (const one of event.getCoalescedEvents?.() ?? [event]) stroke.points.push(place(one));
  paint();
  readPad();
});
for (const end of ["pointerup", "pointercancel"]) pad.addEventListener(end, () => {
  const stroke = strokes.at(-1);
  if (stroke) stroke.pointer = null;
  readPad();
});

function clear() {
  strokes = [];
  photo = raw = null;
  Object.assign(pad, { width: 800, height: 600 });
  paint();
  readPad();
}

// A picture, in place of what is on the canvas.
function lay(picture) {
  // The reader works on about a thousand pixels: more would only take longer on the way.
  const scale = Math.min(1, 2048 / Math.max(picture.width, picture.height));
  strokes = [];
  photo = picture;
  raw = null;
  Object.assign(pad, { width: Math.max(1, Math.round(picture.width * scale)), height: Math.max(1, Math.round(picture.height * scale)) });
  paint();
}

async function take(blob) {
  const picture = await createImageBitmap(blob, { imageOrientation: "from-image" }).catch(() => null);
  if (picture) lay(picture); else { clear(); raw = blob; paint(); }
  readPad();
}

$("undo").addEventListener("click", () => { strokes.pop(); paint(); readPad(); });
$("clear").addEventListener("click", clear);
$("file").addEventListener("change", (event) => { if (event.target.files[0]) take(event.target.files[0]); event.target.value = ""; });
const drop = $("draw-picture");
drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
});
addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files].find((one) => one.type.startsWith("image/"));
  if (file && !$("draw-view").hidden) take(file);
});

// A browser lends its camera to pages of its own machine and to https alone.
const video = $("video");
if (navigator.mediaDevices?.getUserMedia) $("lens").hidden = false;
$("camera").addEventListener("click", async () => {
  if (video.srcObject) {
    const shot = make("canvas", { width: video.videoWidth, height: video.videoHeight });
    shot.getContext("2d").drawImage(video, 0, 0);
    unplug();
    shot.toBlob(take, "image/png");
    return;
  }
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    await video.play();
    clear();
    video.hidden = $("unplug").hidden = false;
    $("camera").textContent = "Take the picture";
  } catch (error) {
    unplug();
    nothing(`the browser gives no camera (${error.name})`);
  }
});
$("unplug").addEventListener("click", unplug);

function unplug() {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  video.srcObject = null;
  video.hidden = $("unplug").hidden = true;
  $("camera").textContent = "This browser's camera";
}

// --- events

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

function ages() {
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

function follow(on) {
  if (!on) { listening?.close(); listening = null; return; }
  if (listening) return;
  listening = new EventSource("/api/events");
  listening.addEventListener("event", (event) => learn([JSON.parse(event.data)]));
  // After it listens, so that none is missed between.
  listening.addEventListener("open", () => ask(`/api/events?last=${MOST_EVENTS}`).then(({ events }) => learn(events), () => { lost = true; }));
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

// --- teach

const asking = { one: null, view: null };
$("correct").querySelector(".digits").append(...Array.from({ length: 10 }, (_, digit) => make("button", { value: String(digit), textContent: String(digit) })));

function correct(one, view) {
  Object.assign(asking, { one, view });
  const [label, share] = one.top[0];
  $("correct-glyph").src = one.glyph;
  $("correct-read").textContent = one.read ? `read as ${one.digit}, ${percent(share)} sure` : `not read; likeliest ${label}, ${percent(share)}`;
  $("correct").returnValue = "";
  $("correct").showModal();
}

// The place in the picture, with some of what is around it.
async function crop(one, view) {
  const image = await loaded(view.pictures.grey);
  const scale = image.naturalWidth / view.size[0];
  const [x, y, width, height] = one.box.map((n) => n * scale);
  const margin = Math.max(width, height) / 4;
  const left = Math.max(0, x - margin), top = Math.max(0, y - margin);
  const right = Math.min(image.naturalWidth, x + width + margin), bottom = Math.min(image.naturalHeight, y + height + margin);
  const size = Math.min(1, 128 / Math.max(right - left, bottom - top));
  const cut = make("canvas", { width: Math.max(1, Math.round((right - left) * size)), height: Math.max(1, Math.round((bottom - top) * size)) });
  cut.getContext("2d").drawImage(image, left, top, right - left, bottom - top, 0, 0, cut.width, cut.height);
  return cut.toDataURL("image/png");
}

$("correct").addEventListener("close", async () => {
  const said = $("correct").returnValue;
  if (!said) return;
  const { one, view } = asking;
  const label = said === "none" ? null : Number(said);
  try {
    const { id } = await ask("/api/corrections", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({
      label, read: one.read ? one.digit : null, confidence: one.top[0][1], source: view.reading.source, model: view.reading.model, glyph: one.glyph, crop: await crop(one, view),
    }) });
    toast(label === null ? "Kept: that is no digit." : `Kept: that is a ${label}.`, () => forget(id));
  } catch (error) {
    toast(`Not kept: ${error.message}`);
  }
});

let fading = 0;
function toast(text, undo) {
  const [span, button] = $("toast").children;
  span.textContent = text;
  button.hidden = !undo;
  button.onclick = async () => { $("toast").hidden = true; await undo(); };
  $("toast").hidden = false;
  clearTimeout(fading);
  fading = setTimeout(() => { $("toast").hidden = true; }, 6000);
}

async function forget(id) {
  await ask(`/api/corrections/${id}`, { method: "DELETE" }).catch((error) => toast(error.message));
  if (!$("teach-view").hidden) await taught();
}

const named = (digit) => (digit === null ? "no digit" : String(digit));

async function taught() {
  const said = await ask("/api/corrections").catch((error) => toast(error.message));
  if (!said) return;
  const { count, corrections, confusions } = said;
  $("no-taught").textContent = count > corrections.length ? `and ${count - corrections.length} older ones` : count ? "" : "nothing yet";
  $("taught").replaceChildren(...corrections.map((one) => {
    const undo = make("button", { className: "small", textContent: "Undo" });
    undo.addEventListener("click", () => forget(one.id));
    return make("li", {}, make("img", { src: one.crop || one.glyph, alt: `read as ${named(one.read)}, was ${named(one.label)}`, width: 84, height: 84, className: one.crop ? "crop" : "" }),
      make("p", {}, `${named(one.read)} → `, make("b", { textContent: named(one.label) })), undo);
  }));
  $("confusions").replaceChildren(...confusions.map((one) => make("tr", {}, ...[named(one.read), named(one.label), one.count].map((textContent) => make("td", { textContent })))));
}

// --- tune

let vision = null;
let trying = 0;

function knob(one) {
  const id = `knob-${one.name}`;
  const properties = { id, name: one.name, disabled: one.pinned, title: one.pinned ? "a flag or the environment sets this one" : "" };
  const input = one.type === "boolean" ? make("input", { ...properties, type: "checkbox" })
    : one.type === "integer" ? make("input", { ...properties, type: "range", min: one.least, max: one.most, step: one.most > 1000 ? 32 : 1 })
      : make("select", properties, ...one.choices.map((textContent) => make("option", { textContent })));
  input.setAttribute("aria-describedby", `${id}-what`);
  return make("div", { className: "knob" }, make("label", { htmlFor: id, textContent: one.name.replaceAll("_", " ") }), input,
    make("output", { htmlFor: id }), make("small", { id: `${id}-what`, textContent: one.description }));
}

const value = (input) => (input.type === "checkbox" ? input.checked : input.type === "range" ? input.valueAsNumber : input.value);

function turned() {
  return Object.fromEntries([...$("knobs").elements].filter((one) => one.name).map((one) => [one.name, value(one)]));
}

function differs() {
  const now = turned();
  for (const output of $("knobs").querySelectorAll("output")) {
    const text = String(typeof now[output.previousSibling.name] === "number" ? now[output.previousSibling.name] : "");
    if (output.value !== text) output.value = text;
  }
  const other = Object.keys(now).some((name) => now[name] !== vision.vision[name]);
  $("save").disabled = $("discard").disabled = !other;
}

function turnTo(values) {
  for (const [name, wanted] of Object.entries(values)) {
    const input = $(`knob-${name}`);
    if (input.disabled) continue;
    if (input.type === "checkbox") input.checked = wanted; else input.value = wanted;
  }
  differs();
}

// What is not saved yet stays as it stands, where that is asked for.
function tuned(said, keep = false) {
  vision = said;
  if (!$("knobs").children.length) {
    $("knobs").append(...said.settings.map(knob));
    // What a slider cannot stand at is shown as it is.
    for (const one of $("knobs").querySelectorAll("input[type=range]")) if ((said.vision[one.name] - one.min) % one.step) one.step = 1;
  }
  for (const [name, wanted] of keep ? [] : Object.entries(said.vision)) {
    const input = $(`knob-${name}`);
    if (input.type === "checkbox") input.checked = wanted; else input.value = wanted;
  }
  $("back").disabled = !said.back;
  differs();
}

async function tune(on) {
  const mine = ++trying;
  let told = false;
  while (on && mine === trying) {
    let pause = 150;
    try {
      if (!told) tuned(await ask("/api/vision"), !$("save").disabled);
      told = true;
      const view = await ask(`/api/vision/preview?${new URLSearchParams(turned())}`);
      if (mine === trying) picture("tune", view);
    } catch (error) {
      $("tune-why").textContent = error.message;
      pause = PULSE_MS;
    }
    await new Promise((done) => setTimeout(done, pause));
  }
}

async function change(path, method, said, body) {
  try {
    tuned(await ask(path, { method, headers: { "Content-Type": "application/json" }, body }));
    $("tune-state").textContent = said;
  } catch (error) {
    $("tune-state").textContent = error.message;
  }
}

$("knobs").addEventListener("input", differs);
$("knobs").addEventListener("submit", (event) => event.preventDefault());
$("save").addEventListener("click", () => change("/api/vision", "PUT", "Saved: the camera's pictures are cleaned so from now on.", JSON.stringify(turned())));
$("back").addEventListener("click", () => change("/api/vision/back", "POST", "The one before is in force again."));
$("discard").addEventListener("click", () => turnTo(vision.vision));
$("defaults").addEventListener("click", () => turnTo(Object.fromEntries(vision.settings.map((one) => [one.name, one.default]))));

// --- the token, and which view is open

// Without any token there is nothing to see; without the one for changes there is.
let needed = true;
function logIn(what) {
  needed = !what;
  $("login").returnValue = "";
  if (needed) say("a token is needed", true);
  $("login-what").textContent = what || "";
  $("not-now").hidden = needed;
  if (!$("login").open) $("login").showModal();
}
// Whether the token for changes was given.
function allowed() {
  logIn("To change something, the second of the device's two tokens is needed.");
  return new Promise((done) => $("login").addEventListener("close", () => done($("login").returnValue === "in"), { once: true }));
}
$("login").addEventListener("cancel", (event) => { if (needed) event.preventDefault(); });
$("not-now").addEventListener("click", () => $("login").close(""));
$("login").querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  await open($("token").value.trim());
});

async function open(token) {
  try {
    const { rights } = await ask("/api/login", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token }) });
    if (!needed && rights !== "change") throw new Error("this is the token that lets look; the other one is needed");
    $("login").close("in");
    $("token").value = $("login-why").textContent = "";
    lost = true;
    await beat();
  } catch (error) {
    $("login-why").textContent = error.message;
    logIn(needed ? "" : $("login-what").textContent);
  }
}

const VIEWS = ["live", "draw", "events", "teach", "tune"];
let chosen = "live";

function turn() {
  for (const link of document.querySelectorAll("nav a")) {
    const here = link.hash === `#${chosen}`;
    $(`${link.hash.slice(1)}-view`).hidden = !here;
    if (here) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
  }
  const seen = !document.hidden;
  look(seen && chosen === "live");
  follow(seen && chosen === "events");
  tune(seen && chosen === "tune");
  if (seen && chosen === "draw") readPad();
  if (seen && chosen === "teach") taught();
  if (chosen !== "draw") unplug();
}

// Which view is asked for; what is none, as the way to the content, leads out of none.
async function arrive() {
  const name = location.hash.slice(1) || "live";
  // A link that edge token makes; the token goes no further than this.
  const given = new URLSearchParams(name).get("token");
  if (given) history.replaceState(null, "", "/");
  $("toast").hidden = true;
  if (VIEWS.includes(name) && name !== chosen) {
    chosen = name;
    // As a link within a page does it: the next Tab leads into the view.
    $("main").focus();
    scrollTo(0, 0);
  }
  if (given) await open(given); else turn();
}
addEventListener("hashchange", arrive);
document.addEventListener("visibilitychange", turn);

paint();
arrive().then(pulse);
