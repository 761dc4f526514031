// The chart of 统计报表: drawn from the data beside it, again after each swap; the table says the same.
"use strict";

(() => {
  const charts = new Map();
  // What the legend hides, by colour: known here across swaps, and in the address for a reload or a colleague.
  let hidden = null;

  function field() {
    return document.querySelector("#report-form input[name=hide]");
  }

  function remember() {
    const text = [...hidden].sort().join(",");
    if (field()) field().value = text;
    const url = new URL(location.href);
    if ((url.searchParams.get("hide") || "") === text) return;
    if (text) url.searchParams.set("hide", text);
    else url.searchParams.delete("hide");
    history.replaceState(history.state, "", url);
  }

  function colour(box, name) {
    return getComputedStyle(box).getPropertyValue(`--chart-${name}`).trim();
  }

  function options(box, data) {
    const ink = colour(box, "ink");
    const line = colour(box, "line");
    const font = getComputedStyle(document.body).fontFamily;
    const long = data.labels.length > 60;
    const axis = { type: "value", axisLabel: { color: ink } };
    const rate = data.rate;
    const bars = data.series.map((series) => ({
      name: series.name, type: "bar", stack: "all", barMaxWidth: 36, data: series.values,
      itemStyle: { color: colour(box, series.tone) },
    }));
    const lines = rate ? [{
      name: rate.name, type: "line", yAxisIndex: 1, data: rate.values, connectNulls: true, showSymbol: !long,
      symbolSize: 5, lineStyle: { width: 2 }, itemStyle: { color: colour(box, rate.tone) },
      tooltip: { valueFormatter: (value) => (value === null || value === undefined ? "—" : `${value.toFixed(2)}%`) },
    }] : [];
    const all = [...data.series, ...(rate ? [rate] : [])];
    return {
      animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      textStyle: { color: ink, fontFamily: font },
      legend: {
        type: "scroll", top: 0, textStyle: { color: ink }, inactiveColor: line, itemWidth: 12, itemHeight: 12,
        pageTextStyle: { color: ink }, pageIconColor: ink,
        selected: Object.fromEntries(all.map((series) => [series.name, !hidden.has(series.tone)])),
      },
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
      yAxis: [
        { ...axis, minInterval: 1, splitLine: { lineStyle: { color: line } } },
        ...(rate ? [{ ...axis, min: 0, max: 100, splitLine: { show: false }, axisLabel: { color: ink, formatter: "{value}%" } }] : []),
      ],
      dataZoom: long ? [{ type: "slider", height: 22, bottom: 12, textStyle: { color: ink }, borderColor: line }] : [],
      series: [...bars, ...lines],
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
      hidden ??= new Set((field()?.value || "").split(",").filter(Boolean));
      remember();
      box.classList.add("is-drawn");
      const chart = echarts.init(box, null, { renderer: "canvas" });
      chart.setOption(options(box, data));
      chart.on("legendselectchanged", ({ selected }) => {
        for (const { name, tone } of [...data.series, ...(data.rate ? [data.rate] : [])]) {
          if (selected[name]) hidden.delete(tone);
          else hidden.add(tone);
        }
        remember();
      });
      charts.set(box, chart);
    }
  }

  document.addEventListener("DOMContentLoaded", draw);
  document.addEventListener("htmx:afterSettle", draw);
  window.addEventListener("resize", () => charts.forEach((chart) => chart.resize()));
})();
