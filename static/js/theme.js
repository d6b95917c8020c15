// Runs before the first paint: light, dark or as the machine says. The server writes the member's choice on <html>.
(function () {
  "use strict";
  var root = document.documentElement;
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  function stored() {
    try { return window.localStorage.getItem("cs-theme"); } catch (error) { return null; } // storage may be forbidden
  }
  function apply() {
    var choice = root.dataset.themeChoice || stored() || "auto";
    show(choice === "auto" ? (dark.matches ? "dark" : "light") : choice);
  }
  function show(theme) {
    if (root.dataset.bsTheme !== theme) {
      root.dataset.bsTheme = theme;
      document.dispatchEvent(new CustomEvent("cs:theme", { detail: { theme: theme } }));
    }
  }
  dark.addEventListener("change", apply);
  window.addEventListener("beforeprint", function () { show("light"); }); // paper is white
  window.addEventListener("afterprint", apply);
  window.csTheme = {
    set: function (choice) {
      root.dataset.themeChoice = choice;
      try { window.localStorage.setItem("cs-theme", choice); } catch (error) { /* the server keeps it as well */ }
      apply();
    },
  };
  apply();
})();
