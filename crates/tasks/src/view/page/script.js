"use strict";
// Draws a run. Everything that comes from the run is set as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";
const POLL = 2000;
const stateOfPage = { log: false, step: null, image: 0 };
let data = JSON.parse(document.getElementById("data").textContent);

function make(space, tag, attributes, children) {
  const node = space ? document.createElementNS(space, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  for (const child of children.flat()) if (child != null) node.append(child);
  return node;
}
const el = (tag, attributes, ...children) => make(null, tag, attributes, children);
const sv = (tag, attributes, ...children) => make(SVG, tag, attributes, children);
const byId = (id) => document.getElementById(id);

function number(x) {
  if (x == null || !Number.isFinite(x)) return "–";
  const size = Math.abs(x);
  if (x === 0) return "0";
  if (size >= 1e6 || size < 1e-3) return x.toExponential(2);
  if (Number.isInteger(x)) return x.toLocaleString("en");
  return size >= 100 ? x.toFixed(1) : size >= 10 ? x.toFixed(2) : size >= 1 ? x.toFixed(3) : x.toFixed(4);
}

/** A number on an axis. */
function tick(x) {
  const size = Math.abs(x);
  if (size < 1e-12) return "0";
  return size >= 1e6 || size < 1e-4 ? x.toExponential(1) : (+x.toPrecision(4)).toLocaleString("en", { maximumFractionDigits: 6 });
}

function duration(seconds) {
  if (seconds == null || !Number.isFinite(seconds)) return "–";
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  const m = Math.round(s / 60);
  return m < 60 ? `${m} min` : `${Math.floor(m / 60)} h ${m % 60} min`;
}

/** A mean over neighbours, so that a noisy curve shows its way. */
function smooth(ys) {
  const reach = Math.floor(ys.length / 40);
  return ys.map((_, i) => {
    const near = ys.slice(Math.max(0, i - reach), i + reach + 1).filter((y) => y != null);
    return near.length ? near.reduce((a, b) => a + b, 0) / near.length : null;
  });
}

function ticks(low, high, count) {
  const raw = (high - low) / count;
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * unit).find((s) => s >= raw);
  const all = [];
  for (let t = Math.ceil(low / step) * step; t <= high + step * 1e-9; t += step) all.push(t);
  return all;
}

