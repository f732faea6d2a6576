// The page: asks the server for what is new in the files of runs, and shows it.

import { RUN_COLOURS, drawErrors, drawFigure, drawLayers } from "./charts.js";

const STEPPING_MS = 1000, BUSY_MS = 4000, IDLE_MS = 10000, SHOWN_SAMPLES = 6;
const CHARTS_SHARE = 0.02, CHARTS_MS = 10000;  // of the time for drawing; the longest wait
const $ = (id) => document.getElementById(id);
const runs = [];
let chosen = 0, waiting = null, shownDebug = null, follow = true;

/** An element with text and children; texts are never HTML. */
function make(tag, { text, ...properties } = {}, ...children) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(properties)) {
    if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name === "className" ? "class" : name, value);
  }
  element.append(...children);
  return element;
}

async function ask(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

// -- what the server has ----------------------------------------------------------------------

function newRun(name, i) {
  const offsets = { metrics: 0, layers: 0, samples: 0 };
  return { name, colour: RUN_COLOURS[i % RUN_COLOURS.length], offsets, train: [], evaluated: [],
    layers: [], samples: [], skips: [], saved: [], best: null, debug: [], about: {}, running: false };
}

/** Append a record; a run that went back to an earlier iteration forgets what came after it. */
function append(list, record, at) {
  while (list.length && at(list[list.length - 1]) >= at(record)) list.pop();
  list.push(record);
}

async function update(run, place) {
  for (let more = true; more;) {
    const query = new URLSearchParams(run.offsets);
    const answer = await ask(`/api/run/${place}?${query}`);
    more = false;
    for (const name of ["metrics", "layers", "samples"]) {
      const { records, offset, more: left } = answer[name];
      if (offset < run.offsets[name]) forget(run, name);
      run.offsets[name] = offset;
      more ||= left;
      records.forEach((record) => take(run, name, record));
    }
    Object.assign(run, {
      skips: answer.skips, saved: answer.saved, best: answer.best, debug: answer.debug });
  }
}

function forget(run, name) {
  if (name === "metrics") run.train = [], run.evaluated = [];
  else run[name] = [];
}

function take(run, name, record) {
  const number = (r) => r.training_iteration ?? r.iteration;
  if (!Number.isFinite(number(record))) return;
  if (name === "samples") {
    append(run.samples, record, number);
    run.samples = run.samples.slice(-SHOWN_SAMPLES);
  } else if (name === "layers") append(run.layers, record, number);
  else if (record.event === "train") append(run.train, record, number);
  else if (record.event === "eval") append(run.evaluated, record, number);
}

// -- what the page shows ----------------------------------------------------------------------

function showRuns() {
  const state = (run) => (run.running ? "running" : "not running");
  $("runs").replaceChildren(...runs.map((run, i) => {
    const dot = make("span", { className: "dot" });
    dot.style.background = run.colour;
    const button = make("button", { type: "button", "aria-pressed": String(i === chosen) },
      dot, make("span", { text: run.name }),
      make("span", { className: run.running ? "state on" : "state", text: state(run) }));
    button.addEventListener("click", () => { chosen = i; shownDebug = null; show(true); });
    return button;
  }));
  document.title = `${runs[chosen].name} · lstmjax`;
}

function showAbout(run) {
  const { net_spec: net, recipe, weights, train_lines: train, eval_lines: evaluated } = run.about;
  const parts = net ? [make("code", { text: net }),
    `${weights.toLocaleString("en")} weights, recipe ${recipe}, ${train.toLocaleString("en")} training`
    + ` lines${evaluated ? `, ${evaluated.toLocaleString("en")} evaluation lines` : ""}`] : [];
  $("about").replaceChildren(...parts.flatMap((part, i) => (i ? [" · ", part] : [part])));
}

const percent = (value) => (value == null ? "–" : `${value.toFixed(2)} %`);

function duration(seconds) {
  if (!Number.isFinite(seconds) || seconds < 0) return "–";
  const hours = Math.floor(seconds / 3600), minutes = Math.floor((seconds % 3600) / 60);
  return hours ? `${hours} h ${minutes} min` : minutes ? `${minutes} min` : `${Math.ceil(seconds)} s`;
}

function showTiles(run) {
  const last = run.train.at(-1);
  if (!last) {
    $("tiles").replaceChildren(tile("Lines", "–", "no report yet"));
    return;
  }
  const end = run.about.end, done = last.training_iteration;
  const bar = end ? make("progress", { max: end, value: Math.min(done, end) }) : "";
  const bestEval = run.evaluated.reduce((a, b) => (a && a.cer <= b.cer ? a : b), null);
  const bestTrain = run.train.reduce((a, b) => (a.bcer <= b.bcer ? a : b));
  const skipped = run.skips.reduce((sum, skip) => sum + skip.count, 0) || last.skipped || 0;
  const tiles = [
    tile("Lines", done.toLocaleString("en"), end ? `of ${end.toLocaleString("en")}` : "", bar),
    tile("BCER, training", percent(last.bcer), `best ${percent(bestTrain.bcer)}`),
  ];
  if (bestEval) {
    tiles.push(tile("CER, evaluation", percent(run.evaluated.at(-1).cer),
      `best ${percent(bestEval.cer)} at ${bestEval.training_iteration.toLocaleString("en")}`));
  }
  tiles.push(
    tile("Speed", `${Math.round(last.lines_per_second)} lines/s`,
      last.compile_seconds ? `compiling took ${duration(last.compile_seconds)}` : ""),
    tile("Time left", run.running && end ? duration((end - done) / last.lines_per_second) : "–",
      `running for ${duration(last.time)}`),
    tile("Learning rate", last.learning_rate.toPrecision(2), `loss ${last.loss?.toFixed(2) ?? "–"}`),
    tile("Skipped", skipped.toLocaleString("en"), skipped ? "see the table below" : "no line"),
  );
  $("tiles").replaceChildren(...tiles);
}

function tile(title, value, note, ...more) {
  return make("div", {}, make("dt", { text: title }),
    make("dd", { text: value }, make("small", { text: note }), ...more));
}

function showSamples(run) {
  const lines = run.samples.flatMap((record) => record.lines ?? []).slice(-SHOWN_SAMPLES);
  if (lines.length) $("samples").replaceChildren(...lines.reverse().map(showLine));
}

function showLine(line) {
  const where = make("div", { className: "where" },
    make("span", { text: `iteration ${line.iteration}` }),
    make("span", { text: `${line.name}, line ${line.page + 1}` }),
    make("b", { text: `${(100 * line.errors).toFixed(1)} % wrong` }));
  const texts = make("div", { className: "texts" },
    make("span", { text: "truth" }), spans(line.parts, 1), make("span", { text: "read" }),
    spans(line.parts, 2));
  return make("div", { className: "sample" }, where, lineWithPlaces(line), texts);
}

/** One of two texts with its differences from the other marked. */
function spans(parts, side) {
  const tags = { equal: "span", replace: "mark", insert: "ins", delete: "del" };
  if (!parts.some((part) => part[side])) return make("span", { className: "state", text: "nothing" });
  return make("span", { className: "text" }, ...parts.filter((part) => part[side]).map((part) =>
    make(tags[part[0]] ?? "span", { text: part[side] })));
}

/** The picture of a line with every character read below its place. */
function lineWithPlaces(line) {
  const zoom = Math.max(1, Math.min(2, 52 / line.height)), space = "http://www.w3.org/2000/svg";
  const element = (tag, attributes, text) => {
    const made = document.createElementNS(space, tag);
    Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
    if (text) made.textContent = text;
    return made;
  };
  const width = line.width * zoom, height = line.height * zoom;
  const svg = element("svg", { width, height: height + 24, role: "img" });
  svg.append(element("image",
    { href: `/run/${chosen}/lines/${line.line}.png`, width, height, preserveAspectRatio: "none" }));
  for (const [text, left, right, sure] of line.places) {
    const middle = ((left + right) / 2) * zoom, opacity = 0.25 + 0.75 * sure;
    svg.append(element("path", { d: `M${left * zoom} ${height} v4` }));
    svg.append(element("text", { x: middle, y: height + 18, opacity }, text === " " ? "␣" : text));
  }
  return make("div", { className: "line" }, svg);
}

function showSkips(run) {
  const rows = run.skips.map((skip) => make("tr", {}, make("td", { text: String(skip.count) }),
    make("td", { text: skip.reason }), make("td", { text: skip.text })));
  $("no-skips").hidden = rows.length > 0;
  $("skips").tBodies[0].replaceChildren(...rows);
}

const CHARTS = {
  errors: () => drawErrors(runs, chosen, $("log").checked),
  loss: (run) => drawFigure("loss", run, "loss"),
  speed: (run) => drawFigure("speed", run, "lines_per_second"),
  rate: (run) => (run.layers.length ? drawLayers("rate", run, "rate", { log: false })
    : drawFigure("rate", run, "learning_rate")),
  gradient: (run) => drawLayers("gradient", run, "gradient"),
  weights: (run) => drawLayers("weights", run, "weights"),
  change: (run) => drawLayers("change", run, "change"),
};

function isOnScreen(node) {
  const box = node.getBoundingClientRect();
  return box.bottom > 0 && box.top < innerHeight;
}

// While a run goes on: those on the screen, now and then, since it needs the processor itself.
let chartsDue = 0;
function showCharts(run, all) {
  const begin = performance.now();
  all ||= !runs.some((one) => one.running);
  if (!all && begin < chartsDue) return;
  for (const [id, drawIt] of Object.entries(CHARTS)) {
    if (all || !$(id).data || isOnScreen($(id))) drawIt(run);
  }
  chartsDue = begin + Math.min((performance.now() - begin) / CHARTS_SHARE, CHARTS_MS);
}

// -- pictures of --debug_interval ---------------------------------------------------------------

async function showDebug(run) {
  $("debug").hidden = !run.debug.length;
  $("waiting").hidden = waiting === null;
  $("debug").classList.toggle("first", run.about.debug_interval === 1);
  if (!run.debug.length) return;
  const select = $("iteration"), newest = run.debug.at(-1);
  if (select.length !== run.debug.length || Number(select.options[0].value) !== run.debug[0]
      || Number(select.options[select.length - 1].value) !== newest) {
    const before = select.value;
    select.replaceChildren(...run.debug.map((n) => make("option", { text: String(n), value: String(n) })));
    select.value = follow || !run.debug.includes(Number(before)) ? String(newest) : before;
  }
  await showPictures(run);
}

async function showPictures() {
  const iteration = $("iteration").value, place = chosen;
  if (!iteration || shownDebug === `${place}/${iteration}`) return;
  shownDebug = `${place}/${iteration}`;
  const about = await ask(`/api/run/${place}/debug/${iteration}`);
  const text = (label, value) => [make("span", { text: label }),
    make("span", { className: "text", text: value })];
  $("debug-texts").replaceChildren(make("div", { className: "texts" },
    ...text("truth", about.truth), ...text("read", about.reading)));
  const figures = about.pictures.map(({ file, title, kind }) => {
    const address = `/run/${place}/debug/${iteration}/${file}`;
    const link = make("a", { href: address, target: "_blank" },
      make("img", { src: address, alt: title, loading: "lazy" }));
    const css = kind === "line" ? "line-window" : kind;
    return [kind, make("figure", { className: css }, make("figcaption", { text: title }), link)];
  });
  const isLayer = ([kind, figure]) => kind === "layer"
    && !/^ConvNL/.test(figure.firstChild.textContent);
  $("windows").replaceChildren(...figures.filter((f) => !isLayer(f)).map((f) => f[1]));
  $("layers").replaceChildren(...figures.filter(isLayer).map((f) => f[1]));
}

async function goOn(how) {
  waiting = null;
  $("waiting").hidden = true;
  await fetch(`/api/next?how=${how}`, { method: "POST", headers: { "X-Lstmjax": "next" } });
  setTimeout(refresh, 150);
}

function step(by) {
  const select = $("iteration");
  const wanted = Math.min(select.length - 1, Math.max(0, select.selectedIndex + by));
  select.selectedIndex = wanted;
  follow = wanted === select.length - 1;
  showPictures();
}

// -- again and again ----------------------------------------------------------------------------

function show(all = false) {
  const run = runs[chosen];
  showRuns(); showAbout(run); showTiles(run); showSamples(run); showSkips(run);
  showCharts(run, all);
  return showDebug(run);
}

let timer = null, refreshing = false;
async function refresh() {
  if (refreshing) return;
  clearTimeout(timer);
  refreshing = true;
  let wait = IDLE_MS;
  try {
    if (!document.hidden) {
      const answer = await ask("/api/runs");
      answer.runs.forEach((one, i) => {
        runs[i] ??= newRun(one.name, i);
        Object.assign(runs[i], { about: one.about, running: one.running });
      });
      waiting = answer.waiting;
      await Promise.all(runs.map(update));
      await show();
    }
    if (runs.some((run) => run.running)) wait = BUSY_MS;
    if (runs.some((run) => run.running && run.about.debug_interval === 1)) wait = STEPPING_MS;
    $("connection").textContent = "";
  } catch (error) {
    $("connection").textContent = error instanceof TypeError
      ? "no connection: the server has ended; the run may go on" : String(error.message);
  }
  refreshing = false;
  timer = setTimeout(refresh, wait);
}

$("next").addEventListener("click", () => goOn("one"));
$("run-on").addEventListener("click", () => goOn("all"));
$("earlier").addEventListener("click", () => step(-1));
$("later").addEventListener("click", () => step(1));
$("iteration").addEventListener("change", () => step(0));
$("log").addEventListener("change", () => drawErrors(runs, chosen, $("log").checked));
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => runs.length && show(true));
addEventListener("scroll", () => { chartsDue = 0; }, { passive: true });
refresh();
