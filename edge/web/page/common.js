// What all views have in common: finding and making elements, asking the device, the token, saying how it gets on.

export const $ = (id) => document.getElementById(id);
// Never more than it is: 99.96 % is not sure.
export const percent = (share) => `${share < 0.1 ? Math.floor(100 * share) : (Math.floor(1000 * share) / 10).toFixed(1)} %`;

export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// Lines of writing on one line, as edge read says them.
export const flat = (text) => text.replaceAll("\n", " / ");

export function pairs(list, entries) {
  list.replaceChildren(...entries.flatMap(([name, value]) => [make("dt", { textContent: name }), make("dd", { textContent: value })]));
}

export async function loaded(src) {
  const image = new Image();
  image.src = src;
  await image.decode();
  return image;
}

// --- the same API that anybody may ask

export async function ask(path, options) {
  const answer = await fetch(path, options).catch(() => { throw new Error("the device does not answer"); });
  if (answer.status === 401 && path !== "/api/login") logIn();
  // What was to be changed is asked again once it may be.
  if (answer.status === 403 && options?.method && await allowed()) return ask(path, options);
  if (answer.status === 204) return null;
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error || `the device answers ${answer.status}`);
  return answer.json();
}

// While the device does not answer, it is asked again so often.
export const PULSE_MS = 2000;
// Whether the way to it broke, and what was open has to be opened again.
export const way = { lost: false };

// A browser opens a stream again where the way broke; not where the device said no.
export function again(source) {
  if (source.readyState === EventSource.CLOSED) way.lost = true;
}

// A screen reader says whatever changes here, so that nothing changes without need.
export function say(text, bad) {
  if ($("state").textContent !== text) $("state").textContent = text;
  $("state").classList.toggle("bad", Boolean(bad));
  if (bad) $("fps").textContent = "";
}

// --- the token

// Without any token there is nothing to see; without the one for changes there is.
export let needed = true;

export function logIn(what) {
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
