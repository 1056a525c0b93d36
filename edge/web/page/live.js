// Live: what the camera sees, as long as somebody looks.
import { $, again, pairs } from "./common.js";
import { picture } from "./seen.js";

let stream = null;
let held = false;
const usual = {};

export function look(on) {
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
  stream.addEventListener("error", (event) => again(event.target));
}

$("hold").addEventListener("click", () => {
  held = !held;
  $("hold").setAttribute("aria-pressed", held);
});
