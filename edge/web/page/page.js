// The page: no library, no build. Which view is open, and how the device gets on.
import { $, ask, logIn, needed, pairs, PULSE_MS, say, way } from "./common.js";
import { readPad, unplug } from "./draw.js";
import { ages, follow } from "./events.js";
import { look } from "./live.js";
import { taught } from "./teach.js";
import { tune } from "./tune.js";

// --- how it gets on, in all views: asked every now and then

async function beat() {
  try {
    status(await ask("/api/status", { signal: AbortSignal.timeout(5000) }));
  } catch (error) {
    way.lost = true;
    if (!$("login").open) say(`${error.message}; trying again`, true);
    return;
  }
  if (!way.lost) return;
  way.lost = false;
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

// --- which view is open

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

// --- a token is given

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
    way.lost = true;
    await beat();
  } catch (error) {
    $("login-why").textContent = error.message;
    logIn(needed ? "" : $("login-what").textContent);
  }
}

arrive().then(pulse);
