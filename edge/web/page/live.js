// Live: the camera's frames, while the view is open.
import { $, checkStream, fillList } from "./common.js";
import { showFrame } from "./analysis.js";

let stream = null;
let frozen = false;
let bestSharpness = 0; // Since the view was opened, the button was pressed, or frames got another size.
let aimedSize = "";
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
  stream.addEventListener("aim", (event) => { if (!frozen) showAim(JSON.parse(event.data)); });
  stream.addEventListener("error", (event) => checkStream(event.target));
}

$("freeze").addEventListener("click", () => {
  frozen = !frozen;
  $("freeze").setAttribute("aria-pressed", frozen);
});

// --- how well the camera is aimed

const LIGHT = { enough: "enough", dark: "too dark", bright: "over-exposed", noisy: "too little: noise" };
const whole = (share) => `${Math.round(100 * share)} %`;

function showAim(aim) {
  const found = Object.entries(aim.found).map(([name, value]) => `${name}=${value}`).join("&");
  bestSharpness = Math.max(String(aim.size) === aimedSize ? bestSharpness : 0, aim.sharpness);
  aimedSize = String(aim.size);
  const share = bestSharpness ? aim.sharpness / bestSharpness : 0;
  // A screen reader reads each change aloud, so it is only set when it differs.
  const step = aim.next_step ?? "the view is good";
  if ($("aim-step").textContent !== step) $("aim-step").textContent = step;
  $("aim-step").className = aim.next_step ? "bad" : "good";
  $("aim-sharpness").value = share;
  $("aim-share").textContent = `${whole(share)} of the best${{ true: ", sharp", false: ", blurred" }[aim.is_sharp] ?? ""}`;
  fillList($("aim-facts"), [
    ["digits", aim.digit_pixels === null ? "–" : `${Math.floor(aim.digit_pixels)} pixels tall, ${aim.needed_pixels} are needed`],
    ["light", `${LIGHT[aim.light]}, paper ${aim.paper} of 255`],
    ["clipped", `${(100 * aim.white_share).toFixed(1)} % white, ${(100 * aim.black_share).toFixed(1)} % black`],
    ["tilt", aim.tilt_degrees === null ? "–" : `${Math.round(aim.tilt_degrees)}°`],
    ["glare", aim.glare ?? "none"],
    ["view used", aim.used_share === null ? "–" : whole(aim.used_share)],
    ...(found && !aim.next_step ? [["found", `${found}: with this option the source keeps it`]] : []),
  ]);
}

$("aim-again").addEventListener("click", () => { bestSharpness = 0; });
