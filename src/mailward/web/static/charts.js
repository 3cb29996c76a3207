// Draws the latencies of a server: each chart from the table of numbers that stands below it, so that what is drawn and
// what can be read are the same. Without this script the tables are there all the same.
"use strict";

(() => {
  const HUES = [205, 30, 265, 140, 0, 325, 180, 55, 235, 100, 285, 15, 160];
  const drawn = new WeakMap();

  const number = (cell) => (cell.textContent.trim() === "" ? 0 : Number(cell.textContent));
  const moments = (list) => [...list].map((time) => Date.parse(time.dateTime) / 1000);

  function read(table) {
    const heads = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
    const rows = [...table.tBodies[0].rows];
    const xs = moments(rows.map((row) => row.querySelector("time")));
    const failures = rows.map((row) => number(row.cells[2]));
    const phases = heads.slice(5).map((name, place) => ({ name, took: rows.map((row) => number(row.cells[5 + place])) }));
    if (phases.length === 0) phases.push({ name: "whole", took: rows.map((row) => number(row.cells[3])) });
    return { xs, failures, phases };
  }

  // Where nothing was measured the areas end: a line drawn across would claim a measurement.
  function withGaps(found, step) {
    const out = { xs: [], failures: [], phases: found.phases.map((phase) => ({ name: phase.name, took: [] })) };
    found.xs.forEach((x, place) => {
      if (place > 0 && x - found.xs[place - 1] > step * 1.5) {
        out.xs.push(found.xs[place - 1] + step);
        out.failures.push(null);
        out.phases.forEach((phase) => phase.took.push(null));
      }
      out.xs.push(x);
      out.failures.push(found.failures[place]);
      out.phases.forEach((phase, number_) => phase.took.push(found.phases[number_].took[place]));
    });
    return out;
  }

  function stacked(found) {
    let below = found.xs.map(() => 0);
    return found.phases.map((phase) => {
      below = phase.took.map((ms, place) => (ms === null ? null : below[place] + ms));
      return below;
    });
  }

  function stepOf(xs) {
    let least = Infinity;
    for (let place = 1; place < xs.length; place += 1) least = Math.min(least, xs[place] - xs[place - 1]);
    return least;
  }

  const spoken = (ms) => (ms >= 1000 ? `${ms / 1000} s` : `${ms} ms`);

  // What was asked for; where mailward has not watched for that long, what there is, but an hour at least.
  function span(plot, xs) {
    const [from, to] = [Number(plot.dataset.from), Number(plot.dataset.to)];
    return [Math.max(from, Math.min(xs[0] ?? from, to - 3600)), to];
  }

  function draw(plot) {
    const table = plot.parentElement.querySelector("table.numbers");
    if (!table) return;
    const rows = read(table);
    const actions = moments(document.querySelectorAll(".marks > li > time"));
    const key = JSON.stringify([rows, actions, plot.clientWidth, plot.dataset.from, matchMedia("(prefers-color-scheme: dark)").matches]);
    if (drawn.get(plot)?.key === key) return;
    drawn.get(plot)?.chart.destroy();
    const found = withGaps(rows, stepOf(rows.xs));
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const ink = getComputedStyle(document.body).color;
    const line = dark ? "#333c41" : "#d8dedf";
    const bad = dark ? "#ff8d8a" : "#b3131f";
    const sums = stacked(found);
    const series = [{ label: "at" }];
    const data = [found.xs];
    // The highest sum is drawn first, so that each lower one covers its part of it.
    for (let place = sums.length - 1; place >= 0; place -= 1) {
      const colour = `hsl(${HUES[place % HUES.length]} 55% ${dark ? 60 : 52}%)`;
      series.push({
        label: found.phases[place].name, stroke: colour, fill: colour, width: 1, points: { show: found.xs.length < 3 },
        value: (_chart, _sum, _series, at) => {
          const ms = at === null ? null : found.phases[place].took[at];
          return ms === null || ms === undefined ? "–" : `${ms} ms`;
        },
      });
      data.push(sums[place]);
    }
    const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
    const chart = new uPlot({
      width: Math.max(plot.clientWidth, 240), height: 240, series,
      axes: [axis, { ...axis, size: 62, values: (_chart, ticks) => ticks.map(spoken) }],
      scales: { x: { range: () => span(plot, found.xs) }, y: { range: (_chart, _least, most) => [0, (most || 1) * 1.1] } },
      hooks: { draw: [(chart_) => drawMarks(chart_, found, actions, { ink, bad })] },
      legend: { live: true },
    }, data, plot);
    drawn.set(plot, { chart, key });
  }

  // An action is a dashed line with a triangle at its top, a step with failures a cross at its foot.
  function drawMarks(chart, found, actions, { ink, bad }) {
    const { ctx, bbox } = chart;
    const px = devicePixelRatio;
    const inside = (x) => x >= bbox.left && x <= bbox.left + bbox.width;
    ctx.save();
    ctx.strokeStyle = ink;
    ctx.fillStyle = ink;
    ctx.lineWidth = px;
    for (const at of actions) {
      const x = chart.valToPos(at, "x", true);
      if (!inside(x)) continue;
      ctx.setLineDash([4 * px, 3 * px]);
      ctx.beginPath(); ctx.moveTo(x, bbox.top); ctx.lineTo(x, bbox.top + bbox.height); ctx.stroke();
      ctx.beginPath(); ctx.moveTo(x - 5 * px, bbox.top); ctx.lineTo(x + 5 * px, bbox.top); ctx.lineTo(x, bbox.top + 8 * px);
      ctx.fill();
    }
    ctx.setLineDash([]);
    ctx.strokeStyle = bad;
    ctx.lineWidth = 2 * px;
    found.failures.forEach((count, place) => {
      const x = chart.valToPos(found.xs[place], "x", true);
      if (!count || !inside(x)) return;
      const y = bbox.top + bbox.height - 6 * px;
      ctx.beginPath();
      ctx.moveTo(x - 4 * px, y - 4 * px); ctx.lineTo(x + 4 * px, y + 4 * px);
      ctx.moveTo(x + 4 * px, y - 4 * px); ctx.lineTo(x - 4 * px, y + 4 * px);
      ctx.stroke();
    });
    ctx.restore();
  }

  function drawAll() {
    document.querySelectorAll(".chart .plot").forEach(draw);
  }

  drawAll();
  document.addEventListener("mailward:refreshed", drawAll);
  addEventListener("resize", drawAll);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
})();
