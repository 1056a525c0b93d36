// Draw: digits on a canvas, a photograph, or the browser's own camera, read by the device.
import { $, loadImage, make, request } from "./common.js";
import { setReading, showAnalysis } from "./analysis.js";

const EMPTY = $("draw-ink").src;
const pad = $("pad");
const pen = pad.getContext("2d");
let strokes = [];
let photo = null;
let undecoded = null; // A file that the browser cannot show, until the device has decoded it.
let reading = false;
let changed = false;

const isEmpty = () => !strokes.length && !photo && !undecoded;

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
  $("clear").disabled = isEmpty();
}

// One request at a time. If the canvas changed meanwhile, it is sent again after the answer.
export async function readCanvas() {
  if (reading) { changed = true; return; }
  if (isEmpty()) return showNothing("nothing drawn yet");
  setBusy(true);
  const file = undecoded;
  try {
    const body = file ?? await new Promise((done) => pad.toBlob(done, "image/png"));
    const analysis = await request("/api/read?stages", { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body });
    if (file && file === undecoded) putOnCanvas(await loadImage(analysis.pictures.grey));
    if (!isEmpty()) showAnalysis("draw", analysis);
  } catch (error) {
    showNothing(error.message);
  } finally {
    setBusy(false);
    if (changed) { changed = false; readCanvas(); }
  }
}

function setBusy(now) {
  reading = now;
  // What half a stroke reads as is not announced by a screen reader.
  $("draw-text").ariaBusy = String(now);
}

function showNothing(reason) {
  setReading($("draw-text"), "");
  $("draw-note").textContent = reason;
  for (const id of ["draw-even", "draw-ink"]) $(id).src = EMPTY;
  document.querySelector("#draw-picture svg").replaceChildren();
  $("draw-glyphs").replaceChildren();
}

// Where the pointer is, in pixels of the canvas, which is centred in its frame and scaled to fit.
function canvasPoint(event) {
  const frame = pad.getBoundingClientRect();
  const scale = Math.min(frame.width / pad.width, frame.height / pad.height);
  return [(event.clientX - frame.left - frame.width / 2) / scale + pad.width / 2, (event.clientY - frame.top - frame.height / 2) / scale + pad.height / 2];
}

pad.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  pad.setPointerCapture(event.pointerId);
  undecoded = null;
  strokes.push({ points: [canvasPoint(event)], width: pad.width / 80, pointer: event.pointerId });
  paint();
});
pad.addEventListener("pointermove", (event) => {
  const stroke = strokes.at(-1);
  if (!stroke || stroke.pointer !== event.pointerId) return;
  for (const one of event.getCoalescedEvents?.() ?? [event]) stroke.points.push(canvasPoint(one));
  paint();
  readCanvas();
});
for (const end of ["pointerup", "pointercancel"]) pad.addEventListener(end, () => {
  const stroke = strokes.at(-1);
  if (stroke) stroke.pointer = null;
  readCanvas();
});

function clear() {
  strokes = [];
  photo = undecoded = null;
  Object.assign(pad, { width: 800, height: 600 });
  paint();
  readCanvas();
}

// Replaces what is on the canvas by a picture.
function putOnCanvas(picture) {
  // The reader works on about 1000 pixels a side: a larger picture would only take longer to send.
  const scale = Math.min(1, 2048 / Math.max(picture.width, picture.height));
  strokes = [];
  photo = picture;
  undecoded = null;
  Object.assign(pad, { width: Math.max(1, Math.round(picture.width * scale)), height: Math.max(1, Math.round(picture.height * scale)) });
  paint();
}

async function readFile(blob) {
  const picture = await createImageBitmap(blob, { imageOrientation: "from-image" }).catch(() => null);
  if (picture) putOnCanvas(picture); else { clear(); undecoded = blob; paint(); }
  readCanvas();
}

$("undo").addEventListener("click", () => { strokes.pop(); paint(); readCanvas(); });
$("clear").addEventListener("click", clear);
$("file").addEventListener("change", (event) => { if (event.target.files[0]) readFile(event.target.files[0]); event.target.value = ""; });
const drop = $("draw-picture");
drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  if (event.dataTransfer.files[0]) readFile(event.dataTransfer.files[0]);
});
addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files].find((one) => one.type.startsWith("image/"));
  if (file && !$("draw-view").hidden) readFile(file);
});

// A browser lets only pages of its own machine, and pages over https, use its camera.
const video = $("video");
if (navigator.mediaDevices?.getUserMedia) $("camera-tools").hidden = false;
$("camera").addEventListener("click", async () => {
  if (video.srcObject) {
    const shot = make("canvas", { width: video.videoWidth, height: video.videoHeight });
    shot.getContext("2d").drawImage(video, 0, 0);
    stopCamera();
    shot.toBlob(readFile, "image/png");
    return;
  }
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    await video.play();
    clear();
    video.hidden = $("stop-camera").hidden = false;
    $("camera").textContent = "Take a picture";
  } catch (error) {
    stopCamera();
    showNothing(`the browser's camera cannot be used (${error.name}): allow it, or choose a photograph`);
  }
});
$("stop-camera").addEventListener("click", stopCamera);

export function stopCamera() {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  video.srcObject = null;
  video.hidden = $("stop-camera").hidden = true;
  $("camera").textContent = "Use the browser's camera";
}

paint();
