// The chart of 统计报表: drawn from the data beside it, again after each swap; the table says the same.
"use strict";

(() => {
  const charts = new Map();

  function colour(box, name) {
    return getComputedStyle(box).getPropertyValue(`--chart-${name}`).trim();
  }

  function options(box, data) {
    const ink = colour(box, "ink");
    const line = colour(box, "line");
    const font = getComputedStyle(document.body).fontFamily;
    const long = data.labels.length > 60;
    return {
      animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      textStyle: { color: ink, fontFamily: font },
      legend: { top: 0, textStyle: { color: ink }, itemWidth: 12, itemHeight: 12 },
      grid: { top: 44, right: 20, bottom: long ? 64 : 16, left: 16, containLabel: true },
      // Rich text is drawn on the canvas: no markup, and nothing our policy of contents would forbid.
      tooltip: {
        trigger: "axis", renderMode: "richText", backgroundColor: colour(box, "paper"),
        borderColor: line, textStyle: { color: ink },
        valueFormatter: (value) => Number(value).toLocaleString("en"),
      },
      xAxis: {
        type: "category", data: data.labels,
        axisLine: { lineStyle: { color: line } }, axisTick: { show: false }, axisLabel: { color: ink, hideOverlap: true },
      },
      yAxis: {
        type: "value", minInterval: 1,
        splitLine: { lineStyle: { color: line } }, axisLabel: { color: ink },
      },
      dataZoom: long ? [{ type: "slider", height: 22, bottom: 12, textStyle: { color: ink }, borderColor: line }] : [],
      series: data.series.map((series) => ({
        name: series.name, type: "bar", stack: "all", barMaxWidth: 36, data: series.values,
        itemStyle: { color: colour(box, series.tone) },
      })),
    };
  }

  function draw() {
    for (const [box, chart] of charts) {
      if (!box.isConnected) {
        chart.dispose();
        charts.delete(box);
      }
    }
    for (const box of document.querySelectorAll("[data-chart]")) {
      if (charts.has(box)) continue;
      const data = JSON.parse(document.getElementById(box.dataset.chart).textContent);
      if (!data.series.length) continue;
      box.classList.add("is-drawn");
      const chart = echarts.init(box, null, { renderer: "canvas" });
      chart.setOption(options(box, data));
      charts.set(box, chart);
    }
  }

  document.addEventListener("DOMContentLoaded", draw);
  document.addEventListener("htmx:afterSettle", draw);
  window.addEventListener("resize", () => charts.forEach((chart) => chart.resize()));
})();
