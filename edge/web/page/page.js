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
  const answer = await fetch(path, options);
  if (answer.status === 401 && path !== "/api/login") logIn();
  if (answer.status === 403 && options?.method) logIn("To change something, the second of the device's two tokens is needed.");
  if (answer.status === 204) return null;
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error || `the device answers ${answer.status}`);
  return answer.json();
}

// --- what was seen: boxes on the picture, the stages, each glyph with its three likeliest digits

function boxes(svg, view) {
  const [width, height] = view.size;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const letter = Math.max(width, height) / 24;
  const shapes = [];
  for (const one of view.candidates) {
    const kind = one.read ? "read" : "unread";
    const [x, y, wide, high] = one.box;
    const rect = document.createElementNS(SVG, "rect");
    for (const [name, value] of Object.entries({ x: x - 3, y: y - 3, width: wide + 6, height: high + 6, rx: letter / 6, class: kind, "stroke-width": letter / 9 })) rect.setAttribute(name, value);
    const text = document.createElementNS(SVG, "text");
    const above = y - letter / 3 > letter;
    for (const [name, value] of Object.entries({ x: x - 2, y: above ? y - letter / 3 : y + high + letter, class: kind })) text.setAttribute(name, value);
    text.style.fontSize = `${letter}px`;
    text.style.strokeWidth = `${letter / 5}px`;
    text.textContent = one.read ? String(one.digit) : "?";
    shapes.push(rect, text);
  }
  svg.replaceChildren(...shapes);
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

function show(prefix, view) {
  const { reading } = view;
  const text = $(`${prefix}-text`);
  if (text.value !== reading.text) text.value = reading.text;
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
  figure.style.aspectRatio = `${view.size[0]} / ${view.size[1]}`;
  image.src = view.pictures.grey;
  image.alt = view.reading.text ? `Camera picture; it reads ${view.reading.text}` : "Camera picture; nothing is read";
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
  stream.addEventListener("status", (event) => status(JSON.parse(event.data)));
  stream.addEventListener("error", () => {
    if (!$("login").open) say("the device does not answer; trying again", true);
    // Who is not let in learns it here alone; the browser itself tries again only where the way broke.
    ask("/api/status").catch(() => {});
    if (stream?.readyState === EventSource.CLOSED) {
      look(false);
      setTimeout(turn, 2000);
    }
  });
}

$("hold").addEventListener("click", () => {
  held = !held;
  $("hold").setAttribute("aria-pressed", held);
});

function say(text, bad) {
  $("state").textContent = text;
  $("state").classList.toggle("bad", Boolean(bad));
}

const CAMERA = { starting: "waiting for the camera's first frame", stalled: "the camera gives no new frame", reopening: "opening the camera again" };

function status(now) {
  $("device").textContent = now.device;
  if (now.paused) say("paused", true);
  else if (now.camera !== "running") say(CAMERA[now.camera] || now.camera, true);
  else say(`reading · ${now.fps.toFixed(1)} frames a second`);
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
let going = false;
let again = false;

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
  $("clear").disabled = !strokes.length && !photo;
}

// One request at a time; what changed meanwhile is sent when it is back.
async function readPad() {
  if (going) { again = true; return; }
  if (!strokes.length && !photo) return nothing("nothing drawn yet");
  going = true;
  try {
    const blob = await new Promise((done) => pad.toBlob(done, "image/png"));
    const view = await ask("/api/read?stages", { method: "POST", headers: { "Content-Type": "image/png" }, body: blob });
    if (strokes.length || photo) show("draw", view);
  } catch (error) {
    nothing(error.message);
  } finally {
    going = false;
    if (again) { again = false; readPad(); }
  }
}

function nothing(why) {
  $("draw-text").value = "";
  $("draw-why").textContent = why;
  for (const id of ["draw-even", "draw-ink"]) $(id).src = EMPTY;
  document.querySelector("#draw-picture svg").replaceChildren();
  $("draw-glyphs").replaceChildren();
}

function place(event) {
  const frame = pad.getBoundingClientRect();
  return [(event.clientX - frame.left) * pad.width / frame.width, (event.clientY - frame.top) * pad.height / frame.height];
}

pad.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  pad.setPointerCapture(event.pointerId);
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

function size(width, height) {
  Object.assign(pad, { width, height });
  $("draw-picture").style.aspectRatio = `${width} / ${height}`;
}

function clear() {
  strokes = [];
  photo = null;
  size(800, 400);
  paint();
  readPad();
}

async function take(blob) {
  let picture;
  try {
    picture = await createImageBitmap(blob, { imageOrientation: "from-image" });
  } catch {
    nothing("this is no picture that the browser can show");
    return;
  }
  // The reader works on about a thousand pixels: more would only take longer on the way.
  const scale = Math.min(1, 2048 / Math.max(picture.width, picture.height));
  strokes = [];
  photo = picture;
  size(Math.max(1, Math.round(picture.width * scale)), Math.max(1, Math.round(picture.height * scale)));
  paint();
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
  if (file && !$("draw").hidden) take(file);
});

// A browser lends its camera to pages of its own machine and to https alone.
const video = $("video");
if (navigator.mediaDevices?.getUserMedia) $("camera").hidden = false;
$("camera").addEventListener("click", async () => {
  if (video.srcObject) {
    pad.hidden = false;
    const shot = document.createElement("canvas");
    Object.assign(shot, { width: video.videoWidth, height: video.videoHeight });
    shot.getContext("2d").drawImage(video, 0, 0);
    unplug();
    shot.toBlob(take, "image/png");
    return;
  }
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    await video.play();
    video.hidden = false;
    $("camera").textContent = "Take the picture";
  } catch (error) {
    unplug();
    nothing(`the browser gives no camera (${error.name})`);
  }
});

