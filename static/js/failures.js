// When a part of a page cannot be fetched or sent: what failed, in words of the server, with a way to try again.
(function () {
  "use strict";
  var byId = function (id) { return document.getElementById(id); };

  function words(status) {
    var all = byId("failure-words").content;
    var found = all.querySelector('[data-status="' + status + '"]') || all.querySelector('[data-status="other"]');
    return found.textContent;
  }
  function show(status, id, detail) {
    if (!byId("toast-failed")) { return; }
    var card = byId("toast-failed").content.cloneNode(true), retry = card.querySelector("[data-retry]");
    var asked = detail.requestConfig, path = (detail.pathInfo || {}).finalRequestPath || asked.path;
    card.querySelector("[data-reason]").textContent = words(status);
    card.querySelector("[data-id]").textContent = [status && status !== "timeout" ? status : "", id || ""].filter(Boolean).join(" · ");
    // Reading again is harmless. A deed is repeated by its own button, where the person sees what it does.
    if (asked.verb === "get" && asked.target && asked.target.isConnected) {
      retry.hidden = false;
      retry.addEventListener("click", function () {
        retry.closest(".toast-card").remove();
        window.htmx.ajax("GET", path, { target: asked.target, swap: asked.elt.getAttribute("hx-swap") || "innerHTML" });
      });
    }
    byId("toasts").appendChild(card);
    document.dispatchEvent(new CustomEvent("cs:toast"));
  }
  function polls(element) { return /^\s*every\b/.test((element && element.getAttribute("hx-trigger")) || ""); }

  // A part that asks by itself every few seconds must not raise a toast each time: the banner says it once.
  function offline(is) { var banner = byId("offline"); if (banner) { banner.hidden = !is; } }
  window.addEventListener("offline", function () { offline(true); });
  window.addEventListener("online", function () { offline(false); });
  document.addEventListener("htmx:afterRequest", function (event) {
    if (event.detail.xhr && event.detail.xhr.status) { offline(false); }
  });
  document.addEventListener("htmx:responseError", function (event) {
    var xhr = event.detail.xhr;
    if (polls(event.detail.requestConfig.elt) && xhr.status >= 500) { return; }
    show(xhr.status, xhr.getResponseHeader("X-Request-ID"), event.detail);
  });
  document.addEventListener("htmx:sendError", function (event) {
    if (polls(event.detail.requestConfig.elt)) { offline(true); } else { show(0, null, event.detail); }
  });
  document.addEventListener("htmx:timeout", function (event) {
    if (polls(event.detail.requestConfig.elt)) { offline(true); return; }
    show(event.detail.requestConfig.verb === "get" ? 0 : "timeout", null, event.detail);
  });

  // A panel that comes when it is seen says in its place that it did not.
  function panelOf(event) { return event.target.closest ? event.target.closest("[data-lazy]") : null; }
  function mark(panel, hasFailed) {
    panel.classList.toggle("has-failed", hasFailed);
    panel.setAttribute("aria-busy", String(!hasFailed));
    panel.querySelector("[data-lazy-failed]").hidden = !hasFailed;
  }
  ["htmx:responseError", "htmx:sendError"].forEach(function (name) {
    document.addEventListener(name, function (event) { if (panelOf(event)) { mark(panelOf(event), true); } });
  });
  document.addEventListener("click", function (event) {
    var again = event.target.closest("[data-lazy-again]"), panel = again && again.closest("[data-lazy]");
    if (!panel) { return; }
    mark(panel, false);
    window.htmx.ajax("GET", panel.getAttribute("hx-get"), { target: panel, swap: "outerHTML" });
  });
  if (navigator.onLine === false) { offline(true); }
})();
