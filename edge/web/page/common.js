// Used by all views: find and make elements, ask the device, log in, show the state of the device.

export const $ = (id) => document.getElementById(id);
// Rounded down, so that 99.96 % is not shown as 100 %.
export const percent = (share) => `${share < 0.1 ? Math.floor(100 * share) : (Math.floor(1000 * share) / 10).toFixed(1)} %`;

export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// Several lines of digits on one line, with slashes between, as `edge read` prints them.
export const oneLine = (text) => text.replaceAll("\n", " / ");

export function fillList(list, entries) {
  list.replaceChildren(...entries.flatMap(([name, value]) => [make("dt", { textContent: name }), make("dd", { textContent: value })]));
}

export async function loadImage(src) {
  const image = new Image();
  image.src = src;
  await image.decode();
  return image;
}

// --- the device, through the public HTTP API

export async function request(path, options) {
  const answer = await fetch(path, options).catch(() => { throw new Error("the device does not answer"); });
  if (answer.status === 401 && path !== "/api/login") openLogin();
  // A change is sent again after the user has given the token for changes.
  if (answer.status === 403 && options?.method && await askForChangeToken()) return request(path, options);
  if (answer.status === 204) return null;
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error || `the device answers ${answer.status}`);
  return answer.json();
}

// The status is requested at this interval, also while the device does not answer.
export const POLL_MS = 2000;
// Whether the device could not be reached: then the streams have to be opened again.
export const connection = { lost: false };

// A browser reopens a stream after a network error, but not after the device refused it.
export function checkStream(source) {
  if (source.readyState === EventSource.CLOSED) connection.lost = true;
}

// A screen reader reads each change of this text aloud, so it is only set when it differs.
export function setState(text, bad) {
  if ($("state").textContent !== text) $("state").textContent = text;
  $("state").classList.toggle("bad", Boolean(bad));
  if (bad) $("fps").textContent = "";
}

// --- the token

// Whether nothing can be seen without a token. False if only changes need one.
export let tokenRequired = true;

export function openLogin(reason) {
  tokenRequired = !reason;
  $("login").returnValue = "";
  if (tokenRequired) setState("a token is needed", true);
  $("login-reason").textContent = reason || "";
  $("login-cancel").hidden = tokenRequired;
  if (!$("login").open) $("login").showModal();
}

// Resolves to whether the user gave the token for changes.
function askForChangeToken() {
  openLogin("To change something, enter the token that allows changes.");
  return new Promise((done) => $("login").addEventListener("close", () => done($("login").returnValue === "in"), { once: true }));
}

$("login").addEventListener("cancel", (event) => { if (tokenRequired) event.preventDefault(); });
$("login-cancel").addEventListener("click", () => $("login").close(""));
