import { BarChart } from "echarts/charts";
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { threeDigits } from "./page.ts";

/** The values that are drawn for one contender. */
export interface Bars {
  readonly name: string;
  /** In milliseconds. */
  readonly wallMs: number;
  readonly cpuMs: number;
}

const WIDTH = 900;
const ROW_HEIGHT = 52;
const MARGINS = 130;

/** Fixed, because text cannot be measured without a browser. */
const NAMES_WIDTH = 230;

/** A power of ten far enough below the smallest value that its bar can be seen. */
function startOfAxis(values: readonly number[]): number {
  return 10 ** Math.floor(Math.log10(Math.min(...values) / 2));
}

use([BarChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

/** An SVG of horizontal bars on a logarithmic axis, starting with the first row. It has its own background. */
export function performanceChart(rows: readonly Bars[]): string {
  const least = startOfAxis(rows.flatMap(({ wallMs, cpuMs }) => [wallMs, cpuMs]));
  const chart = init(null, null, {
    renderer: "svg",
    ssr: true,
    width: WIDTH,
    height: rows.length * ROW_HEIGHT + MARGINS,
  });
  const label = {
    show: true,
    position: "right",
    color: "#24292f",
    formatter: ({ value }: { value: unknown }) => threeDigits(Number(value)),
  } as const;
  const bars = (name: string, color: string, of: (row: Bars) => number) =>
    ({
      type: "bar",
      name,
      color,
      label,
      data: rows.map((row) => Number(of(row).toFixed(2))),
      barGap: "10%",
    }) as const;
  chart.setOption({
    animation: false,
    backgroundColor: "#ffffff",
    textStyle: { fontFamily: "sans-serif", color: "#24292f" },
    title: { text: "one health check, milliseconds (median, logarithmic)", left: "center", top: 12 },
    legend: { top: 44, textStyle: { color: "#24292f" } },
    grid: {
      left: NAMES_WIDTH,
      right: 64,
      top: 80,
      bottom: 36,
    },
    xAxis: {
      type: "log",
      min: least,
      startValue: least,
      axisLabel: { color: "#57606a" },
      splitLine: { lineStyle: { color: "#d0d7de" } },
    },
    yAxis: {
      type: "category",
      inverse: true,
      data: rows.map(({ name }) => name),
      axisLabel: { color: "#24292f" },
    },
    series: [bars("wall", "#54aeff", ({ wallMs }) => wallMs), bars("CPU", "#bc4c00", ({ cpuMs }) => cpuMs)],
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg}\n`;
}
