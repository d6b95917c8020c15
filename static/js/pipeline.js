// The board of opportunities: cards are dragged, moved by their menu, or by Shift with an arrow key on the card's name. The
// server judges every move; what it says is announced and shown. Everything works without this file: the menu is a form.
(function () {
  "use strict";
  var DIALOG_OF = { won: "deal-win", lost: "deal-lose" };
  var DEED_OF = { won: "win/", lost: "lose/" };
  function board() { return document.querySelector("[data-pipeline]"); }
  function cardOf(node) { return node && node.closest ? node.closest("[data-opportunity]") : null; }
  function say(words) {
    var live = document.querySelector("[data-board-live]");
    if (!live) { return; }
    live.textContent = "";
    window.setTimeout(function () { live.textContent = words; }, 50); // the same words again are announced again
  }
  function show(words, good) {
    var place = document.querySelector("[data-pipeline-said]");
    if (!place) {
      place = document.createElement("p");
      place.dataset.pipelineSaid = "yes";
      board().parentNode.insertBefore(place, board());
    }
    place.className = good ? "banner" : "banner banner-bad";
    place.textContent = words;
  }
  function ask(card, to) {
    var dialog = document.getElementById(DIALOG_OF[to]);
    if (!dialog) { return; }
    dialog.querySelector("form").action = card.dataset.base + DEED_OF[to];
    dialog.querySelector("[data-deal-name]").textContent = card.dataset.name;
    dialog.addEventListener("close", function () { focusCard(card.dataset.opportunity); }, { once: true });
    dialog.showModal();
  }
  function focusCard(id) {
    var card = document.getElementById("opportunity-" + id), link = card && card.querySelector("a.row-title");
    if (link) { link.focus(); card.scrollIntoView({ block: "nearest", inline: "nearest" }); }
  }
  function refresh(id, words, good) {
    return window.fetch(window.location.href, { headers: { "X-Requested-With": "fetch" } }).then(function (answer) {
      if (!answer.ok) { throw new Error(String(answer.status)); }
      return answer.text();
    }).then(function (text) {
      var page = new DOMParser().parseFromString(text, "text/html");
      document.querySelectorAll("[data-live-part]").forEach(function (part) {
        var fresh = page.querySelector('[data-live-part="' + part.dataset.livePart + '"]');
        if (fresh) { part.replaceChildren.apply(part, Array.prototype.slice.call(fresh.childNodes)); }
      });
      show(words, good);
      say(words);
      focusCard(id);
    });
  }
  function move(card, to) {
    if (to in DIALOG_OF) { ask(card, to); return; }
    var form = card.querySelector("form[data-move]"), data = new FormData(form), id = card.dataset.opportunity;
    data.set("to", to);
    card.setAttribute("aria-busy", "true");
    say(board().dataset.moving);
    window.fetch(form.action, { method: "POST", body: data, headers: { "X-Board": "1" }, credentials: "same-origin" })
      .then(function (answer) {
        if (!answer.ok) { throw new Error(String(answer.status)); }
        return answer.json();
      })
      .then(function (said) {
        if (said.done) { return refresh(id, said.words, true); }
        show(said.words, false);
        say(said.words);
        card.removeAttribute("aria-busy");
        return null;
      })
      .catch(function () {
        card.removeAttribute("aria-busy");
        show(board().dataset.failed, false);
        say(board().dataset.failed);
      });
  }

  document.addEventListener("submit", function (event) {
    var card = cardOf(event.target);
    if (!card || !event.target.matches("form[data-move]")) { return; }
    event.preventDefault();
    move(card, event.target.elements.to.value);
  });

  document.addEventListener("keydown", function (event) {
    if (!event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) { return; }
    if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") { return; }
    var card = event.target.matches("a.row-title") ? cardOf(event.target) : null;
    if (!card || !card.hasAttribute("draggable")) { return; }
    event.preventDefault();
    var columns = Array.prototype.slice.call(board().querySelectorAll("[data-column]"));
    var at = columns.indexOf(card.closest("[data-column]"));
    var next = columns[at + (event.key === "ArrowRight" ? 1 : -1)];
    if (next) { move(card, next.dataset.column); } else { say(board().dataset.end); }
  });

  var dragged = null;
  function clear() { document.querySelectorAll(".is-target").forEach(function (one) { one.classList.remove("is-target"); }); }
  function target(event) {
    var place = dragged && event.target.closest ? event.target.closest("[data-column]") : null;
    return place && place.dataset.column !== dragged.dataset.stage ? place : null;
  }
  document.addEventListener("dragstart", function (event) {
    var card = cardOf(event.target);
    dragged = card && card.hasAttribute("draggable") ? card : null;
    if (!dragged) { return; }
    dragged.classList.add("is-dragged");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.name);
  });
  document.addEventListener("dragover", function (event) {
    var place = target(event);
    clear();
    if (place) { event.preventDefault(); place.classList.add("is-target"); }
  });
  document.addEventListener("drop", function (event) {
    var place = target(event), card = dragged;
    if (!place) { return; }
    event.preventDefault();
    move(card, place.dataset.column);
  });
  document.addEventListener("dragend", function () {
    if (dragged) { dragged.classList.remove("is-dragged"); }
    dragged = null;
    clear();
  });
})();
