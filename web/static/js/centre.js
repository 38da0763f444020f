// A day's course, drawn by uPlot from its table: the table is what screen readers and paper have, the chart follows it.
import uPlot from "/static/vendor/uplot/uPlot.esm.js";
import { digits } from "./words.js";

const rtl = document.documentElement.dir === "rtl";
const HEIGHT = 240;
const FONT = "13px 'Plex Arabic', 'Noto Sans Arabic', 'Segoe UI', sans-serif";

function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function read(figure) {
  const table = figure.querySelector("table");
  const rows = [...table.querySelectorAll("tbody tr")];
  const heads = [...table.querySelectorAll("thead [data-look]")];
  return {
    labels: rows.map((row) => row.dataset.at),
    hours: rows.flatMap((row, index) => ("hour" in row.dataset ? [index] : [])),
    series: heads.map((head, place) => ({
      name: head.textContent,
      look: head.dataset.look,
      values: rows.map((row) => Number(row.querySelectorAll("[data-value]")[place].dataset.value)),
    })),
  };
}

function drawn({ look }) {
  if (look === "bars") return { stroke: token("--sand"), fill: token("--sand-wash"), width: 1, paths: uPlot.paths.bars({ size: [0.8] }), points: { show: false } };
  if (look === "counts") return { stroke: token("--action"), width: 2, points: { show: true, size: 6, fill: token("--action") } }; // of whole days: each stands over its bar
  if (look === "before") return { stroke: token("--edge"), width: 2, dash: [5, 5], paths: uPlot.paths.stepped({ align: 1 }), points: { show: false } };
  return { stroke: token("--action"), width: 2, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false } };
}

/** Whole hours, fewer of them where there is little room. */
function marks(day, width) {
  const every = Math.max(1, Math.ceil((day.hours.length * 64) / Math.max(width, 1)));
  return day.hours.filter((_, place) => place % every === 0);
}

class Course {
  constructor(figure) {
    this.figure = figure;
    this.place = figure.querySelector("[data-course-plot]");
    this.at = figure.querySelector("[data-course-at]");
    this.plot = null;
    this.kinds = "";
    this.show();
    new ResizeObserver(() => this.resize()).observe(this.place);
  }

  data() {
    return [this.day.labels.map((_, index) => index), ...this.day.series.map((one) => one.values)];
  }

  show() {
    this.day = read(this.figure);
    const kinds = this.day.series.map((one) => one.look).join();
    if (this.plot && kinds === this.kinds) {
      this.plot.setData(this.data());
      return;
    }
    this.plot?.destroy();
    this.kinds = kinds;
    const axis = { stroke: token("--soft"), font: FONT, grid: { stroke: token("--hairline"), width: 1 }, ticks: { show: false } };
    this.plot = new uPlot(
      {
        width: this.width(),
        height: HEIGHT,
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
        scales: {
          x: { time: false, dir: rtl ? -1 : 1, range: (_, low, high) => [low - 0.5, Math.max(high, 1) + 0.5] },
          y: { range: (_, __, high) => [0, Math.max(high * 1.1, 4)] },
        },
        series: [{}, ...this.day.series.map(drawn)],
        axes: [
          { ...axis, size: 32, splits: () => marks(this.day, this.width()), values: (_, places) => places.map((place) => this.day.labels[place] ?? "") },
          { ...axis, side: rtl ? 1 : 3, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500], values: (_, values) => values.map((value) => digits(value)) },
        ],
        hooks: { setCursor: [(plot) => this.tell(plot.cursor.idx)] },
      },
      this.data(),
      this.place,
    );
  }

  width() {
    return Math.max(Math.floor(this.place.clientWidth), 200);
  }

  resize() {
    if (this.plot && this.plot.width !== this.width()) this.plot.setSize({ width: this.width(), height: HEIGHT });
  }

  tell(index) {
    if (index == null || !this.day.labels[index]) {
      this.at.textContent = "";
      return;
    }
    const numbers = this.day.series.map((one) => `${one.name}: ${digits(one.values[index])}`);
    this.at.textContent = [`\u2066${this.day.labels[index]}\u2069`, ...numbers].join(" · ");
  }
}

await document.fonts.ready;
const courses = new Map();

function draw() {
  for (const figure of document.querySelectorAll("[data-course]")) {
    if (courses.has(figure)) courses.get(figure).show();
    else courses.set(figure, new Course(figure));
  }
}

draw();
document.addEventListener("majlis:refreshed", ({ detail }) => {
  if (detail.changed) draw();
});
