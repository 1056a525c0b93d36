// One analysed frame: boxes on the picture, the stages, and each glyph with its three most likely classes.
import { $, make, oneLine, percent } from "./common.js";
import { openCorrection } from "./teach.js";

const SVG = "http://www.w3.org/2000/svg";
const LABEL_WIDTH = 2.65; // Of "7 99%", in font sizes.
const REASON_WIDTH = 0.65; // Of a letter, in font sizes.
const REASON_PIXELS = 11; // Font size of a reason, pixels of the screen.

// The font size of each label: readable on a telephone, similar to the others, and no wider than the gap to the next digit.
function fontSizes(boxes, side, pixel) {
  const gaps = boxes.map(([x, y, , high]) =>
    Math.min(...boxes.map((box) => (box[0] > x && Math.abs(box[1] - y) < (box[3] + high) / 2 ? box[0] - x : side))) / LABEL_WIDTH);
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
  // Of the screen, in pixels of the frame.
  const pixel = Math.max(width / (svg.clientWidth || width), height / (svg.clientHeight || height));
  const { digits, unread } = analysis.reading;
  const sizes = fontSizes(digits.map((one) => one.box), Math.max(width, height), pixel);
  const taken = []; // Left, top, right and bottom of all boxes and texts.
  const read = digits.flatMap(({ box: [x, y, wide, high], digit, confidence }, n) => {
    const size = sizes[n];
    const left = Math.max(0, Math.min(x - 2, width - LABEL_WIDTH * size));
    const base = Math.max(size, y - size / 3);
    const sure = makeSvg("tspan", { dx: size / 6, "font-size": 0.72 * size, "stroke-width": size / 6 }, `${Math.floor(100 * confidence)}%`);
    taken.push([x - 3, y - 3, x + wide + 3, y + high + 3], [left, base - size, left + LABEL_WIDTH * size, base]);
    return [
      makeSvg("rect", { x: x - 3, y: y - 3, width: wide + 6, height: high + 6, rx: size / 6, class: "read", "stroke-width": size / 9 }),
      makeSvg("text", { x: left, y: base, class: "read", "font-size": size, "stroke-width": size / 5 }, String(digit), sure),
    ];
  });
  for (const { box: [x, y, wide, high] } of unread) taken.push([x - 3, y - 3, x + wide + 3, y + high + 3]);
  svg.replaceChildren(
    ...unread.map(({ box: [x, y, wide, high] }) =>
      makeSvg("rect", { x: x - 3, y: y - 3, width: wide + 6, height: high + 6, class: "unread", "stroke-width": 1.5 * pixel, "stroke-dasharray": `${4 * pixel} ${3 * pixel}` })),
    ...read, ...writeReasons(unread, taken, analysis.size, REASON_PIXELS * pixel));
}

// The reason of each mark that was not read, above or below its box; none where it would cover another box or text.
function writeReasons(unread, taken, [width, height], size) {
  return unread.flatMap(({ box: [x, y, wide, high], reason }) => {
    const long = REASON_WIDTH * size * reason.length;
    const left = Math.max(0, Math.min(x - 3, width - long));
    for (const top of [y - 4 - 1.3 * size, y + high + 4]) {
      const area = [left, top, left + long, top + 1.3 * size];
      if (top < 0 || area[2] > width || area[3] > height || taken.some((one) => overlap(one, area))) continue;
      taken.push(area);
      return [makeSvg("text", { x: left, y: top + size, class: "unread", "font-size": size, "stroke-width": size / 4 }, reason)];
    }
    return [];
  });
}

const overlap = (one, other) => one[0] < other[2] && other[0] < one[2] && one[1] < other[3] && other[1] < one[3];

function makeGlyphItem() {
  const line = () => make("li", {}, make("b"), make("span"));
  const item = make("li", {}, make("img", { width: 84, height: 84 }), make("ol", { className: "top" }, line(), line(), line()), make("p", { className: "verdict" }), make("button", { className: "small" }));
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
    const [image, top, verdict, button] = item.children;
    Object.assign(item, { candidate: one, analysis, className: one.read ? "" : "unread" });
    Object.assign(image, { src: one.glyph, alt: one.read ? `read as ${one.digit}` : "not read" });
    verdict.textContent = one.reason ?? `${percent(one.confidence)} sure`;
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
  blank: "nothing is written there", low_contrast: "the writing is too faint", blurred: "no edge is sharp",
  too_small: "no mark is large enough to be a digit", clutter: "there are many marks, but none is likely enough to be a digit", uncertain: "there are marks, but none is likely enough to be a digit",
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
