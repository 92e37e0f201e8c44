/* Find your gemeente or buurt as you type. The hits are plain links: Tab and Enter do the rest. */
(() => {
  "use strict";
  const MOST = 20;
  const field = document.getElementById("zoek");
  const list = document.getElementById("zoek-lijst");
  const count = document.getElementById("zoek-aantal");

  /** Lower case, only letters and digits, no accents: "s grav" finds "'s-Gravenland", "sud" finds "Súdwest". */
  const fold = (text) =>
    text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim();

  const places = JSON.parse(document.getElementById("gebieden").textContent).flatMap(([folder, gemeente, parts]) => [
    { name: gemeente, folded: fold(gemeente), kind: 0, where: "gemeente", href: `gemeenten/${folder}/index.html` },
    ...parts.map(([code, name]) => ({
      name,
      folded: fold(name),
      kind: code.startsWith("WK") ? 1 : 2,
      where: `${code.startsWith("WK") ? "wijk" : "buurt"} in ${gemeente}`,
      href: `gemeenten/${folder}/index.html#${code}`,
    })),
  ]);

  /** 0: the name itself, 1: starts with the words, 2: a word in it does, 3: holds them, -1: does not. */
  function closeness(folded, words) {
    const at = folded.indexOf(words);
    if (at === 0) return folded.length === words.length ? 0 : 1;
    if (at < 0) return -1;
    return folded.includes(` ${words}`) ? 2 : 3;
  }

  function find(words) {
    return places
      .map((place) => ({ place, order: closeness(place.folded, words) }))
      .filter(({ order }) => order >= 0)
      .sort((a, b) => a.order - b.order || a.place.kind - b.place.kind || a.place.name.localeCompare(b.place.name, "nl"))
      .map(({ place }) => place);
  }

  function item({ name, where, href }) {
    const link = document.createElement("a");
    link.href = href;
    link.textContent = name;
    const kind = document.createElement("span");
    kind.className = "where";
    kind.textContent = where;
    const row = document.createElement("li");
    row.append(link, " ", kind);
    return row;
  }

  function told(found) {
    const { none, one, many, more } = count.dataset;
    const text = [none, one][found] ?? (found > MOST ? more : many);
    return text.replace("{n}", found.toLocaleString("nl-NL")).replace("{m}", MOST);
  }

  function update() {
    const words = fold(field.value);
    const found = words ? find(words) : [];
    list.replaceChildren(...found.slice(0, MOST).map(item));
    count.textContent = words ? told(found.length) : "";
  }

  field.addEventListener("input", update);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") list.querySelector("a")?.click();
  });
  update(); // the browser may have kept what was typed before
})();
