"use strict";
// The page computes nothing: it shows what the engine wrote down. Texts enter by textContent only.

const data = JSON.parse(document.getElementById("data").textContent);
const { boxes, calls, steps, arrays } = data;
const root = data.roots[0];
const at = (id) => document.getElementById(id);
const svg = document.querySelector("#graph svg");

// What is shown, moment by moment: the leaves, then each operation, then each step of the backward.
const frames = [{ kind: "leaves" }, ...calls.map((_, call) => ({ kind: "forward", call })), ...steps];
const forwards = calls.length + 1;
const arrivals = boxes.map(() => 0); // how many contributions there are for each box
steps.forEach((step) => { if (step.part !== null) arrivals[step.target] += 1; });
let now = 0;

// Numbers.

function number(x) { // four decimals, or four digits where those would be all zeros or endless
  if (typeof x === "string") return x;
  const size = Math.abs(x);
  return size === 0 || (size >= 1e-4 && size < 1e7) ? x.toFixed(4) : x.toExponential(3);
}

const isWhole = (array) => /^(u?int|bool)/.test(array.dtype);
const told = (array, x) => (isWhole(array) ? String(x) : number(x));
const only = (array) => array.rows[0][0];

function brief(place) { // a line for a box
  const array = arrays[place];
  if (array.size === 1) return told(array, only(array));
  if (!array.size) return "empty";
  return `mean ${number(array.mean)} std ${number(array.std)}`;
}

function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  if (text !== null) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function colour(x, most) { // blue for negative, red for positive, white for 0
  if (typeof x === "string") return "#ffe45c";
  const share = most ? Math.min(1, Math.abs(x) / most) : 0;
  const [r, g, b] = x < 0 ? [66, 133, 214] : [222, 88, 72];
  return `rgb(${[r, g, b].map((c) => Math.round(255 + (c - 255) * share)).join(" ")})`;
}

function view(place) { // a whole array: its number, or a heat map with statistics
  const array = arrays[place];
  const made = element("div", null, { class: "array" });
  if (array.size === 1) {
    const x = only(array);
    made.append(element("span", told(array, x), { class: "number", title: String(x) }));
    return made;
  }
  const shape = `${array.dtype}[${array.shape.join(", ")}]`;
  if (!array.size) {
    made.append(element("span", `${shape}, empty`, { class: "statistics" }));
    return made;
  }
  const rows = array.rows;
  const most = Math.max(...rows.flat().filter((x) => typeof x === "number").map(Math.abs), 0);
  const table = element("table", null, { class: "heat", "aria-label": `heat map, ${shape}` });
  if (rows[0].length <= 6 && rows.length <= 12) table.classList.add("told");
  for (const row of rows) {
    const line = table.insertRow();
    for (const x of row) {
      const cell = line.insertCell();
      cell.style.background = colour(x, most);
      cell.title = String(x);
      if (table.classList.contains("told")) cell.textContent = told(array, x);
    }
  }
  made.append(table);
  const cut = rows.length * rows[0].length < array.size;
  if (cut) {
    made.append(element("p", `the first ${rows.length} x ${rows[0].length} of ${array.size.toLocaleString("en")} elements`, { class: "cut" }));
  }
  let words = `${shape} mean ${number(array.mean)} std ${number(array.std)} from ${number(array.min)} to ${number(array.max)}`;
  if (array.bad) words += `, ${array.bad} not finite`;
  made.append(element("p", words, { class: "statistics" }));
  return made;
}

// Names.

const quoted = (place) => boxes[place].name || (boxes[place].call === null ? "an input" : `the result of ${calls[boxes[place].call].name}`);
const operation = (call) => calls[call].name + (calls[call].arguments ? ` ${calls[call].arguments}` : "");
const given = (step) => (step.parameter ? `g_${step.parameter}` : "gives"); // as the table calls it
const slot = (call, place, parameter) => calls[call].inputs.findIndex(([name, each]) => each === place && (name === parameter || !parameter));

// The panel.

function rows(list) { // [name, place of an array, or text, class]
  const made = element("dl", null);
  for (const [name, what, kind] of list) {
    made.append(element("dt", name, kind ? { class: kind } : {}));
    const cell = element("dd", null, { "data-name": name, class: kind || "" });
    cell.append(typeof what === "number" ? view(what) : element("span", what, { class: "number" }));
    made.append(cell);
  }
  return made;
}

function section(title, ...parts) {
  return [element("h3", title), ...parts];
}

