// The list of the day by keys: e done, s put off, p play, n note, x not for me; j, k, Enter and z (take back) are the shell's.
(function () {
  "use strict";
  var place = 0, wanted = "";
  function list() { return document.getElementById("agenda"); }
  function rows() { return Array.prototype.slice.call(list().querySelectorAll("[data-row]")); }
  function current() {
    return document.activeElement.closest("#agenda [data-row]") || list().querySelector("[data-row].is-open") || rows()[0] || null;
  }
  function press(row, deed) {
    var open = row.classList.contains("is-open") ? document.querySelector("#panel [data-deed=" + deed + "] button") : null;
    var button = open || row.querySelector("[data-deed=" + deed + "] button");
    if (button) { button.click(); }
  }
  function beside(row, what) {
    wanted = what;
    if (row.classList.contains("is-open")) { reach(); return; }
    row.querySelector("a.row-title").click();
  }
  function reach() { // the field that a key asked for, once the panel is there
    var panel = document.getElementById("panel"), what = wanted;
    wanted = "";
    if (what === "later") {
      var folded = panel.querySelector("[data-open=later]");
      if (folded) { folded.open = true; folded.querySelector("select").focus(); }
    } else if (what === "note") {
      var note = panel.querySelector("textarea");
      if (note) { note.focus(); }
    } else if (what === "skip") {
      var skip = panel.querySelector("[data-deed=skip] button");
      if (skip) { skip.focus(); }
    }
  }
  document.addEventListener("keydown", function (event) {
    if (!list() || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || document.querySelector("dialog[open]")) { return; }
    if (event.target.matches("input, textarea, select, [contenteditable]") || document.documentElement.dataset.keys === "off") { return; }
    var row = current();
    if (!row || !row.querySelector("[data-deed=done]")) { return; }
    var deeds = {
      e: function () { press(row, "done"); }, p: function () { press(row, "play"); },
      s: function () { beside(row, "later"); }, n: function () { beside(row, "note"); }, x: function () { beside(row, "skip"); }
    };
    if (deeds[event.key]) { event.preventDefault(); deeds[event.key](); }
  });
  document.addEventListener("htmx:beforeRequest", function (event) {
    if (event.detail.target && event.detail.target.id === "agenda") { place = Math.max(0, rows().indexOf(current())); }
  });
  document.addEventListener("htmx:afterSettle", function (event) { // not sooner: while it loads, the panel is hidden
    if (event.target.id === "panel") { if (wanted) { reach(); } return; }
    if (!event.detail.target || event.detail.target.id !== "agenda") { return; }
    var left = rows(), next = left[Math.min(place, left.length - 1)];
    var focus = next ? next.querySelector("a.row-title") : list().querySelector(".empty-actions a, .nav-link");
    if (focus) { focus.focus({ preventScroll: false }); }
  });
})();
