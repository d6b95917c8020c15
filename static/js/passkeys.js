// The library only logs what a browser refuses; people read it on the page.
document.addEventListener("allauth.error", (event) => {
  const note = document.getElementById("passkey-failed");
  if (note) {
    event.preventDefault();
    note.hidden = false;
  }
});
// Enter in a field sends a form without asking the key; it asks the key first, as the button does. (The library sends by
// script afterwards, which raises no event.)
document.addEventListener("submit", (event) => {
  const ask = event.target.querySelector("button[data-asks-key]");
  if (ask) {
    event.preventDefault();
    ask.click();
  }
});
