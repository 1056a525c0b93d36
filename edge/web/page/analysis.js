// One analysed frame: boxes on the picture, the stages, and each glyph with its three most likely digits.
import { $, make, oneLine, percent } from "./common.js";
import { openCorrection } from "./teach.js";

const SVG = "http://www.w3.org/2000/svg";
const LABEL_WIDTH = 2.65; // Of "7 99%", in font sizes.

// The font size of each label: readable on a telephone, similar to the others, and no wider than the gap to the next digit.
function fontSizes(svg, analysis) {
  const [width, height] = analysis.size;
  const side = Math.max(width, height);
  const pixel = Math.max(width / (svg.clientWidth || width), height / (svg.clientHeight || height));
  const gaps = analysis.candidates.map(({ box: [x, y, , high] }) =>
    Math.min(...analysis.candidates.map(({ box }) => (box[0] > x && Math.abs(box[1] - y) < (box[3] + high) / 2 ? box[0] - x : side))) / LABEL_WIDTH);
  const sorted = gaps.filter((gap) => gap < side / LABEL_WIDTH).sort((one, other) => one - other);
  const most = Math.min(Math.max(side / 24, 16 * pixel), sorted[Math.floor(sorted.length / 2)] ?? side);
  return gaps.map((gap) => Math.max(side / 60, Math.min(most, gap)));
}

function makeSvg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function drawBoxes(svg, analysis) {
  const [width, height] = analysis.size;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const sizes = fontSizes(svg, analysis);
  svg.replaceChildren(...analysis.candidates.flatMap((one, n) => {
    const kind = one.read ? "read" : "unread";
    const [x, y, wide, high] = one.box;
    const size = sizes[n];
    const left = Math.max(0, Math.min(x - 2, width - LABEL_WIDTH * size));
    const share = one.top.find(([label]) => label === String(one.digit))?.[1];
    const sure = one.read && share !== undefined ? [makeSvg("tspan", { dx: size / 6, "font-size": 0.72 * size, "stroke-width": size / 6 }, `${Math.floor(100 * share)}%`)] : [];
    return [
      makeSvg("rect", { x: x - 3, y: y - 3, width: wide + 6, height: high + 6, rx: size / 6, class: kind, "stroke-width": size / 9 }),
      makeSvg("text", { x: left, y: Math.max(size, y - size / 3), class: kind, "font-size": size, "stroke-width": size / 5 }, one.read ? String(one.digit) : "?", ...sure),
    ];
  }));
}

function makeGlyphItem() {
  const line = () => make("li", {}, make("b"), make("span"));
  const item = make("li", {}, make("img", { width: 84, height: 84 }), make("ol", { className: "top" }, line(), line(), line()), make("button", { className: "small" }));
  item.lastChild.addEventListener("click", () => openCorrection(item.candidate, item.analysis));
  return item;
}

// Items are filled again, not replaced: a button that is replaced while it is pressed gets no click.
function fillGlyphs(list, analysis) {
  const many = analysis.candidates.length;
  while (list.children.length > many) list.lastChild.remove();
  while (list.children.length < many) list.append(makeGlyphItem());
  analysis.candidates.forEach((one, n) => {
    const item = list.children[n];
    const [image, top, button] = item.children;
    Object.assign(item, { candidate: one, analysis, className: one.read ? "" : "unread" });
    Object.assign(image, { src: one.glyph, alt: one.read ? `read as ${one.digit}` : "not read" });
    one.top.forEach(([label, share], m) => {
      const line = top.children[m];
      line.children[0].textContent = label;
      line.children[1].textContent = percent(share);
      line.style.setProperty("--share", `${100 * share}%`);
    });
    button.textContent = one.read ? `not a ${one.digit}?` : "is it a digit?";
  });
  list.dataset.more = analysis.more ? `and ${analysis.more} more` : "";
}

const REASONS = {
  blank: "nothing is written there", low_contrast: "the writing is too faint", blurred: "hold the camera still, or focus it",
  too_small: "move the camera closer", clutter: "there are marks, but none has the shape of a digit", uncertain: "marks look like digits, but the model is not sure enough",
};

// The text has a fixed place: a long text is written smaller, and a longer one can be scrolled.
export function setReading(output, text) {
  if (output.value === text) return;
  const place = output.parentElement;
  const overflows = () => place.scrollHeight > place.clientHeight;
  output.className = "";
  output.value = text;
  if (overflows()) output.className = "long";
  if (overflows()) place.tabIndex = 0; else place.removeAttribute("tabindex");
}

export function showAnalysis(prefix, analysis) {
  const { reading } = analysis;
  setReading($(`${prefix}-text`), oneLine(reading.text));
  const lowest = Math.min(...reading.digits.map((digit) => digit.confidence));
  $(`${prefix}-note`).textContent = reading.reason ? `${reading.reason.replaceAll("_", " ")}: ${REASONS[reading.reason] || ""}`
    : `${reading.digits.length} digit${reading.digits.length > 1 ? "s" : ""} · at least ${percent(lowest)} sure · ${reading.elapsed_ms.toFixed(1)} ms`;
  $(`${prefix}-even`).src = analysis.pictures.even;
  $(`${prefix}-ink`).src = analysis.pictures.ink;
  drawBoxes(document.querySelector(`#${prefix}-picture svg`), analysis);
  fillGlyphs($(`${prefix}-glyphs`), analysis);
}

export function showFrame(prefix, analysis) {
  const figure = $(`${prefix}-picture`);
  const image = figure.querySelector("img");
  image.src = analysis.pictures.grey;
  image.alt = analysis.reading.text ? `Camera picture, read as ${oneLine(analysis.reading.text)}` : "Camera picture, nothing read";
  image.hidden = false;
  figure.querySelector(".placeholder").hidden = true;
  showAnalysis(prefix, analysis);
}
