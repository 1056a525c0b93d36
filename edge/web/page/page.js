// The page: no library, no build. It asks the same API that anybody may ask.
const $ = (id) => document.getElementById(id);
const EMPTY = $("draw-ink").src;
const SVG = "http://www.w3.org/2000/svg";
const percent = (share) => `${(100 * share).toFixed(share > 0.9995 || share < 0.0995 ? 0 : 1)} %`;

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

async function ask(path, options) {
  const answer = await fetch(path, options);
  if (answer.status === 401 && path !== "/api/login") logIn();
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

function glyphs(list, view) {
  list.replaceChildren(...view.candidates.map((one) => make("li", { className: one.read ? "" : "unread" },
    make("img", { src: one.glyph, alt: one.read ? `read as ${one.digit}` : "not read", width: 84, height: 84 }),
    make("ol", { className: "top" }, ...one.top.map(([label, share]) => {
      const line = make("li", {}, make("b", { textContent: label }), make("span", { textContent: percent(share) }));
      line.style.setProperty("--share", percent(share).replace(" ", ""));
      return line;
    })))));
  if (view.more) list.append(make("li", { textContent: `and ${view.more} more` }));
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

function pairs(list, entries) {
  list.replaceChildren(...entries.flatMap(([name, value]) => [make("dt", { textContent: name }), make("dd", { textContent: value })]));
}

// --- live

let stream = null;
const usual = {};

function look(on) {
  if (!on) { stream?.close(); stream = null; return; }
  if (stream) return;
  stream = new EventSource("/api/live");
  stream.addEventListener("view", (event) => {
    const view = JSON.parse(event.data);
    const figure = $("live-picture");
    const image = figure.querySelector("img");
    figure.style.aspectRatio = `${view.size[0]} / ${view.size[1]}`;
    image.src = view.pictures.grey;
    image.alt = view.reading.text ? `Camera picture; it reads ${view.reading.text}` : "Camera picture; nothing is read";
    image.hidden = false;
    figure.querySelector(".wait").hidden = true;
    show("live", view);
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

// --- the token, and which view is open

function logIn() {
  say("a token is needed", true);
  if (!$("login").open) $("login").showModal();
}
$("login").addEventListener("cancel", (event) => event.preventDefault());
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
    turn();
  } catch (error) {
    $("login-why").textContent = error.message;
    logIn();
  }
}

function turn() {
  const chosen = ["live", "draw", "events"].find((name) => location.hash === `#${name}`) || "live";
  for (const link of document.querySelectorAll("nav a")) {
    const here = link.hash === `#${chosen}`;
    $(link.hash.slice(1)).hidden = !here;
    if (here) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
  }
  const seen = !document.hidden;
  look(seen && chosen === "live");
  follow(seen && chosen === "events");
  if (chosen !== "draw") unplug();
}
addEventListener("hashchange", turn);
document.addEventListener("visibilitychange", turn);

paint();
const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) {
  history.replaceState(null, "", "/");
  await open(given);
} else {
  ask("/api/status").then(status).catch((error) => say(error.message, true));
  turn();
}
