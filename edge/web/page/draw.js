// Draw: a canvas, a photograph, or the browser's own camera, read by the device.
import { $, ask, loaded, make } from "./common.js";
import { show, write } from "./seen.js";

const EMPTY = $("draw-ink").src;
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
export async function readPad() {
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

export function unplug() {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  video.srcObject = null;
  video.hidden = $("unplug").hidden = true;
  $("camera").textContent = "This browser's camera";
}

paint();
