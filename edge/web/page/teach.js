// Teach: what a digit really was, and what was said so far.
import { $, ask, loaded, make, percent } from "./common.js";

const asking = { one: null, view: null };
$("correct").querySelector(".digits").append(...Array.from({ length: 10 }, (_, digit) => make("button", { value: String(digit), textContent: String(digit) })));

export function correct(one, view) {
  Object.assign(asking, { one, view });
  const [label, share] = one.top[0];
  $("correct-glyph").src = one.glyph;
  $("correct-read").textContent = one.read ? `read as ${one.digit}, ${percent(share)} sure` : `not read; likeliest ${label}, ${percent(share)}`;
  $("correct").returnValue = "";
  $("correct").showModal();
}

// The place in the picture, with some of what is around it.
async function crop(one, view) {
  const image = await loaded(view.pictures.grey);
  const scale = image.naturalWidth / view.size[0];
  const [x, y, width, height] = one.box.map((n) => n * scale);
  const margin = Math.max(width, height) / 4;
  const left = Math.max(0, x - margin), top = Math.max(0, y - margin);
  const right = Math.min(image.naturalWidth, x + width + margin), bottom = Math.min(image.naturalHeight, y + height + margin);
  const size = Math.min(1, 128 / Math.max(right - left, bottom - top));
  const cut = make("canvas", { width: Math.max(1, Math.round((right - left) * size)), height: Math.max(1, Math.round((bottom - top) * size)) });
  cut.getContext("2d").drawImage(image, left, top, right - left, bottom - top, 0, 0, cut.width, cut.height);
  return cut.toDataURL("image/png");
}

$("correct").addEventListener("close", async () => {
  const said = $("correct").returnValue;
  if (!said) return;
  const { one, view } = asking;
  const label = said === "none" ? null : Number(said);
  try {
    const { id } = await ask("/api/corrections", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({
      label, read: one.read ? one.digit : null, confidence: one.top[0][1], source: view.reading.source, model: view.reading.model, glyph: one.glyph, crop: await crop(one, view),
    }) });
    toast(label === null ? "Kept: that is no digit." : `Kept: that is a ${label}.`, () => forget(id));
  } catch (error) {
    toast(`Not kept: ${error.message}`);
  }
});

let fading = 0;
function toast(text, undo) {
  const [span, button] = $("toast").children;
  span.textContent = text;
  button.hidden = !undo;
  button.onclick = async () => { $("toast").hidden = true; await undo(); };
  $("toast").hidden = false;
  clearTimeout(fading);
  fading = setTimeout(() => { $("toast").hidden = true; }, 6000);
}

async function forget(id) {
  await ask(`/api/corrections/${id}`, { method: "DELETE" }).catch((error) => toast(error.message));
  if (!$("teach-view").hidden) await taught();
}

const named = (digit) => (digit === null ? "no digit" : String(digit));

export async function taught() {
  const said = await ask("/api/corrections").catch((error) => toast(error.message));
  if (!said) return;
  const { count, corrections, confusions } = said;
  $("no-taught").textContent = count > corrections.length ? `and ${count - corrections.length} older ones` : count ? "" : "nothing yet";
  $("taught").replaceChildren(...corrections.map((one) => {
    const undo = make("button", { className: "small", textContent: "Undo" });
    undo.addEventListener("click", () => forget(one.id));
    return make("li", {}, make("img", { src: one.crop || one.glyph, alt: `read as ${named(one.read)}, was ${named(one.label)}`, width: 84, height: 84, className: one.crop ? "crop" : "" }),
      make("p", {}, `${named(one.read)} → `, make("b", { textContent: named(one.label) })), undo);
  }));
  $("confusions").replaceChildren(...confusions.map((one) => make("tr", {}, ...[named(one.read), named(one.label), one.count].map((textContent) => make("td", { textContent })))));
}
