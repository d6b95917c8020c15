// The board of leads: a card's button opens its dialog here instead of on the lead's page, and a card can be dragged. Everything
// works without this file: the buttons are links and forms.
(function () {
  "use strict";
  var DIALOG_OF = { converted: "convert", rejected: "reject" };
  function open(card, deed) {
    var dialog = document.getElementById("deed-" + deed);
    if (!dialog) { return false; }
    dialog.querySelector("form").action = card.dataset.base + deed + "/";
    dialog.querySelector("[data-deed-name]").textContent = card.dataset.name;
    dialog.showModal();
    return true;
  }
  document.addEventListener("click", function (event) {
    var link = event.target.closest("[data-deed]"), card = link && link.closest("[data-lead]");
    if (card && open(card, link.dataset.deed)) { event.preventDefault(); }
  });

  var dragged = null;
  function column(event) { return dragged && event.target.closest ? event.target.closest("[data-column]") : null; }
  function takes(place) {
    var key = place.dataset.column, state = dragged.dataset.state;
    return (key === "accepted" && state === "new") || key in DIALOG_OF;
  }
  function clear() { document.querySelectorAll(".is-target").forEach(function (one) { one.classList.remove("is-target"); }); }
  document.addEventListener("dragstart", function (event) {
    dragged = event.target.closest ? event.target.closest("[data-lead][draggable]") : null;
    if (!dragged) { return; }
    dragged.classList.add("is-dragged");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.name);
  });
  document.addEventListener("dragover", function (event) {
    var place = column(event);
    clear();
    if (place && takes(place)) { event.preventDefault(); place.classList.add("is-target"); }
  });
  document.addEventListener("drop", function (event) {
    var place = column(event), card = dragged;
    if (!place || !takes(place)) { return; }
    event.preventDefault();
    if (place.dataset.column === "accepted") { card.querySelector('form[action$="/accept/"]').requestSubmit(); }
    else { open(card, DIALOG_OF[place.dataset.column]); }
  });
  document.addEventListener("dragend", function () {
    if (dragged) { dragged.classList.remove("is-dragged"); }
    dragged = null;
    clear();
  });
})();
