// Charts of a run's figures, drawn by Plotly; colours come from the style sheet.

const MOST_POINTS = 1500;
export const RUN_COLOURS = ["#2f6fde", "#d9622b", "#2a9d63", "#a14fc9", "#c99a16", "#c2407a"];

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Points for one curve, evenly thinned out when there are very many. */
function curve(records, x, y) {
  const step = Math.max(1, Math.ceil(records.length / MOST_POINTS));
  const kept = records.filter((_, i) => i % step === 0 || i === records.length - 1);
  return { x: kept.map(x), y: kept.map(y) };
}

const at = (record) => record.training_iteration ?? record.iteration;

function layout(options = {}) {
  const axis = { gridcolor: style("--grid"), zeroline: false, linecolor: style("--edge") };
  return {
    margin: { l: 52, r: 14, t: 8, b: 34 },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: style("--soft"), size: 12, family: "system-ui, sans-serif" },
    hovermode: "x unified", uirevision: "keep",
    hoverlabel: { bgcolor: style("--card"), font: { color: style("--text") } },
    legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
    xaxis: { ...axis, title: options.wide ? { text: "lines trained on" } : undefined },
    yaxis: { ...axis, type: options.log ? "log" : "linear", ticksuffix: options.suffix ?? "",
      rangemode: options.log ? "normal" : "tozero", tickformat: options.log ? "~g" : "",
      dtick: options.log ? "D2" : undefined },
    showlegend: options.legend ?? true,
    shapes: options.shapes ?? [],
  };
}

function draw(id, traces, options) {
  const config = { responsive: true, displaylogo: false, displayModeBar: false };
  Plotly.react(id, traces, layout(options), config);
}

const line = (name, colour, points, more = {}) => ({
  name, ...points, type: "scatter", mode: "lines", line: { color: colour, width: 1.8, ...more.line },
  hovertemplate: more.hover ?? "%{y:.3g}", connectgaps: true, ...more.trace,
});

/** Error rates of all runs; of a single one all measures. */
export function drawErrors(runs, chosen, log) {
  const traces = [];
  for (const run of runs) {
    const alone = runs.length === 1, prefix = alone ? "" : `${run.name}: `;
    const colour = alone ? RUN_COLOURS[0] : run.colour;
    const percent = { hover: "%{y:.2f} %" };
    const wide = (name, key, tint, dash) => traces.push(
      line(prefix + name, tint, curve(run.train, at, (r) => r[key]), { ...percent, line: { dash } }));
    const evaluated = (name, key, tint, symbol) => traces.push(
      line(prefix + name, tint, curve(run.evaluated, at, (r) => r[key]), {
        ...percent, line: { dash: "dot", width: 1.4 },
        trace: { mode: "lines+markers", marker: { symbol, size: 8, color: tint } } }));
    wide("BCER, training", "bcer", colour);
    if (alone) wide("BWER, training", "bwer", "#9aa7bd");
    if (run.evaluated.length) {
      evaluated("CER, evaluation", "cer", alone ? RUN_COLOURS[1] : colour, "circle");
      if (alone) evaluated("BCER, evaluation", "bcer", RUN_COLOURS[2], "diamond-open");
    }
    const kept = [...run.saved, ...(run.best ? [run.best] : [])];
    if (kept.length) {
      const isBest = (state) => state === run.best;
      traces.push({
        name: `${prefix}best states`, type: "scatter", mode: "markers",
        x: kept.map((state) => state.iteration), y: kept.map((state) => state.bcer),
        marker: { symbol: kept.map((state) => (isBest(state) ? "star" : "circle-open")),
          size: kept.map((state) => (isBest(state) ? 15 : 7)), color: "#d4a106",
          line: { color: style("--card"), width: 1 } },
        text: kept.map((state) => state.file), hovertemplate: "%{text}<extra></extra>",
      });
    }
  }
  draw("errors", traces, { log, suffix: " %", wide: true });
}

/** A figure of the reports of one run. */
export function drawFigure(id, run, key, options = {}) {
  draw(id, [line(key, RUN_COLOURS[0], curve(run.train, at, (r) => r[key]))],
    { legend: false, ...options });
}

/** A figure of each layer; colours go from the input (blue) to the output (orange). */
export function drawLayers(id, run, key, options = {}) {
  const names = run.layers.length ? Object.keys(run.layers[run.layers.length - 1].layers) : [];
  const traces = names.map((name, i) => {
    const hue = 215 - (190 * i) / Math.max(names.length - 1, 1);
    return line(name, `hsl(${hue} 65% 52%)`,
      curve(run.layers, at, (r) => r.layers[name]?.[key] ?? null));
  });
  draw(id, traces, { log: true, ...options });
}
