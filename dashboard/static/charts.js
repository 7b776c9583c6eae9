// Draws the charts of a page from the numbers of its table, so that what is drawn and what is read are the same.

const HEIGHT = 150, DASHES = [[], [6, 4], [2, 3]];

const numberOf = (cell) => { const value = parseFloat(cell.textContent.replaceAll(",", "")); return Number.isNaN(value) ? null : value; };

// The hour, or the day of what is longer; in the zone of whoever looks on, as all times of a page.
const timesOf = (plot, splits) => splits.map((at) => {
  const text = new Date(at * 1000).toLocaleString("sv");
  return plot.scales.x.max - plot.scales.x.min > 2 * 86_400 ? text.slice(5, 10) : text.slice(11, 16);
});

function columns() {
  const rows = [...document.querySelectorAll("#history tbody tr")];
  const times = rows.map((row) => Date.parse(row.querySelector("time").dateTime) / 1000);
  return [times, ...[...(rows[0]?.cells ?? [])].slice(1).map((_, index) => rows.map((row) => numberOf(row.cells[index + 1])))];
}

function draw() {
  const all = columns();
  for (const figure of document.querySelectorAll("figure.chart")) {
    const place = figure.querySelector(".plot");
    const legend = [...figure.querySelectorAll(".legend li")];
    const first = Number(figure.dataset.first);
    const colour = (element) => getComputedStyle(element).color;
    const text = colour(figure), line = getComputedStyle(document.querySelector("header")).borderBottomColor;
    const axis = { stroke: text, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
    place.drawn?.destroy();
    place.drawn = new uPlot({
      width: figure.clientWidth, height: HEIGHT, legend: { show: false }, cursor: { show: false },
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
      scales: { y: { range: (_, __, most) => [0, Math.max(most ?? 0, 1) * 1.05] } },
      axes: [{ ...axis, values: timesOf }, { ...axis, size: 48 }],
      series: [{}, ...legend.map((item, index) => ({
        label: item.textContent, stroke: colour(item), width: 2, dash: DASHES[index], points: { show: false },
      }))],
    }, [all[0], ...all.slice(first, first + legend.length)], place);
  }
}

document.addEventListener("htmx:after:swap", draw);
document.getElementById("theme").addEventListener("change", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
let width = innerWidth;
addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; draw(); } });
draw();