/** A chart. series: [{ name, xs, ys, colour, kind }], kind "curve", "raw", "area" or "dashed". */
function chart(title, series, options) {
  const o = { xLabel: "step", log: false, zero: false, note: null, ...options };
  const W = 380, H = 200, left = 48, right = 10, top = 8, bottom = 32;
  const usable = (y) => y != null && Number.isFinite(y) && (!o.log || y > 0);
  const xs = series.flatMap((s) => s.xs);
  const ys = series.flatMap((s) => s.ys.filter(usable));
  const caption = el("figcaption", { class: "readout" });
  const keys = () => series.filter((s) => s.name).map((s) =>
    el("span", { class: "key" }, el("i", { style: `background: var(--c${s.colour})` }), s.name));
  const figure = el("figure", {}, el("h3", {}, title));
  if (!xs.length || !ys.length) {
    figure.append(el("p", { class: "soft" }, "nothing yet"));
    return figure;
  }
  const lift = (y) => (o.log ? Math.log10(y) : y);
  let [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  let [y0, y1] = [Math.min(...ys.map(lift)), Math.max(...ys.map(lift))];
  if (o.zero) y0 = Math.min(0, y0);
  if (x0 === x1) { x0 -= 0.5; x1 += 0.5; }
  if (y0 === y1) { const room = Math.abs(y0) * 0.1 || 1; y0 -= room; y1 += room; }
  const X = (x) => left + ((x - x0) / (x1 - x0)) * (W - left - right);
  const Y = (y) => H - bottom - ((lift(y) - y0) / (y1 - y0)) * (H - top - bottom);
  const svg = sv("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": title });
  for (const t of ticks(y0, y1, 4)) {
    const y = H - bottom - ((t - y0) / (y1 - y0)) * (H - top - bottom);
    svg.append(sv("line", { class: "axis", x1: left, x2: W - right, y1: y, y2: y }),
      sv("text", { x: left - 6, y: y + 4, "text-anchor": "end" }, tick(o.log ? 10 ** t : t)));
  }
  for (const t of ticks(x0, x1, 5).filter((t) => !o.whole || Number.isInteger(t))) {
    // The last may stand at the very edge.
    const edge = X(t) > W - right - 16;
    svg.append(sv("text", { x: edge ? W : X(t), y: H - bottom + 14, "text-anchor": edge ? "end" : "middle" }, tick(t)));
  }
  svg.append(sv("text", { x: W - right, y: H - 4, "text-anchor": "end" }, o.xLabel));
  for (const s of series) {
    let path = "", pen = "M", lastX = null;
    s.xs.forEach((x, i) => {
      if (!usable(s.ys[i])) { pen = "M"; return; }
      if (s.kind === "area" && path === "") path = `M${X(x).toFixed(1)} ${(H - bottom).toFixed(1)}`, pen = "L";
      path += `${pen}${X(x).toFixed(1)} ${Y(s.ys[i]).toFixed(1)}`;
      pen = "L"; lastX = x;
    });
    if (s.kind === "area" && lastX != null) {
      path += `L${X(lastX).toFixed(1)} ${(H - bottom).toFixed(1)}Z`;
      svg.append(sv("path", { class: "area", d: path, style: `fill: var(--c${s.colour})` }));
    } else {
      svg.append(sv("path", { class: `curve ${s.kind || ""}`, d: path, style: `stroke: var(--c${s.colour})` }));
      const points = s.ys.filter(usable).length;
      if (points <= 30 && s.kind !== "raw" && s.kind !== "dashed" && o.dots) {
        s.xs.forEach((x, i) => usable(s.ys[i]) && svg.append(
          sv("circle", { cx: X(x), cy: Y(s.ys[i]), r: 2.4, style: `fill: var(--c${s.colour})` })));
      }
    }
  }
  const cursor = sv("line", { class: "cursor", y1: top, y2: H - bottom, visibility: "hidden" });
  svg.append(cursor);
  const rest = () => caption.replaceChildren(...keys(), o.note || "");
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const at = x0 + (((event.clientX - box.left) / box.width) * W - left) / (W - left - right) * (x1 - x0);
    const shown = series.filter((s) => s.kind !== "raw" && s.xs.length);
    if (!shown.length) return;
    const xs = shown[0].xs;
    let near = 0;
    xs.forEach((x, i) => { if (Math.abs(x - at) < Math.abs(xs[near] - at)) near = i; });
    cursor.setAttribute("x1", X(xs[near]));
    cursor.setAttribute("x2", X(xs[near]));
    cursor.setAttribute("visibility", "visible");
    caption.textContent = `${o.xLabel} ${number(xs[near])}: ` +
      shown.map((s) => `${s.name ? s.name + " " : ""}${number(s.ys[near])}`).join(", ");
  });
  svg.addEventListener("pointerleave", () => { cursor.setAttribute("visibility", "hidden"); rest(); });
  rest();
  figure.append(svg, caption);
  return figure;
}

const section = (title, ...content) => el("section", { "aria-label": title }, el("h2", {}, title), ...content);
const table = (rows) => el("div", { class: "scroll" }, el("table", {},
  rows.map(([name, ...values]) => el("tr", {}, el("th", { scope: "row" }, name), values.map((v) => el("td", {}, v))))));

const LOSSES = {
  gen_total_loss: "Generator, weighted total",
  gen_gan_loss: "Adversarial: verdicts as against “real”",
  gen_mi_loss: "Structure: H(content | output), nats",
  gen_hist_loss: "Colours: EMD to the reference",
  disc_loss: "Discriminator",
  gen_reconstruction_loss: "Reconstruction: mean absolute difference",
  gen_ssim_loss: "Local structure: (1 − SSIM)² of luma",
  gen_smoothness_loss: "Smoothness: neighbours in the change to the maps",
};

function losses() {
  const { names, steps, values, stretch } = data.losses;
  const note = stretch > 1 ? `each point is the mean of ${stretch} steps` : null;
  const charts = names.map((name, i) => chart(LOSSES[name] || name, [
    { xs: steps, ys: values[i], colour: i % 5, kind: "raw" },
    { xs: steps, ys: smooth(values[i]), colour: i % 5 },
  ], { log: stateOfPage.log && values[i].every((y) => y == null || y >= 0) && name !== "gen_total_loss", note, whole: true }));
  const toggle = el("input", { type: "checkbox", checked: stateOfPage.log,
    onchange: (event) => { stateOfPage.log = event.target.checked; draw(); } });
  return section("Losses", el("div", { class: "controls" }, el("label", {}, toggle, " logarithmic")),
    el("div", { class: "charts" }, charts));
}

