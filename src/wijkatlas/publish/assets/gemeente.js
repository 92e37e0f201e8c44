/* A gemeente's page works without this: it offers printing, and opens the card that the address names. */
(() => {
  "use strict";
  const print = document.getElementById("afdrukken");
  print.hidden = false;
  print.addEventListener("click", () => window.print());

  /** Shows the card that the address names, or the map if it names a view of the map. */
  function openNamed() {
    const name = window.location.hash.slice(1);
    const named = document.getElementById(name.includes("=") ? "kaart" : name);
    for (let box = named?.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    named?.scrollIntoView();
  }
  window.addEventListener("hashchange", openNamed);
  openNamed();
})();
