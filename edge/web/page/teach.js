// Teach: correct a digit, and see the corrections so far.
import { $, loadImage, make, percent, request } from "./common.js";

const asked = { candidate: null, analysis: null };
$("correct").querySelector(".digits").append(...Array.from({ length: 10 }, (_, digit) => make("button", { value: String(digit), textContent: String(digit) })));

export function openCorrection(candidate, analysis) {
  Object.assign(asked, { candidate, analysis });
  $("correct-glyph").src = candidate.glyph;
  $("correct-read").textContent = candidate.read ? `read as ${candidate.digit}, ${percent(candidate.confidence)} sure` : `not read (${candidate.reason}); rather a ${candidate.digit}, ${percent(candidate.confidence)} sure`;
  $("correct").returnValue = "";
  $("correct").showModal();
}

// The part of the picture that the digit is in, with a margin.
async function crop(candidate, analysis) {
  const image = await loadImage(analysis.pictures.grey);
  const scale = image.naturalWidth / analysis.size[0];
  const [x, y, width, height] = candidate.box.map((n) => n * scale);
  const margin = Math.max(width, height) / 4;
  const left = Math.max(0, x - margin), top = Math.max(0, y - margin);
  const right = Math.min(image.naturalWidth, x + width + margin), bottom = Math.min(image.naturalHeight, y + height + margin);
  const size = Math.min(1, 128 / Math.max(right - left, bottom - top));
  const cut = make("canvas", { width: Math.max(1, Math.round((right - left) * size)), height: Math.max(1, Math.round((bottom - top) * size)) });
  cut.getContext("2d").drawImage(image, left, top, right - left, bottom - top, 0, 0, cut.width, cut.height);
  return cut.toDataURL("image/png");
}

$("correct").addEventListener("close", async () => {
  const answer = $("correct").returnValue;
  if (!answer) return;
  const { candidate, analysis } = asked;
  const label = answer === "none" ? null : Number(answer);
  try {
    const { id } = await request("/api/corrections", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({
      label, read: candidate.read ? candidate.digit : null, confidence: candidate.confidence, source: analysis.reading.source, model: analysis.reading.model, glyph: candidate.glyph, crop: await crop(candidate, analysis),
    }) });
    showToast(label === null ? "Saved: it is not a digit." : `Saved: it is a ${label}.`, () => removeCorrection(id));
  } catch (error) {
    showToast(`Not saved: ${error.message}`);
  }
});

let hideTimer = 0;
function showToast(text, undo) {
  const [span, button] = $("toast").children;
  span.textContent = text;
  button.hidden = !undo;
  button.onclick = async () => { $("toast").hidden = true; await undo(); };
  $("toast").hidden = false;
  clearTimeout(hideTimer);
  hideTimer = setTimeout(() => { $("toast").hidden = true; }, 6000);
}

async function removeCorrection(id) {
  await request(`/api/corrections/${id}`, { method: "DELETE" }).catch((error) => showToast(error.message));
  if (!$("teach-view").hidden) await loadCorrections();
}

const digitName = (digit) => (digit === null ? "not a digit" : String(digit));

export async function loadCorrections() {
  const answer = await request("/api/corrections").catch((error) => showToast(error.message));
  if (!answer) return;
  const { count, corrections, confusions } = answer;
  $("corrections-note").textContent = count > corrections.length ? `and ${count - corrections.length} older corrections` : count ? "" : "no corrections yet";
  $("corrections").replaceChildren(...corrections.map((one) => {
    const undo = make("button", { className: "small", textContent: "Undo" });
    undo.addEventListener("click", () => removeCorrection(one.id));
    return make("li", {}, make("img", { src: one.crop || one.glyph, alt: `read as ${digitName(one.read)}, really ${digitName(one.label)}`, width: 84, height: 84, className: one.crop ? "crop" : "" }),
      make("p", {}, `${digitName(one.read)} → `, make("b", { textContent: digitName(one.label) })), undo);
  }));
  $("confusions").replaceChildren(...confusions.map((one) => make("tr", {}, ...[digitName(one.read), digitName(one.label), one.count].map((textContent) => make("td", { textContent })))));
}
