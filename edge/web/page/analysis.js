// What was seen: boxes on the picture, the stages, each glyph with its three likeliest digits.
import { $, flat, make, percent } from "./common.js";
import { correct } from "./teach.js";

const SVG = "http://www.w3.org/2000/svg";
const LABEL = 2.65; // The width of "7 99%", in letters.

// How large each label is: to be read on a telephone, about as large as the others, and no wider than what is left to the digit beside it.
function letters(svg, view) {
  const [width, height] = view.size;
  const side = Math.max(width, height);
  const pixel = Math.max(width / (svg.clientWidth || width), height / (svg.clientHeight || height));
  const rooms = view.candidates.map(({ box: [x, y, , high] }) =>
    Math.min(...view.candidates.map(({ box }) => (box[0] > x && Math.abs(box[1] - y) < (box[3] + high) / 2 ? box[0] - x : side))) / LABEL);
  const usual = rooms.filter((room) => room < side / LABEL).sort((one, other) => one - other);
  const most = Math.min(Math.max(side / 24, 16 * pixel), usual[Math.floor(usual.length / 2)] ?? side);
  return rooms.map((room) => Math.max(side / 60, Math.min(most, room)));
}

function shape(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function boxes(svg, view) {
  const [width, height] = view.size;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const sizes = letters(svg, view);
  svg.replaceChildren(...view.candidates.flatMap((one, n) => {
    const kind = one.read ? "read" : "unread";
    const [x, y, wide, high] = one.box;
    const letter = sizes[n];
    const left = Math.max(0, Math.min(x - 2, width - LABEL * letter));
    const share = one.top.find(([label]) => label === String(one.digit))?.[1];
    const sure = one.read && share !== undefined ? [shape("tspan", { dx: letter / 6, "font-size": 0.72 * letter, "stroke-width": letter / 6 }, `${Math.floor(100 * share)}%`)] : [];
    return [
      shape("rect", { x: x - 3, y: y - 3, width: wide + 6, height: high + 6, rx: letter / 6, class: kind, "stroke-width": letter / 9 }),
      shape("text", { x: left, y: Math.max(letter, y - letter / 3), class: kind, "font-size": letter, "stroke-width": letter / 5 }, one.read ? String(one.digit) : "?", ...sure),
    ];
  }));
}

function entry() {
  const line = () => make("li", {}, make("b"), make("span"));
  const item = make("li", {}, make("img", { width: 84, height: 84 }), make("ol", { className: "top" }, line(), line(), line()), make("button", { className: "small" }));
  item.lastChild.addEventListener("click", () => correct(item.seen, item.view));
  return item;
}

// Entries stay and are filled anew: a button that was replaced under a finger would not be pressed.
function glyphs(list, view) {
  const many = view.candidates.length;
  while (list.children.length > many) list.lastChild.remove();
  while (list.children.length < many) list.append(entry());
  view.candidates.forEach((one, n) => {
    const item = list.children[n];
    const [image, top, button] = item.children;
    Object.assign(item, { seen: one, view, className: one.read ? "" : "unread" });
    Object.assign(image, { src: one.glyph, alt: one.read ? `read as ${one.digit}` : "not read" });
    one.top.forEach(([label, share], m) => {
      const line = top.children[m];
      line.children[0].textContent = label;
      line.children[1].textContent = percent(share);
      line.style.setProperty("--share", `${100 * share}%`);
    });
    button.textContent = one.read ? `not a ${one.digit}?` : "a digit?";
  });
  list.dataset.more = view.more ? `and ${view.more} more` : "";
}

const WHY = {
  blank: "nothing is written there", low_contrast: "too faint to be told from the paper", blurred: "too blurred: hold still, or focus",
  too_small: "too small: come nearer", clutter: "marks, but none of a digit's shape", uncertain: "may be digits, but the model is not sure",
};

// The place of the text is always the same: what is long is written smaller, and what is longer still can be scrolled.
export function write(output, text) {
  if (output.value === text) return;
  const place = output.parentElement;
  const over = () => place.scrollHeight > place.clientHeight;
  output.className = "";
  output.value = text;
  if (over()) output.className = "long";
  if (over()) place.tabIndex = 0; else place.removeAttribute("tabindex");
}

export function show(prefix, view) {
  const { reading } = view;
  write($(`${prefix}-text`), flat(reading.text));
  const least = Math.min(...reading.digits.map((digit) => digit.confidence));
  $(`${prefix}-why`).textContent = reading.reason ? `${reading.reason}: ${WHY[reading.reason] || ""}`
    : `${reading.digits.length} digit${reading.digits.length > 1 ? "s" : ""}, the least sure ${percent(least)}; ${reading.elapsed_ms.toFixed(1)} ms`;
  $(`${prefix}-even`).src = view.pictures.even;
  $(`${prefix}-ink`).src = view.pictures.ink;
  boxes(document.querySelector(`#${prefix}-picture svg`), view);
  glyphs($(`${prefix}-glyphs`), view);
}

export function picture(prefix, view) {
  const figure = $(`${prefix}-picture`);
  const image = figure.querySelector("img");
  image.src = view.pictures.grey;
  image.alt = view.reading.text ? `Camera picture; it reads ${flat(view.reading.text)}` : "Camera picture; nothing is read";
  image.hidden = false;
  figure.querySelector(".wait").hidden = true;
  show(prefix, view);
}
