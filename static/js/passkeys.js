// The library only logs what a browser refuses; people read it on the page.
document.addEventListener("allauth.error", (event) => {
  const note = document.getElementById("passkey-failed");
  if (note) {
    event.preventDefault();
    note.hidden = false;
  }
});