function accumulation(step) { // what has arrived at the target by now, one by one
  const came = steps.slice(0, now - forwards + 1).filter((each) => each.target === step.target && each.part !== null);
  const source = (each) => (each.call === null ? "the root" : calls[each.call].name);
  const list = came.length < 2 ? [] : came.map((each, i) => [`${i ? "+ " : ""}from ${source(each)}`, each.part, ""]);
  const from = Math.max(0, list.length - 6);
  const shown = from ? [["...", `${from} more`, ""], ...list.slice(from)] : list;
  return rows([...shown, ["= total", step.total, "sum"]]);
}

function told_step(frame) {
  if (frame.kind === "leaves") {
    return [
      element("h2", "What is there at first"),
      element("p", "Parameters, inputs and constants have their values. Press the right arrow: the operations run one after another, in the order in which they were recorded."),
    ];
  }
  if (frame.kind === "forward") {
    const call = calls[frame.call];
    const outputs = call.outputs.map((place) => [boxes[place].name || "out", boxes[place].data === null ? "not kept by the engine" : boxes[place].data]);
    const inputs = call.inputs.map(([name, place]) => [name || quoted(place), boxes[place].data === null ? "not kept by the engine" : boxes[place].data]);
    return [
      element("h2", operation(frame.call)),
      element("p", `gives ${call.outputs.map(quoted).join(" and ")}`),
      ...section("It reads", rows(inputs)),
      ...section("It gives", rows(outputs)),
    ];
  }
  if (frame.kind === "seed") {
    return [
      element("h2", `The gradient of ${quoted(frame.target)}`),
      element("p", arrays[frame.total].size === 1
        ? "Backward begins at the root. When it changes by 1, it changes by 1: its gradient is 1. From here on, every operation passes the gradient of its result on to its inputs."
        : "Backward begins at the root. It has several elements and stands for their sum, so the gradient of each is 1. From here on, every operation passes the gradient of its result on to its inputs."),
      ...section("Gradient", rows([["= total", frame.total]])),
    ];
  }
  if (frame.kind === "hook") {
    return [
      element("h2", `A hook of ${quoted(frame.target)}`),
      element("p", "A function that was registered for it put another gradient in its place."),
      ...section("Gradient", rows([["before", frame.before], ["= total", frame.total]])),
    ];
  }
  const target = quoted(frame.target);
  const count = arrivals[frame.target];
  const nth = steps.slice(0, now - forwards + 1).filter((each) => each.target === frame.target && each.part !== null).length;
  const shared = count > 1 ? `${target} is used ${count} times, so its gradient is a sum: this is part ${nth} of ${count}.` : "";
  if (frame.kind === "sum") {
    const shapes = [frame.raw, frame.part].map((place) => `[${arrays[place].shape.join(", ")}]`);
    const parts = [
      element("h2", `Sum over what was broadcast`),
      element("p", `${target} has the shape ${shapes[1]} and was broadcast to ${shapes[0]}: each of its elements took part several times, so the gradients of those are summed.`),
      ...section("Before the sum", rows([[given(frame), frame.raw]])),
      ...section("Summed", rows([["sum", frame.part]])),
      ...section(`Gradient of ${target}`, accumulation(frame)),
    ];
    if (shared) parts.splice(2, 0, element("p", shared));
    return parts;
  }
  const call = calls[frame.call];
  const parts = [
    element("h2", `${operation(frame.call)} passes on to ${target}${frame.parameter && frame.parameter !== target ? ` (its ${frame.parameter})` : ""}`),
    element("p", `The gradient of ${quoted(frame.source)} comes in, and the rule of ${call.name} makes of it what goes on to ${target}.`),
  ];
  if (shared && frame.part !== null) parts.push(element("p", shared));
  parts.push(...section("Cotangent that comes in", rows([["g", frame.g === null ? "one for each output" : frame.g]])));
  parts.push(...section("Local rule", element("code", frame.rule, { class: "rule", id: "rule" })));
  if (frame.code) {
    const details = element("details", null);
    details.append(element("summary", "its source"), element("pre", frame.code));
    parts.push(details);
  }
  if (frame.reads.length) parts.push(...section("What it reads", rows(frame.reads)));
  parts.push(...section("It gives", rows([[given(frame), frame.raw]])));
  const slope = frame.reads.find(([name]) => name === "slope");
  if (slope) parts.push(element("p", `slope * g = ${brief(slope[1])} * ${brief(frame.g)} = ${brief(frame.raw)}`, { class: "number" }));
  if (frame.part === null) parts.push(element("p", "The shape is not that of the input yet: next, what was broadcast is summed."));
  else parts.push(...section(`Gradient of ${target}`, accumulation(frame)));
  return parts;
}

// The graph.

