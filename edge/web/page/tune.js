// Tune: a slider for each setting of [vision], with a preview of its effect.
import { $, make, POLL_MS, request } from "./common.js";
import { showFrame } from "./analysis.js";

let saved = null; // The device's answer: the settings in use, and what describes them.
let previews = 0;

function makeKnob(one) {
  const id = `knob-${one.name}`;
  const properties = { id, name: one.name, disabled: one.pinned, title: one.pinned ? "a flag or an environment variable sets this; it cannot be changed here" : "" };
  const input = one.type === "boolean" ? make("input", { ...properties, type: "checkbox" })
    : one.type === "integer" ? make("input", { ...properties, type: "range", min: one.least, max: one.most, step: one.most > 1000 ? 32 : 1 })
      : make("select", properties, ...one.choices.map((textContent) => make("option", { textContent })));
  input.setAttribute("aria-describedby", `${id}-description`);
  return make("div", { className: "knob" }, make("label", { htmlFor: id, textContent: one.name.replaceAll("_", " ") }), input,
    make("output", { htmlFor: id }), make("small", { id: `${id}-description`, textContent: one.description }));
}

const value = (input) => (input.type === "checkbox" ? input.checked : input.type === "range" ? input.valueAsNumber : input.value);

function chosenValues() {
  return Object.fromEntries([...$("knobs").elements].filter((one) => one.name).map((one) => [one.name, value(one)]));
}

function updateKnobs() {
  const now = chosenValues();
  for (const output of $("knobs").querySelectorAll("output")) {
    const text = String(typeof now[output.previousSibling.name] === "number" ? now[output.previousSibling.name] : "");
    if (output.value !== text) output.value = text;
  }
  const changed = Object.keys(now).some((name) => now[name] !== saved.vision[name]);
  $("save").disabled = $("discard").disabled = !changed;
}

function setKnobs(values) {
  for (const [name, wanted] of Object.entries(values)) {
    const input = $(`knob-${name}`);
    if (input.disabled) continue;
    if (input.type === "checkbox") input.checked = wanted; else input.value = wanted;
  }
  updateKnobs();
}

// Shows the settings in use; with `keep`, the values of the sliders stay as they are.
function showSettings(answer, keep = false) {
  saved = answer;
  if (!$("knobs").children.length) {
    $("knobs").append(...answer.settings.map(makeKnob));
    // A value between two steps of the slider is shown exactly.
    for (const one of $("knobs").querySelectorAll("input[type=range]")) if ((answer.vision[one.name] - one.min) % one.step) one.step = 1;
  }
  for (const [name, wanted] of keep ? [] : Object.entries(answer.vision)) {
    const input = $(`knob-${name}`);
    if (input.type === "checkbox") input.checked = wanted; else input.value = wanted;
  }
  $("restore").disabled = !answer.back;
  updateKnobs();
}

export async function previewTuning(on) {
  const mine = ++previews;
  let loaded = false;
  while (on && mine === previews) {
    let pause = 150;
    try {
      if (!loaded) showSettings(await request("/api/vision"), !$("save").disabled);
      loaded = true;
      const analysis = await request(`/api/vision/preview?${new URLSearchParams(chosenValues())}`);
      if (mine === previews) showFrame("tune", analysis);
    } catch (error) {
      $("tune-note").textContent = error.message;
      pause = POLL_MS;
    }
    await new Promise((done) => setTimeout(done, pause));
  }
}

async function change(path, method, done, body) {
  try {
    showSettings(await request(path, { method, headers: { "Content-Type": "application/json" }, body }));
    $("tune-state").textContent = done;
  } catch (error) {
    $("tune-state").textContent = error.message;
  }
}

$("knobs").addEventListener("input", updateKnobs);
$("knobs").addEventListener("submit", (event) => event.preventDefault());
$("save").addEventListener("click", () => change("/api/vision", "PUT", "Saved: frames are cleaned with these settings from now on.", JSON.stringify(chosenValues())));
$("restore").addEventListener("click", () => change("/api/vision/back", "POST", "The previous settings are in use again."));
$("discard").addEventListener("click", () => setKnobs(saved.vision));
$("defaults").addEventListener("click", () => setKnobs(Object.fromEntries(saved.settings.map((one) => [one.name, one.default]))));
