// The page: which view is open, and the state of the device. It needs no library and no build.
import { $, connection, fillList, openLogin, POLL_MS, request, setState, tokenRequired } from "./common.js";
import { readCanvas, stopCamera } from "./draw.js";
import { streamEvents, updateAges } from "./events.js";
import { streamFrames } from "./live.js";
import { loadCorrections } from "./teach.js";
import { previewTuning } from "./tune.js";

// --- the state of the device, shown in all views and requested at intervals

async function updateStatus() {
  try {
    showStatus(await request("/api/status", { signal: AbortSignal.timeout(5000) }));
  } catch (error) {
    connection.lost = true;
    if (!$("login").open) setState(`${error.message}; trying again`, true);
    return;
  }
  if (!connection.lost) return;
  connection.lost = false;
  streamFrames(false);
  streamEvents(false);
  showView();
}

// Nothing is requested while the page is hidden, or while it waits for a token.
async function poll() {
  if (!document.hidden && !($("login").open && tokenRequired)) await updateStatus();
  updateAges();
  setTimeout(poll, POLL_MS);
}

const CAMERA = { starting: "waiting for the camera's first frame", stalled: "the camera sends no new frames", reopening: "reopening the camera" };

function showStatus(now) {
  $("device").textContent = now.device;
  if (now.paused) setState("paused", true);
  else if (now.camera !== "running") setState(CAMERA[now.camera] || now.camera, true);
  else {
    setState("reading");
    $("fps").textContent = ` · ${now.fps.toFixed(1)} frames per second`;
  }
  showProblem(now.camera === "running" ? "" : now.camera_problem);
  const facts = [["source", now.source], ["model", now.model], ["frames", `${now.frames.toLocaleString()} read, ${now.dropped_frames.toLocaleString()} skipped`]];
  if (now.temperature_celsius !== null) facts.push(["temperature", `${now.temperature_celsius.toFixed(0)} °C${now.throttled ? ", throttled" : ""}`]);
  for (const one of now.publishers) facts.push([one.name, one.problem || (one.backlog ? `${one.backlog} waiting, the oldest for ${one.oldest_seconds} s` : one.connected ? "all sent" : "not connected")]);
  fillList($("live-facts"), facts);
}

// Why no picture comes, over the last one, if there is one.
function showProblem(problem) {
  for (const place of document.querySelectorAll("#live-picture .placeholder, #tune-picture .placeholder")) {
    const text = problem || "no picture yet";
    if (place.textContent !== text) place.textContent = text;
    place.hidden = !problem && !place.parentElement.querySelector("img").hidden;
  }
}

// --- which view is open

const VIEWS = ["live", "draw", "events", "teach", "tune"];
let chosen = "live";

function showView() {
  for (const link of document.querySelectorAll("nav a")) {
    const here = link.hash === `#${chosen}`;
    $(`${link.hash.slice(1)}-view`).hidden = !here;
    if (here) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
  }
  const visible = !document.hidden;
  streamFrames(visible && chosen === "live");
  streamEvents(visible && chosen === "events");
  previewTuning(visible && chosen === "tune");
  if (visible && chosen === "draw") readCanvas();
  if (visible && chosen === "teach") loadCorrections();
  if (chosen !== "draw") stopCamera();
}

// Opens the view that the address names. Another name, such as that of the skip link, leaves the view as it is.
async function openAddress() {
  const name = location.hash.slice(1) || "live";
  // The token in a link of `edge token` is removed from the address at once.
  const token = new URLSearchParams(name).get("token");
  if (token) history.replaceState(null, "", "/");
  $("toast").hidden = true;
  if (VIEWS.includes(name) && name !== chosen) {
    chosen = name;
    // Like any link within a page: the next Tab key leads into the view.
    $("main").focus();
    scrollTo(0, 0);
  }
  if (token) await logIn(token); else showView();
}
addEventListener("hashchange", openAddress);
document.addEventListener("visibilitychange", showView);

// --- log in with a token

$("login").querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  await logIn($("token").value.trim());
});

async function logIn(token) {
  try {
    const { rights } = await request("/api/login", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token }) });
    if (!tokenRequired && rights !== "change") throw new Error("this token only lets you look; enter the one that allows changes");
    $("login").close("in");
    $("token").value = $("login-error").textContent = "";
    connection.lost = true;
    await updateStatus();
  } catch (error) {
    $("login-error").textContent = error.message;
    openLogin(tokenRequired ? "" : $("login-reason").textContent);
  }
}

openAddress().then(poll);