const FIGURES = [
  ["EMD to the reference (0 is best)", (name) => name.startsWith("emd")],
  ["Sliced distance of colours to the reference (0 is best)", (name) => name === "swd"],
  ["H(content | output), nats (0 is best)", (name) => name === "h_content_given_output"],
  ["Histogram intersection (1 is best)", (name) => name === "histogram_intersection"],
  ["SSIM of luma to the content (1 is best)", (name) => name === "ssim_luma"],
  ["Cliffs: steepness beside the content (1 is as steep)", (name) => name === "cliffs"],
  ["Noise of luma beside the content (1 is as noisy)", (name) => name === "noise"],
  ["PSNR to the ground truth, dB", (name) => name === "psnr"],
  ["SSIM to the ground truth (1 is best)", (name) => name === "ssim"],
];

function validation() {
  const { epochs, images, figures } = data.validation;
  if (!epochs.length) {
    return section("Validation", el("p", { class: "soft" }, data.held_out_images === 0
      ? "The dataset holds no images out." : "Nothing yet: held-out images are looked at after each epoch, unless validation_images is 0."));
  }
  const charts = FIGURES.map(([title, belongs]) => {
    const curves = figures.filter(([name]) => belongs(name));
    if (!curves.length) return null;
    const series = curves.map(([name, ys], i) => ({
      name: curves.length > 1 ? name.replace(/^emd_/, "").replace(/^emd$/, "mean") : "", xs: epochs, ys,
      colour: i, kind: i ? "dashed" : "curve",
    }));
    return chart(title, series, { xLabel: "epoch", whole: true, dots: true });
  });
  const best = data.validation.best;
  return section("Validation",
    el("p", { class: "soft" }, `Means over ${number(images)} held-out images.` +
      (best ? ` Least EMD so far: ${number(best.emd)}, ${best.when}.` : "")),
    el("div", { class: "charts" }, charts));
}

function grids() {
  const all = data.grids;
  if (!all.length) return section("Samples", el("p", { class: "soft" }, "No sample grid yet."));
  let at = all.findIndex((grid) => grid.step === stateOfPage.step);
  if (at < 0) at = all.length - 1;
  const image = el("img", { alt: "sample grid: content, reference and output in each row" });
  const label = el("strong", {});
  const show = (i) => {
    image.src = all[i].src;
    label.textContent = all[i].when;
  };
  const slider = el("input", { type: "range", min: 0, max: all.length - 1, step: 1, "aria-label": "epoch",
    oninput: (event) => {
      const i = Number(event.target.value);
      // At the end of the slider the page follows the run.
      stateOfPage.step = i === all.length - 1 ? null : all[i].step;
      show(i);
    } });
  slider.value = at;
  show(at);
  return section("Samples",
    el("div", { class: "controls" }, slider, label),
    el("div", { class: "grid-box" }, el("div", {},
      el("div", { class: "columns" }, ["content", "reference", "output"].map((name) => el("span", {}, name))), image)),
    el("p", { class: "soft" }, `${all.length} of ${data.grids_drawn} grids, at most ${data.grid_side} pixels a side; all are in samples/ at full size.`));
}

function distributions() {
  const d = data.distributions;
  if (!d || !d.images.length) return null;
  if (stateOfPage.image >= d.images.length) stateOfPage.image = 0;
  const select = el("select", { "aria-label": "image",
    onchange: (event) => { stateOfPage.image = Number(event.target.value); draw(); } },
    d.images.map((image, i) => el("option", { value: i, selected: i === stateOfPage.image },
      image.content === image.reference ? `${i + 1}: ${image.content}` : `${i + 1}: ${image.content} in the colours of ${image.reference}`)));
  const image = d.images[stateOfPage.image];
  const channels = image.channels.map((channel) => {
    const bins = channel.output.length, width = (d.range[1] - d.range[0]) / bins;
    const xs = channel.output.map((_, i) => d.range[0] + (i + 0.5) * width);
    const series = [
      { name: "reference", xs, ys: channel.reference, colour: 1, kind: "area" },
      { name: "output", xs, ys: channel.output, colour: 0, kind: "curve" },
      { name: "content", xs, ys: channel.content, colour: 2, kind: "dashed" },
    ];
    return el("div", { class: "channel" },
      chart(`Channel ${channel.name}`, series, { xLabel: "value", zero: true }),
      channel.joint && el("figure", { class: "heat" }, el("h3", {}, "Joint histogram"),
        el("img", { src: channel.joint, alt: `joint histogram of content and output, channel ${channel.name}` }),
        el("figcaption", {}, "output →, content ↑, logarithmic")));
  });
  return section("Histograms", el("div", { class: "controls" }, select,
    el("span", { class: "soft" }, data.distributions_when)),
    el("div", { class: "channels" }, channels));
}

