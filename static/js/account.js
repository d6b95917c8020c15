// The account page: names after an @ in a note. Without this file a name can be typed in full.
(function () {
  "use strict";
  var $ = function (selector, root) { return (root || document).querySelector(selector); };

  // --- @names ---------------------------------------------------------------------------------------------------------
  var address = document.body.dataset.mentions || (window.location.pathname.match(/^\/t\/[^/]+\//) || ["/"])[0] + "accounts/mentions/";
  var asked = 0;
  function typed(area) { // what stands between the last @ and the caret, when it may still become a name
    var before = area.value.slice(0, area.selectionStart), at = before.lastIndexOf("@");
    if (at === -1 || (at > 0 && /[\p{L}\p{N}]/u.test(before[at - 1]))) { return null; }
    var text = before.slice(at + 1);
    return text.length > 40 || /[\n,;:]/.test(text) || text.split(" ").length > 4 ? null : { at: at, text: text };
  }
  function box(area) {
    var found = area.parentNode.querySelector("[data-mention-box]");
    if (!found) {
      found = document.createElement("div");
      found.className = "mention-box";
      found.dataset.mentionBox = "";
      found.setAttribute("aria-live", "polite");
      area.insertAdjacentElement("afterend", found);
    }
    return found;
  }
  function suggest(area) {
    var word = typed(area), place = box(area), mine = ++asked;
    if (!word) { place.replaceChildren(); return; }
    window.setTimeout(function () {
      if (mine !== asked) { return; }
      window.htmx.ajax("GET", address + "?q=" + encodeURIComponent(word.text), { target: place, swap: "innerHTML" });
    }, 150);
  }
  function choose(button) {
    var place = button.closest("[data-mention-box]"), area = place.parentNode.querySelector("[data-mentions]"), word = typed(area);
    if (!word) { return; }
    var head = area.value.slice(0, word.at) + "@" + button.dataset.name + " ", tail = area.value.slice(area.selectionStart);
    var hidden = document.createElement("input");
    hidden.type = "hidden"; hidden.name = "mention"; hidden.value = button.dataset.mention;
    area.form.appendChild(hidden);
    area.value = head + tail;
    area.focus();
    area.setSelectionRange(head.length, head.length);
    place.replaceChildren();
  }
  document.addEventListener("input", function (event) { if (event.target.matches("textarea[data-mentions]")) { suggest(event.target); } });
  document.addEventListener("click", function (event) {
    var hit = event.target.closest("[data-mention]");
    if (hit) { choose(hit); }
  });
  document.addEventListener("keydown", function (event) {
    var place = event.target.matches("textarea[data-mentions]") ? box(event.target) : event.target.closest("[data-mention-box]");
    if (!place || !place.firstElementChild) { return; }
    var hits = Array.prototype.slice.call(place.querySelectorAll("[data-mention]")), at = hits.indexOf(document.activeElement);
    if (event.key === "ArrowDown" && hits[at + 1]) { event.preventDefault(); hits[at + 1].focus(); }
    else if (event.key === "ArrowUp" && at > 0) { event.preventDefault(); hits[at - 1].focus(); }
    else if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); place.replaceChildren(); place.parentNode.querySelector("[data-mentions]").focus(); }
  }, true);
})();