function unplug() {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  video.srcObject = null;
  video.hidden = true;
  $("camera").textContent = "This device's camera";
}

// --- events

const known = [];
let listening = null;

function row(event) {
  const at = new Date(event.at);
  const [kind, text, before, sure] = event.event
    ? [event.event, event.text, event.before, percent(event.confidence)]
    : [event.notice, event.state, event.reason || "", ""];
  return make("tr", {}, make("td", {}, make("time", { dateTime: event.at, textContent: at.toLocaleString() })),
    ...[kind, text.replaceAll("\n", " / "), before.replaceAll("\n", " / "), sure].map((textContent) => make("td", { textContent })));
}

function list() {
  const wanted = $("filter-text").value.trim();
  const kind = $("filter-kind").value;
  const shown = known.filter((one) => (!kind || kind === (one.event || one.notice)) && (!wanted || JSON.stringify([one.text, one.before, one.state]).includes(wanted)));
  $("rows").replaceChildren(...shown.slice(0, 500).map(row));
  $("no-rows").textContent = shown.length ? "" : known.length ? "none of this kind" : "nothing yet";
}

async function follow(on) {
  if (!on) { listening?.close(); listening = null; return; }
  if (listening) return;
  listening = new EventSource("/api/events");
  listening.addEventListener("event", (event) => { known.unshift(JSON.parse(event.data)); known.length = Math.min(known.length, 2000); list(); });
  // After it listens, so that none is missed between.
  listening.addEventListener("open", async () => {
    const { events } = await ask("/api/events?last=500").catch(() => ({ events: [] }));
    const keys = new Set(events.map((one) => `${one.boot_id}:${one.seq}`));
    known.splice(0, known.length, ...known.filter((one) => !keys.has(`${one.boot_id}:${one.seq}`)), ...events.reverse());
    known.sort((a, b) => (a.at < b.at ? 1 : -1));
    list();
  });
}
for (const id of ["filter-text", "filter-kind"]) $(id).addEventListener("input", list);
$("filter").addEventListener("submit", (event) => event.preventDefault());

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
  const image = new Image();
  image.src = view.pictures.grey;
  await image.decode();
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
  fading = setTimeout(() => { $("toast").hidden = true; }, 10000);
}

async function forget(id) {
  await ask(`/api/corrections/${id}`, { method: "DELETE" }).catch((error) => toast(error.message));
  if (!$("teach").hidden) await taught();
}

const named = (digit) => (digit === null ? "no digit" : String(digit));

async function taught() {
  const { count, corrections, confusions } = await ask("/api/corrections").catch((error) => { toast(error.message); return { count: 0, corrections: [], confusions: [] }; });
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
  for (const output of $("knobs").querySelectorAll("output")) output.value = typeof now[output.previousSibling.name] === "number" ? now[output.previousSibling.name] : "";
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

function tuned(said) {
  vision = said;
  if (!$("knobs").children.length) {
    $("knobs").append(...said.settings.map(knob));
    // What a slider cannot stand at is shown as it is.
    for (const one of $("knobs").querySelectorAll("input[type=range]")) if ((said.vision[one.name] - one.min) % one.step) one.step = 1;
  }
  for (const [name, wanted] of Object.entries(said.vision)) {
    const input = $(`knob-${name}`);
    if (input.type === "checkbox") input.checked = wanted; else input.value = wanted;
  }
  $("back").disabled = !said.back;
  differs();
}

async function tune(on) {
  const mine = ++trying;
  if (!on) return;
  try {
    tuned(await ask("/api/vision"));
  } catch (error) {
    $("tune-state").textContent = error.message;
    return;
  }
  while (mine === trying) {
    try {
      picture("tune", await ask(`/api/vision/preview?${new URLSearchParams(turned())}`));
    } catch (error) {
      $("tune-why").textContent = error.message;
    }
    await new Promise((done) => setTimeout(done, 150));
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
  if (needed) say("a token is needed", true);
  $("login-what").textContent = what || "";
  $("not-now").hidden = needed;
  if (!$("login").open) $("login").showModal();
}
$("login").addEventListener("cancel", (event) => { if (needed) event.preventDefault(); });
$("not-now").addEventListener("click", () => $("login").close());
$("login").querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  await open($("token").value.trim());
});

async function open(token) {
  try {
    await ask("/api/login", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token }) });
    $("login").close();
    look(false);
    follow(false);
    $("token").value = "";
    turn();
  } catch (error) {
    $("login-why").textContent = error.message;
    logIn(needed ? "" : $("login-what").textContent);
  }
}

function turn() {
  const chosen = ["live", "draw", "events", "teach", "tune"].find((name) => location.hash === `#${name}`) || "live";
  for (const link of document.querySelectorAll("nav a")) {
    const here = link.hash === `#${chosen}`;
    $(link.hash.slice(1)).hidden = !here;
    if (here) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
  }
  const seen = !document.hidden;
  look(seen && chosen === "live");
  follow(seen && chosen === "events");
  tune(seen && chosen === "tune");
  if (seen && chosen === "teach") taught();
  if (chosen !== "draw") unplug();
}

// A link that edge token makes; the token goes no further than this.
async function arrive() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    history.replaceState(null, "", "/");
    await open(given);
  } else {
    ask("/api/status").then(status).catch((error) => say(error.message, true));
    turn();
  }
}
addEventListener("hashchange", arrive);
document.addEventListener("visibilitychange", turn);

paint();
arrive();