function write(node, place, text) {
  const line = node.querySelectorAll("text")[place];
  if (line && line.textContent !== text) line.textContent = text;
}

function render() {
  const frame = frames[now];
  const backward = now >= forwards;
  document.documentElement.dataset.phase = backward ? "backward" : "forward";
  const grads = boxes.map(() => null);
  const came = boxes.map(() => 0);
  for (const step of steps.slice(0, backward ? now - forwards + 1 : 0)) {
    if (step.total !== null) grads[step.target] = step.total;
    if (step.part !== null) came[step.target] += 1;
  }
  boxes.forEach((box, i) => {
    const node = at(`box${i}`);
    const there = box.call === null || box.call < now;
    node.classList.toggle("ahead", !there);
    node.classList.toggle("made", !backward && (frame.kind === "leaves" ? box.call === null : box.call === frame.call));
    node.classList.toggle("source", backward && frame.source === i);
    node.classList.toggle("target", backward && frame.target === i);
    if (box.kind === "constant") return;
    write(node, 1, !there ? "" : box.data === null ? "not kept" : `data ${brief(box.data)}`);
    const part = arrivals[i] > 1 ? `  ${came[i]}/${arrivals[i]}` : "";
    write(node, 2, grads[i] === null ? "" : `grad ${brief(grads[i])}${part}`);
  });
  calls.forEach((call, i) => {
    const node = at(`call${i}`);
    node.classList.toggle("ahead", i >= now);
    node.classList.toggle("active", frame.call === i);
    const used = backward && frame.call === i ? slot(i, frame.target, frame.parameter) : -1;
    call.inputs.forEach((_, k) => {
      const edge = at(`edge${i}-${k}`);
      edge.classList.toggle("ahead", i >= now);
      edge.classList.toggle("used", frame.call === i && (backward ? k === used : true));
    });
    call.outputs.forEach((_, k) => {
      const edge = at(`out${i}-${k}`);
      edge.classList.toggle("ahead", i >= now);
      edge.classList.toggle("used", frame.call === i && frame.kind !== "sum");
    });
  });
  const name = element("p", backward ? "Backward" : "Forward", { class: "phase-name" });
  at("panel").replaceChildren(name, ...told_step(frame));
  if (now === frames.length - 1) at("panel").append(element("p", "That was the last step: the gradients are complete."));
  at("slider").value = now;
  at("slider").setAttribute("aria-valuetext", `step ${now} of ${frames.length - 1}, ${backward ? "backward" : "forward"}`);
  at("count").textContent = `${now} of ${frames.length - 1}`;
  for (const id of ["first", "back"]) at(id).disabled = now === 0;
  for (const id of ["next", "last"]) at(id).disabled = now === frames.length - 1;
  reveal(frame.target !== undefined && frame.target !== null ? at(`box${frame.target}`) : frame.call !== undefined ? at(`call${frame.call}`) : null);
}

function reveal(node) { // scroll only where it can't be seen
  if (!node) return;
  const pane = at("graph").getBoundingClientRect();
  const spot = node.getBoundingClientRect();
  const margin = 60;
  if (spot.left < pane.left + margin || spot.right > pane.right - margin) at("graph").scrollLeft += (spot.left + spot.right - pane.left - pane.right) / 2;
  if (spot.top < pane.top + margin || spot.bottom > pane.bottom - margin) at("graph").scrollTop += (spot.top + spot.bottom - pane.top - pane.bottom) / 2;
}

function go(to) {
  now = Math.max(0, Math.min(frames.length - 1, to));
  render();
}

// Playing.

let timer = null;
function play(on) {
  clearInterval(timer);
  timer = on ? setInterval(() => (now < frames.length - 1 ? go(now + 1) : play(false)), 900) : null;
  at("play").textContent = on ? "Pause" : "Play";
}

// Size.

const size = svg.viewBox.baseVal;
let zoom = 1;
function scale(to) {
  zoom = Math.max(0.05, Math.min(4, to));
  svg.setAttribute("width", size.width * zoom);
  svg.setAttribute("height", size.height * zoom);
}
function fit() {
  const pane = at("graph");
  scale(Math.min((pane.clientWidth - 32) / size.width, (pane.clientHeight - 32) / size.height, 1.8));
}

// Search.

