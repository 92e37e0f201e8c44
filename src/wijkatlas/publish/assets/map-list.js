/* The list beside the map: the same areas and figures as a sortable table. */

/** The columns of the list: always the same ones, then the given layers. */
function listColumns(level, layers) {
  const known = (i) => describe(level, i);
  const fixed = [
    { id: "rang", label: "Plaats", text: (i) => rankInList(known(i)) },
    { id: "naam", label: level.label, text: (i) => known(i).naam },
    { id: "gemeente", label: "Gemeente", text: (i) => known(i).gemeente ?? "" },
    { id: "klasse", label: "Zekerheid", text: (i) => known(i).klasse ?? known(i).reden ?? "–" },
    { id: "kans_top10", label: "Kans op de eerste 10%", text: (i) => (Number.isNaN(known(i).kans) ? "–" : percent(known(i).kans)) },
  ];
  const shown = layers
    .filter((layer) => !fixed.some(({ id }) => id === layer.id))
    .map((layer) => ({
      id: layer.id,
      label: layer.unit ? `${layer.label} (${layer.unit})` : layer.label,
      text: (i) => figureText(level, { ...layer, unit: "" }, i),
    }));
  return [...fixed, ...shown].filter(({ id }) => level.has(id));
}

/** Fills a table; `rows` are the areas to show, in their order. */
function fillList(table, { caption, columns, rows, sort, open, sortBy }) {
  const heads = columns.map(({ id, label }) => {
    const order = id === sort.column && (sort.descending ? "descending" : "ascending");
    const button = make("button", { type: "button", onclick: () => sortBy(id) }, label);
    button.dataset.column = id;
    return make("th", { scope: "col", "aria-sort": order }, button);
  });
  const cell = (column, i) => {
    if (column.id !== "naam") return make("td", {}, column.text(i));
    const button = make("button", { type: "button", class: "wa-link", onclick: () => open(i) }, column.text(i));
    return make("th", { scope: "row" }, button);
  };
  const lines = rows.map((i) => make("tr", {}, ...columns.map((column) => cell(column, i))));
  table.replaceChildren(
    make("caption", {}, caption),
    make("thead", {}, make("tr", {}, ...heads)),
    make("tbody", {}, ...lines),
  );
}
