// Tune: sliders, and beside them what they do.
import { $, ask, make, PULSE_MS } from "./common.js";
import { picture } from "./seen.js";

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

export async function tune(on) {
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
