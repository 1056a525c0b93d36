// Live: the camera's frames, while the view is open.
import { $, checkStream, fillList } from "./common.js";
import { showFrame } from "./analysis.js";

let stream = null;
let frozen = false;
const averageMs = {};

export function streamFrames(on) {
  if (!on) { stream?.close(); stream = null; return; }
  if (stream) return;
  stream = new EventSource("/api/live");
  stream.addEventListener("view", (event) => {
    const analysis = JSON.parse(event.data);
    // The picture does not change while the user corrects a digit in it.
    if (frozen || $("correct").open) return;
    showFrame("live", analysis);
    for (const [stage, ms] of Object.entries(analysis.stages_ms)) averageMs[stage] = averageMs[stage] === undefined ? ms : 0.8 * averageMs[stage] + 0.2 * ms;
    fillList($("live-times"), Object.entries(averageMs).map(([stage, ms]) => [stage, `${ms.toFixed(2)} ms`]));
  });
  stream.addEventListener("error", (event) => checkStream(event.target));
}

$("freeze").addEventListener("click", () => {
  frozen = !frozen;
  $("freeze").setAttribute("aria-pressed", frozen);
});
