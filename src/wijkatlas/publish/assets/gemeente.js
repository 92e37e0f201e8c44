/* A gemeente's page works without this: it offers printing, and opens the card that the address names. */
(() => {
  "use strict";
  const print = document.getElementById("afdrukken");
  print.hidden = false;
  print.addEventListener("click", () => window.print());

  function openNamed() {
    const card = document.getElementById(window.location.hash.slice(1));
    for (let box = card?.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    card?.scrollIntoView({ block: "center" });
  }
  window.addEventListener("hashchange", openNamed);
  openNamed();
})();
