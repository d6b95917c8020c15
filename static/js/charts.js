// The only place where charts get their looks. The server sends plain plotly dictionaries whose traces and shapes are named by
// meaning (meta.tone, shape.name); this file gives each meaning its colour in the theme that is on, and draws again when it changes.
(function () {
  "use strict";
  var forced = window.matchMedia("(forced-colors: active)");
  function token(name) {
    // light-dark() resolves only in a used colour, so ask an element for it
    var probe = document.createElement("span");
    probe.className = "visually-hidden";
    if (forced.matches) { // all colours would be one; light or dark is then what the system's background is
      probe.style.forcedColorAdjust = "none";
      probe.style.colorScheme = "light dark";
    }
    probe.style.color = "var(--cs-" + name + ")";
    document.body.appendChild(probe);
    var value = window.getComputedStyle(probe).color;
    probe.remove();
    return value;
  }
  function palette() {
    return {
      ink: token("ink"), ink2: token("ink-2"), ink3: token("ink-3"), line: token("line"), surface: token("surface"), brand: token("brand"),
      healthy: token("healthy-fill"), at_risk: token("at-risk-fill"), critical: token("critical-fill"), unknown: token("unknown-fill"),
      "healthy-soft": token("healthy-soft"), "at_risk-soft": token("at-risk-soft"), "critical-soft": token("critical-soft"), target: token("ink-3"),
      second: token("at-risk-fill"), third: token("healthy-fill"), soft: token("unknown-fill"), onfill: "#1a1d23",
    };
  }
  // Spanish parts the figure from its sign; the server sends "%" alone.
  function percents(text) {
    if (typeof text !== "string" || document.documentElement.lang !== "es") { return text; }
    return text === "%" ? "\u00a0%" : text.replace(/(%\{[^}]*\})%(?!\{)/g, "$1\u00a0%");
  }
  function clone(value) { return JSON.parse(JSON.stringify(value)); }

  function dress(figure, colours) {
    var data = clone(figure.data), layout = clone(figure.layout || {});
    data.forEach(function (trace) {
      var tone = trace.meta && trace.meta.tone;
      var colour = Array.isArray(tone) ? tone.map(function (t) { return colours[t]; }) : colours[tone] || colours.brand;
      if (trace.type === "bar") { trace.textangle = 0; trace.marker = Object.assign({ line: { width: 0 } }, trace.marker, { color: colour }); }
      else {
        trace.line = Object.assign({ width: 2 }, trace.line, { color: colour });
        trace.marker = Object.assign({ size: 6 }, trace.marker, { color: colour });
        if (trace.stackgroup) { trace.fillcolor = colour; trace.line.width = 0; }
      }
      if (trace.error_y) { trace.error_y = Object.assign({ color: colours.ink2 }, trace.error_y); }
      if (trace.hovertemplate) { trace.hovertemplate = percents(trace.hovertemplate); }
      trace.hoverlabel = { bgcolor: colours.surface, bordercolor: colours.line, font: { color: colours.ink } };
    });
    (layout.shapes || []).forEach(function (shape) {
      var name = shape.name || "";
      if (shape.type === "rect") { shape.fillcolor = colours[name] || colours.surface; shape.line = { width: 0 }; shape.layer = "below"; }
      else { shape.line = Object.assign({ width: 1 }, shape.line, { color: colours[name] || colours.target }); }
    });
    (layout.annotations || []).forEach(function (note) {
      note.font = Object.assign({ size: 11 }, note.font, { color: colours[note.name] || colours.ink2 });
      note.showarrow = false;
      if (note.name === "ink") { note.bgcolor = colours.surface; note.opacity = 0.9; note.borderpad = 2; } // it may lie over bars
    });
    ["xaxis", "yaxis", "yaxis2"].forEach(function (name) {
      if (name === "yaxis2" && !layout.yaxis2) { return; }
      var axis = layout[name] = Object.assign({ automargin: true, fixedrange: true, zeroline: false }, layout[name]);
      if (axis.ticksuffix) { axis.ticksuffix = percents(axis.ticksuffix); }
      axis.gridcolor = colours.line;
      axis.linecolor = colours.line;
      axis.zerolinecolor = colours.ink3;
      axis.tickfont = { color: colours.ink2, size: 11 };
      axis.title = axis.title ? Object.assign({ font: { color: colours.ink2, size: 11 }, standoff: 8 }, typeof axis.title === "string" ? { text: axis.title } : axis.title) : undefined;
      if (name === "xaxis") { axis.showgrid = axis.showgrid || false; }
    });
    // Marks of versions stand where the legend would.
    var marked = (layout.annotations || []).some(function (note) { return note.yref === "paper" && note.y >= 1; });
    marked = marked && layout.showlegend !== false;
    if (marked && layout.margin) { layout.margin.t = (layout.margin.t || 14) + 14; }
    Object.assign(layout, {
      autosize: true, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: "InterVariable, Inter, system-ui, sans-serif", size: 12, color: colours.ink },
      margin: Object.assign({ l: 40, r: 12, t: 14, b: 34 }, layout.margin), bargap: layout.bargap === undefined ? 0.12 : layout.bargap,
      legend: Object.assign({ orientation: "h", y: marked ? 1.12 : 1.02, x: 0, yanchor: "bottom", font: { color: colours.ink2, size: 11 } }, layout.legend),
      hoverlabel: { font: { family: "InterVariable, Inter, system-ui, sans-serif", size: 12 } },
    });
    return { data: data, layout: layout };
  }

  var LOCALES = { es: { format: {
    decimal: ",", thousands: ".", date: "%d/%m/%Y", dateTime: "%a %e %b %X %Y", time: "%H:%M:%S", periods: ["AM", "PM"],
    days: ["domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"], shortDays: ["dom", "lun", "mar", "mié", "jue", "vie", "sáb"],
    months: ["enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"],
    shortMonths: ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"],
  } } };

  var PAPER = 660, paper = 0; // what fits beside the margins of a sheet, inside a card

  function draw(canvas) {
    var source = document.getElementById(canvas.dataset.chart);
    if (!source || !window.Plotly) { return; }
    var figure = dress(JSON.parse(source.textContent), palette());
    figure.layout.height = figure.layout.height || canvas.clientHeight; // rows of bars know how tall they are
    if (paper) { figure.layout.width = paper; }
    if (canvas.clientWidth < 420) { // upright names: fewer months, and of a line fewer weeks
      if (figure.layout.xaxis.dtick === "M1") { delete figure.layout.xaxis.dtick; figure.layout.xaxis.nticks = 5; }
      if (figure.data.every(function (trace) { return trace.type === "scatter"; })) { figure.layout.xaxis.nticks = figure.layout.xaxis.nticks || 6; }
    }
    window.Plotly.react(canvas, figure.data, figure.layout, {
      displayModeBar: false, responsive: true, locale: document.documentElement.lang, locales: LOCALES,
    });
    if (canvas.dataset.drawn) { return; }
    canvas.dataset.drawn = "yes";
    // Larger text or a panel beside it makes the place narrower without another window.
    var width = canvas.clientWidth;
    new window.ResizeObserver(function () {
      if (canvas.clientWidth && canvas.clientWidth !== width) { width = canvas.clientWidth; window.Plotly.Plots.resize(canvas); }
    }).observe(canvas);
    canvas.on("plotly_click", function (event) {
      var address = event.points[0] && event.points[0].customdata;
      if (typeof address === "string" && address.charAt(0) === "/") { window.location.assign(address); }
    });
  }
  function all(root) { Array.prototype.forEach.call((root || document).querySelectorAll("[data-chart]"), draw); }

  document.addEventListener("cs:theme", function () { all(document); });
  forced.addEventListener("change", function () { all(document); });
  window.addEventListener("beforeprint", function () { paper = PAPER; all(document); });
  window.addEventListener("afterprint", function () { paper = 0; all(document); });
  document.addEventListener("htmx:afterSwap", function (event) { all(event.target); });
  if (document.readyState === "loading") { document.addEventListener("DOMContentLoaded", function () { all(document); }); } else { all(document); }
})();