function evaluation() {
  const e = data.evaluation;
  if (!e) return null;
  return section("At the end, on held-out images", table([
    [`${number(e.images)} images`, "output", "doing nothing"],
    ["EMD to the reference", number(e.emd), number(e.emd_doing_nothing)],
    ["H(content | output), nats", number(e.h_content_given_output), number(e.h_doing_nothing)],
    e.swd != null && ["Sliced distance of colours to the reference", number(e.swd), number(e.swd_doing_nothing)],
    e.cliffs != null && ["Cliffs beside the content", number(e.cliffs), number(1)],
    e.noise != null && ["Noise of luma beside the content", number(e.noise), number(1)],
  ].filter(Boolean)));
}

function machine() {
  const m = data.machine, s = data.speed;
  return section("Machine and speed", table([
    ["Processor", m.processor], ["Cores, threads", `${m.cores}, ${m.threads}`],
    ["Memory", `${m.memory_gib.toFixed(1)} GiB`], ["System", m.system],
    ["Backend", m.backend], ["Versions", `huenet ${m.huenet}, Burn ${m.burn}`],
    ["Steps a second", s ? number(s.steps_per_second) : "–"],
    ["Seconds a step", s ? number(s.seconds_per_step) : "–"],
    ["Share of a step outside networks and losses", s ? `${(100 * s.outside).toFixed(2)} %` : "–"],
  ]), el("p", { class: "soft" }, "Speed is of this process, between epochs' ends. Outside networks and losses: waiting for images, bringing them to the device, writing, showing."));
}

function settings() {
  return section("Settings", data.settings.map(([group, rows], i) =>
    el("details", { open: i === 0 }, el("summary", {}, group), table(rows))));
}

function draw() {
  const open = [...document.querySelectorAll("details")].map((node) => node.open);
  const p = data.progress;
  byId("name").textContent = data.run;
  byId("summary").replaceChildren(el("span", { class: `badge ${data.state}` }, data.state), ` ${data.what}`);
  const share = p.total_steps ? Math.min(1, p.step / p.total_steps) : 0;
  byId("done").style.width = `${100 * share}%`;
  byId("done").parentNode.setAttribute("aria-valuenow", p.step);
  byId("done").parentNode.setAttribute("aria-valuemax", p.total_steps);
  const left = data.speed && data.state === "running" ? (p.total_steps - p.step) * data.speed.seconds_per_step : null;
  byId("progress").textContent = `step ${number(p.step)} of ${number(p.total_steps)}, epoch ${number(p.epoch)} of ${number(p.epochs)}` +
    (left ? `, about ${duration(left)} left` : "");
  const parts = [grids(), losses(), validation(), distributions(), evaluation(), settings(), machine()];
  byId("main").replaceChildren(...parts.filter((part) => part));
  document.querySelectorAll("details").forEach((node, i) => { if (i in open) node.open = open[i]; });
  byId("footer").textContent = `Written ${data.written} by huenet ${data.machine.huenet}. ` +
    (data.live ? "Live: the page follows the run." : "The page is one file and loads nothing from elsewhere.");
}

async function follow() {
  const notice = byId("notice");
  try {
    const answer = await fetch(`data.json?v=${data.version}`, { cache: "no-store" });
    if (answer.status === 200) { data = await answer.json(); redraw(); }
    else if (answer.status !== 204) throw new Error(String(answer.status));
    notice.hidden = true;
  } catch {
    notice.hidden = false;
    notice.textContent = "The training process does not answer: it has ended, or cannot be reached. Its report is report.html in the run's folder.";
  }
  setTimeout(follow, POLL);
}

/** Draws new data, but not under a hand that is on the slider. */
function redraw() {
  if (document.activeElement && document.activeElement.matches("input[type=range]:active, select:focus")) return;
  const at = window.scrollY;
  const focused = document.activeElement && document.activeElement.getAttribute("aria-label");
  draw();
  if (focused) document.querySelector(`[aria-label="${CSS.escape(focused)}"]:is(input, select)`)?.focus({ preventScroll: true });
  window.scrollTo(0, at);
}

draw();
if (data.live) setTimeout(follow, POLL);
