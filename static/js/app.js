// Behaviour of the shell: keys, menus, dialogs, toasts, filters. No inline handler anywhere; pages say what they want by data-*.
(function () {
  "use strict";
  var $ = function (selector, root) { return (root || document).querySelector(selector); };
  var $$ = function (selector, root) { return Array.prototype.slice.call((root || document).querySelectorAll(selector)); };

  // --- sidebar on a phone -------------------------------------------------------------------------------------------
  function sidebar(open) {
    var side = $("#sidebar"), veil = $("#sidebar-veil"), button = $("[data-sidebar]");
    if (!side || !veil || !button) { return; }
    side.classList.toggle("is-open", open);
    veil.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    $(".main").inert = open; // the tabulator stays in front of the veil
    if (open) { $("a, button", side).focus(); } else if (side.contains(document.activeElement)) { button.focus(); }
  }

  window.matchMedia("(width >= 62rem)").addEventListener("change", function () { sidebar(false); });

  // --- dialogs ------------------------------------------------------------------------------------------------------
  function confirmFirst(form, text) {
    var dialog = $("#confirm");
    $("[data-confirm-text]", dialog).textContent = text;
    dialog.returnValue = "";
    dialog.onclose = function () {
      if (dialog.returnValue !== "yes") { return; }
      form.dataset.confirmed = "yes";
      form.requestSubmit();
    };
    dialog.showModal();
  }

  // --- toasts: stay ten seconds, longer while somebody is reading them -------------------------------------------------
  function arm(toast) {
    var left = Number(toast.dataset.seconds || 10), timer = null;
    var stop = function () { window.clearTimeout(timer); };
    var run = function () { // not under somebody's pointer, nor under the fingers
      stop();
      timer = window.setTimeout(function () { if (toast.matches(":hover, :focus-within")) { run(); } else { toast.remove(); } }, left * 1000);
    };
    toast.addEventListener("mouseenter", stop);
    toast.addEventListener("focusin", function (event) {
      stop();
      if (event.relatedTarget && !toast.contains(event.relatedTarget)) { toast.csBefore = event.relatedTarget; }
    });
    toast.addEventListener("mouseleave", run);
    toast.addEventListener("focusout", run);
    run();
  }
  function dismiss(part) { // the focus goes back to where it came from
    var back = part.contains(document.activeElement) && part.csBefore;
    part.remove();
    if (back && back.isConnected) { back.focus({ preventScroll: true }); }
  }
  function say(text) { var aloud = $("#aloud"); if (aloud) { aloud.textContent = text; } }
  function toasts(root) {
    $$(".toast-card:not([data-armed])", root).forEach(function (toast) { toast.dataset.armed = "yes"; arm(toast); });
  }

  // --- clicks ---------------------------------------------------------------------------------------------------------
  document.addEventListener("click", function (event) {
    var hit = function (selector) { return event.target.closest(selector); };
    var found;
    if ((found = hit("[data-sidebar]"))) { sidebar(!$("#sidebar").classList.contains("is-open")); }
    else if (hit("#sidebar-veil")) { sidebar(false); }
    else if ((found = hit("[data-open-dialog]"))) { event.preventDefault(); document.getElementById(found.dataset.openDialog).showModal(); }
    else if ((found = hit("[data-close-dialog]"))) { found.closest("dialog").close(found.value || ""); }
    else if ((found = hit("[data-theme-value]"))) { window.csTheme.set(found.dataset.themeValue); }
    else if ((found = hit("[data-dismiss]"))) { dismiss(found.closest(found.dataset.dismiss)); }
    else if ((found = hit("[data-close-panel]"))) { closePanel(); }
    else if ((found = hit("[data-copy]"))) { copy(found); }
    else if ((found = hit("tr.is-link, .workitem.is-link")) && !hit("a, button, input, select, label, form") && !String(window.getSelection())) {
      var link = $("a.row-title", found);
      if (link) { link.click(); }
    }
    if (found && found.matches("dialog") && event.target === found) { found.close(); }
  });
  function copy(button) {
    var text = document.getElementById(button.dataset.copy).textContent.trim();
    navigator.clipboard.writeText(text).then(function () {
      var label = $("span", button) || button;
      label.textContent = button.dataset.copied;
      say(button.dataset.copied);
    }, function () {
      window.getSelection().selectAllChildren(document.getElementById(button.dataset.copy)); // no clipboard: leave it selected
    });
  }
  function closePanel() {
    var panel = $("#panel");
    if (!panel || !panel.firstElementChild) { return false; }
    panel.replaceChildren();
    $$(".is-open[data-row]").forEach(function (row) { row.classList.remove("is-open"); var link = $("a.row-title", row); if (link) { link.focus(); } });
    if (panel.dataset.home) { window.history.replaceState(null, "", panel.dataset.home); }
    return true;
  }

  // --- forms ----------------------------------------------------------------------------------------------------------
  // A filter is sent when it changes. An arrow key changes a list with each step and a date with each digit, and the page would
  // go away under the fingers: what keys change is sent with Enter or when the field is left. The focus is where it was afterwards.
  var keyed = null, changed = null;
  function send(form, next) {
    changed = null;
    if (next && next.name && next.form === form) { keep("cs-focus", form.getAttribute("aria-label") + "\n" + next.name); }
    form.requestSubmit();
  }
  function keep(name, value) { try { window.sessionStorage.setItem(name, value); } catch (error) { /* forbidden: focus starts at the top */ } }
  function focusAgain() {
    var said = null;
    try { said = window.sessionStorage.getItem("cs-focus"); window.sessionStorage.removeItem("cs-focus"); } catch (error) { return; }
    if (!said) { return; }
    $$("form[data-autosubmit]").forEach(function (form) {
      var field = form.getAttribute("aria-label") === said.split("\n")[0] && form.elements[said.split("\n")[1]];
      if (field && field.focus) { field.focus({ preventScroll: true }); }
    });
  }
  document.addEventListener("keydown", function (event) {
    var field = event.target.matches("form[data-autosubmit] select, form[data-autosubmit] input") ? event.target : null;
    if (field && changed === field && event.key === "Enter") { event.preventDefault(); send(field.form, field); return; }
    keyed = field && (event.key === "Tab" || !/^(search|text|checkbox|radio)$/.test(field.type)) ? field : null;
  }, true);
  document.addEventListener("keyup", function () { keyed = null; }, true);
  document.addEventListener("focusout", function (event) {
    if (changed && event.target === changed && document.hasFocus()) { send(changed.form, event.relatedTarget || changed); }
  });
  document.addEventListener("change", function (event) {
    var form = event.target.closest("form[data-autosubmit]");
    if (form && keyed === event.target) { changed = keyed; } else if (form) { send(form, event.target); }
    if (event.target.matches("[data-pick], [data-pick-all]")) { bulk(event.target); }
  });
  document.addEventListener("submit", function (event) {
    var form = event.target, text = form.dataset.confirm;
    if (text && form.dataset.confirmed !== "yes") { event.preventDefault(); event.stopPropagation(); confirmFirst(form, text); return; }
    delete form.dataset.confirmed;
    if (form.method === "get" && form.hasAttribute("data-clean")) { // a link is a view: leave empty filters out of the address
      $$("input, select", form).forEach(function (field) { field.disabled = field.disabled || field.value === ""; });
      window.setTimeout(function () { $$("input, select", form).forEach(function (field) { field.disabled = false; }); }, 0);
    }
    if (form.dataset.sent === "yes") { event.preventDefault(); return; } // a double click sends once
    if (form.method === "post" && !form.hasAttribute("hx-post")) {
      form.dataset.sent = "yes";
      window.setTimeout(function () { delete form.dataset.sent; }, 4000);
    }
  }, true);
  function bulk(changed) {
    var table = changed.closest("[data-bulk]"), boxes = $$("[data-pick]", table), bar = $(".bulk", table);
    if (changed.matches("[data-pick-all]")) { boxes.forEach(function (box) { box.checked = changed.checked; }); }
    var picked = boxes.filter(function (box) { return box.checked; }).length;
    bar.classList.toggle("is-on", picked > 0);
    var shown = $("[data-picked]", bar);
    shown.textContent = String(picked);
    say(shown.parentNode.textContent.trim());
  }

  // --- keys -------------------------------------------------------------------------------------------------------------
  // Who speaks to the computer, or presses keys by accident, switches single letters off (WCAG 2.1.4); kept on this device.
  function letters(on) {
    var root = document.documentElement, box = $("[data-single-keys]");
    if (on !== undefined) { try { window.localStorage.setItem("cs-keys", on ? "on" : "off"); } catch (error) { /* forbidden: for this page */ } }
    else { try { on = window.localStorage.getItem("cs-keys") !== "off"; } catch (error) { on = true; } }
    root.dataset.keys = on ? "on" : "off";
    if (box) { box.checked = on; }
  }
  document.addEventListener("change", function (event) { if (event.target.matches("[data-single-keys]")) { letters(event.target.checked); } });
  var goto = false;
  function typing(target) { return target.matches("input, textarea, select, [contenteditable]"); }
  function rows() { return $$("a.row-title").filter(function (row) { return row.offsetParent !== null; }); }
  function step(by) {
    var all = rows(), at = all.indexOf(document.activeElement);
    var next = all[at === -1 ? (by > 0 ? 0 : all.length - 1) : Math.max(0, Math.min(all.length - 1, at + by))];
    if (next) { next.focus(); next.scrollIntoView({ block: "nearest" }); }
  }
  document.addEventListener("keydown", function (event) {
    var search = $("#search");
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && search) { event.preventDefault(); search.focus(); search.select(); return; }
    if (event.key === "Escape") {
      if (search && event.target.closest(".search")) { event.target.blur(); noHits(); }
      else if (!$("dialog[open]") && !$(".dropdown-menu.show")) { sidebar(false); closePanel(); }
      return;
    }
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && event.target.closest(".search")) { hits(event); return; }
    if (event.key === "Enter" && event.target === search && $(".search-hit")) { event.preventDefault(); $(".search-hit").click(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || $("dialog[open]")) { return; }
    if (document.documentElement.dataset.keys === "off") { return; }
    if (goto) {
      goto = false;
      var link = $('[data-key="' + event.key.toLowerCase() + '"]');
      if (link) { event.preventDefault(); link.click(); }
      return;
    }
    if (event.key === "/" && search) { event.preventDefault(); search.focus(); }
    else if (event.key === "?" && $("#keys")) { event.preventDefault(); $("#keys").showModal(); }
    else if (event.key === "g") { goto = true; window.setTimeout(function () { goto = false; }, 1200); }
    else if (event.key === "j") { step(1); }
    else if (event.key === "k") { step(-1); }
    else if (event.key === "z") { // what was just said can be undone from anywhere, before it is gone
      var undo = $$("#toasts form button").pop();
      if (undo) { event.preventDefault(); undo.click(); }
    }
  });
  function noHits() { $("#search-results").replaceChildren(); $("#search").setAttribute("aria-expanded", "false"); }
  function hits(event) {
    var all = [$("#search")].concat($$(".search-hit")), at = all.indexOf(document.activeElement);
    var next = all[Math.max(0, Math.min(all.length - 1, at + (event.key === "ArrowDown" ? 1 : -1)))];
    event.preventDefault();
    if (next) { next.focus(); }
  }
  function remember() { // what was looked for, once somebody follows a hit; it is sent while the page is left
    var form = $(".search-box"), said = new FormData();
    said.append("q", $("#search").value);
    said.append("csrfmiddlewaretoken", JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"]);
    navigator.sendBeacon(form.dataset.remember, said);
  }
  document.addEventListener("click", function (event) {
    var hit = event.target.closest(".search .search-hit"), search = $("#search");
    if (!hit) { return; }
    if (hit.dataset.again === undefined) { remember(); return; }
    event.preventDefault();
    search.value = hit.dataset.again;
    search.focus();
    search.dispatchEvent(new Event("input", { bubbles: true }));
  });
  document.addEventListener("submit", function (event) { if (event.target.matches(".search-box")) { remember(); } });
  document.addEventListener("focusout", function (event) {
    var box = event.target.closest(".search");
    if (!box || box.contains(event.relatedTarget)) { return; }
    if (event.relatedTarget) { noHits(); } // gone on by keyboard: what has the focus now must be seen at once
    else { window.setTimeout(function () { if (!box.contains(document.activeElement)) { noHits(); } }, 120); }
  });
  document.addEventListener("htmx:beforeSwap", function (event) { // what is found late must not lie over what has the focus by then
    if (event.detail.target.id === "search-results" && !$(".search").contains(document.activeElement)) { event.detail.shouldSwap = false; }
  });

  // --- a form in a dialog over its page: the address says which form, and the page's own one is back when it closes ----
  document.addEventListener("close", function (event) {
    if (event.target.id !== "sheet") { return; }
    window.history.replaceState(null, "", event.target.dataset.home);
    $("#sheet-content").replaceChildren();
  }, true);

  // --- htmx ---------------------------------------------------------------------------------------------------------------
  // What had the focus is often drawn anew by the answer: the same control gets it again, else the first of its row, else of that part.
  var held = null;
  function twin(control, root) {
    return (control.id && document.getElementById(control.id)) || $$("a[href], button, input, select, textarea", root).filter(function (one) {
      return one.tagName === control.tagName && !one.disabled && ["name", "value", "href", "aria-label"].every(function (part) { return one.getAttribute(part) === control.getAttribute(part); })
        && one.textContent === control.textContent;
    })[0];
  }
  document.addEventListener("htmx:beforeSwap", function (event) {
    var target = event.detail.target, control = document.activeElement;
    if (held && control === document.body) { return; } // the answer before this one has not settled yet
    held = target && target.parentNode && target.contains(control) && control !== document.body ? { control: control, id: target.id, around: target.parentNode, row: (control.closest("li[id], tr[id]") || {}).id } : null;
  });
  document.addEventListener("htmx:afterSettle", function () {
    if (!held || held.control.isConnected || document.activeElement !== document.body) { held = null; return; }
    var part = (held.id && document.getElementById(held.id)) || held.around, found = twin(held.control, part);
    var row = held.row && document.getElementById(held.row);
    held = null;
    var first = function (root) { return root && $$("a[href], button, input:not([type=hidden]), select, textarea, summary", root).filter(function (one) { return one.offsetParent && !one.disabled; })[0]; };
    found = found || first(row) || first(part); // the last step cannot go further down: its name is next to that button
    if (found) { found.focus({ preventScroll: true }); }
  });
  document.addEventListener("htmx:afterSwap", function (event) {
    toasts(document);
    if (event.target.id === "search-results") { $("#search").setAttribute("aria-expanded", String(event.target.children.length > 0)); }
    if (event.target.id === "sheet-content") {
      var sheet = $("#sheet"), wrong = $("[aria-invalid]", sheet);
      if (!sheet.open) { sheet.showModal(); }
      if (wrong) { wrong.focus(); }
    }
    if (event.target.id === "panel") {
      $$(".is-open[data-row]").forEach(function (row) { row.classList.remove("is-open"); });
      var detail = $("[data-detail]", event.target), row = detail && $('[data-row="' + detail.dataset.detail + '"]');
      if (row) { row.classList.add("is-open"); }
      var title = $("h2", event.target);
      if (title) { title.tabIndex = -1; title.focus({ preventScroll: window.innerWidth > 991 }); }
    }
  });
  document.addEventListener("cs:toast", function () { toasts(document); }); // failures.js shows why something did not work

  // Tabs that do not fit are pushed sideways: the one that is open is seen.
  function tabs() { $$(".tabs").forEach(function (row) { var one = $("[aria-current]", row); if (one) { row.scrollLeft = one.offsetLeft - row.offsetLeft - (row.clientWidth - one.offsetWidth) / 2; } }); }

  // What stands in a live region from the start is not read out: a page that answers a form says it once more.
  function announce() { $$("#toasts .toast-card").forEach(function (toast) { if (!toast.contains(document.activeElement)) { toast.parentNode.append(toast); } }); }
  function ready() { letters(); toasts(document); focusAgain(); tabs(); window.setTimeout(announce, 500); }
  if (document.readyState === "loading") { document.addEventListener("DOMContentLoaded", ready); } else { ready(); }
})();
