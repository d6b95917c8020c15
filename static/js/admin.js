// The Django admin's search boxes (select2) get the name of the field that they stand for beside what is chosen in them.
(function () {
  "use strict";
  function name() {
    document.querySelectorAll("select.admin-autocomplete").forEach(function (field) {
      var box = field.nextElementSibling, shown = box && box.querySelector(".select2-selection__rendered");
      var label = field.labels && field.labels[0];
      if (!shown || !label) { return; }
      label.id = label.id || field.id + "-name";
      shown.setAttribute("aria-labelledby", label.id);
      box.querySelector(".select2-selection").setAttribute("aria-labelledby", label.id + " " + shown.id);
    });
  }
  // They are made some time after the page is there, and with each new row of a table.
  new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
})();