let matches = [];
let match = -1;
function search(words) {
  document.querySelectorAll(".match").forEach((node) => node.classList.remove("match"));
  const wanted = words.trim().toLowerCase();
  const has = (text) => text.toLowerCase().includes(wanted);
  matches = !wanted ? [] : [
    ...boxes.flatMap((box, i) => (has(`${box.name} ${box.type}`) ? [at(`box${i}`)] : [])),
    ...calls.flatMap((_, i) => (has(operation(i)) ? [at(`call${i}`)] : [])),
  ];
  matches.forEach((node) => node.classList.add("match"));
  at("found").textContent = wanted ? `${matches.length} found` : "";
  match = -1;
  if (matches.length) step_match();
}
function step_match() {
  match = (match + 1) % matches.length;
  reveal(matches[match]);
  if (matches.length > 1) at("found").textContent = `${match + 1} of ${matches.length}`;
}

// Hovering.

function tip(node, x, y) {
  const card = at("tip");
  const [, kind, digits] = node.id.match(/^(box|call)(\d+)$/);
  const place = Number(digits);
  const parts = [];
  if (kind === "box") {
    const box = boxes[place];
    parts.push(element("h2", box.name ? `${box.name}  ${box.type}` : box.type));
    if (box.call === null || box.call < now) {
      parts.push(...section("data", box.data === null ? element("p", "not kept by the engine") : view(box.data)));
    }
    const past = steps.slice(0, Math.max(0, now - forwards + 1)).filter((step) => step.target === place && step.total !== null);
    if (past.length) parts.push(...section("gradient so far", view(past[past.length - 1].total)));
  } else {
    parts.push(element("h2", operation(place)));
    const rules = new Map(steps.filter((step) => step.call === place && step.rule).map((step) => [step.parameter + step.rule, step]));
    for (const step of rules.values()) parts.push(...section(`rule${step.parameter ? ` for ${step.parameter}` : ""}`, element("code", step.rule, { class: "rule" })));
  }
  card.replaceChildren(...parts);
  card.hidden = false;
  const { width, height } = card.getBoundingClientRect();
  card.style.left = `${Math.max(4, Math.min(x + 16, innerWidth - width - 8))}px`;
  card.style.top = `${y + 16 + height > innerHeight ? Math.max(4, y - height - 16) : y + 16}px`;
}

// What the user does.

document.querySelectorAll(".node").forEach((node) => {
  node.querySelector("title")?.remove(); // the browser would show it as well
  node.addEventListener("mousemove", (event) => tip(node, event.clientX, event.clientY));
  node.addEventListener("mouseleave", () => { at("tip").hidden = true; });
  node.querySelector("text")?.classList.add("name");
  if (node.id.startsWith("box")) node.querySelectorAll("text")[2]?.classList.add("grad");
});
document.querySelectorAll("#graph title").forEach((title) => title.remove());

const actions = { first: () => go(0), back: () => go(now - 1), next: () => go(now + 1), last: () => go(frames.length - 1) };
for (const [id, action] of Object.entries(actions)) at(id).addEventListener("click", () => { play(false); action(); });
at("play").addEventListener("click", () => play(timer === null));
at("smaller").addEventListener("click", () => scale(zoom / 1.25));
at("larger").addEventListener("click", () => scale(zoom * 1.25));
at("fit").addEventListener("click", fit);
at("slider").max = frames.length - 1;
at("slider").addEventListener("input", (event) => { play(false); go(Number(event.target.value)); });
at("search").addEventListener("input", (event) => search(event.target.value));
at("search").addEventListener("keydown", (event) => { if (event.key === "Enter" && matches.length) step_match(); });

const keys = { ArrowLeft: "back", ArrowRight: "next", Home: "first", End: "last" };
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") { at("tip").hidden = true; at("search").blur(); return; }
  if (event.target === at("search")) return;
  if (event.key === "/") { event.preventDefault(); at("search").focus(); return; }
  if (event.key === " " && event.target.tagName !== "BUTTON") { event.preventDefault(); play(timer === null); return; }
  if (event.key in keys) { event.preventDefault(); play(false); actions[keys[event.key]](); }
});

const pane = at("graph");
let grip = null;
pane.addEventListener("mousedown", (event) => { grip = [event.clientX + pane.scrollLeft, event.clientY + pane.scrollTop]; pane.classList.add("dragged"); });
addEventListener("mousemove", (event) => { if (grip) pane.scrollTo(grip[0] - event.clientX, grip[1] - event.clientY); });
addEventListener("mouseup", () => { grip = null; pane.classList.remove("dragged"); });
pane.addEventListener("wheel", (event) => { if (event.ctrlKey) { event.preventDefault(); scale(zoom * Math.exp(-event.deltaY / 300)); } }, { passive: false });

function dress(theme) {
  document.documentElement.dataset.theme = theme;
  at("theme").textContent = theme === "dark" ? "Light" : "Dark";
}
at("theme").addEventListener("click", () => dress(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
dress(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

fit();
if (zoom < 0.8) scale(0.8); // readable rather than whole
go(0);
