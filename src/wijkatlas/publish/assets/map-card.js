/* The reason card: why this area, in figures. Text enters the page as text nodes only. */

/** Makes an element; strings among the children become text, never markup. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") element.addEventListener("click", value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

/** What is known of one area beyond its layers. */
function describe(level, i) {
  const text = (name) => (level.has(name) ? level.column(name)[i] : null);
  const value = (name) => (level.has(name) ? level.column(name)[i] : NaN);
  return {
    code: level.codes[i],
    naam: text("naam") ?? level.codes[i],
    gemeente: text("gemeente"),
    rang: value("rang"),
    laag: value("rang_p05"),
    hoog: value("rang_p95"),
    kans: value("kans_top10"),
    klasse: text("klasse"),
    reden: text("reden_niet_gescoord"),
  };
}

function layerValue(level, layer, i) {
  return level.has(layer.id) ? level.column(layer.id)[i] : NaN;
}

/** A value in words; a missing one with its reason. */
function figureText(level, layer, i) {
  const value = layerValue(level, layer, i);
  const status = level.has(`status:${layer.id}`) ? level.column(`status:${layer.id}`)[i] : null;
  if (value === null || Number.isNaN(value)) return status ? `${MISSING} (${status})` : MISSING;
  return withUnit(value, layer) + (status === "geschat" ? " (geschat)" : "");
}

function fillCard(card, level, layers, i) {
  const area = describe(level, i);
  const [main, ...others] = layers.filter((layer) => layer.kind !== "class");
  const facts = [
    level.has("rang") && rankText(area),
    chanceText(area),
    area.klasse && `Zekerheid: ${area.klasse}`,
    `${main.label}: ${figureText(level, main, i)}`,
  ];
  card.replaceChildren(
    make("h2", { tabindex: "-1" }, area.naam),
    make("p", { class: "wa-place" }, [level.label, area.gemeente].filter(Boolean).join(" · ")),
    make("ul", { class: "wa-facts" }, ...facts.filter(Boolean).map((fact) => make("li", {}, fact))),
    Number.isNaN(area.laag) ? "" : make("p", { class: "wa-help" }, RANK_HELP),
    ...contributions(level, layers, i),
    make("p", { class: "wa-help" }, WORSE_HELP),
    ...groups(level, others, i),
    ...level.columns.filter((name) => name.startsWith("note:")).flatMap((name) => note(level, name, i)),
  );
}

function note(level, name, i) {
  const text = level.column(name)[i];
  return text ? [make("h3", {}, name.slice("note:".length)), make("p", {}, text)] : [];
}

function contributions(level, layers, i) {
  const rows = layers
    .filter((layer) => level.has(`bijdrage:${layer.id}`))
    .map((layer) => ({ layer, value: level.column(`bijdrage:${layer.id}`)[i] }))
    .filter(({ value }) => !Number.isNaN(value))
    .sort((a, b) => b.value - a.value);
  if (!rows.length) return [];
  const widest = Math.max(...rows.map(({ value }) => Math.abs(value))) || 1;
  const bar = ({ layer, value }) => {
    const fill = make("span", { class: value < 0 ? "wa-bar wa-less" : "wa-bar" });
    fill.style.width = `${(50 * Math.abs(value)) / widest}%`;
    const sign = value > 0 ? "+" : "";
    return make(
      "li",
      {},
      make("span", { class: "wa-name" }, layer.label),
      make("span", { class: "wa-value" }, sign + number(value, 1)),
      make("span", { class: "wa-track", "aria-hidden": "true" }, fill),
    );
  };
  return [
    make("h3", {}, "Waarom staat dit gebied hier?"),
    make("p", { class: "wa-help" }, `Bijdrage aan het verschil met de middelste ${level.id}: + maakt de score hoger.`),
    make("ul", { class: "wa-bars" }, ...rows.map(bar)),
  ];
}

function groups(level, layers, i) {
  return [...new Set(layers.map((layer) => layer.group))].map((group) => {
    const shown = layers.filter((layer) => layer.group === group);
    const hasYears = shown.some((layer) => level.has(`peiljaar:${layer.id}`));
    const hasShares = shown.some((layer) => layer.worse);
    const heads = ["Cijfer", "Waarde", ...(hasYears ? ["Jaar"] : []), ...(hasShares ? ["Ongun\u00adstiger dan"] : [])];
    return make(
      "table",
      { class: "wa-figures" },
      make("caption", {}, group),
      make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
      make("tbody", {}, ...shown.map((layer) => figureRow(level, layer, i, { hasYears, hasShares }))),
    );
  });
}

function figureRow(level, layer, i, { hasYears, hasShares }) {
  const year = level.has(`peiljaar:${layer.id}`) ? level.column(`peiljaar:${layer.id}`)[i] : NaN;
  const share = layer.worse ? level.column(`ongunstiger:${layer.id}`)[i] : NaN;
  return make(
    "tr",
    {},
    make("th", { scope: "row" }, layer.label),
    make("td", {}, figureText(level, layer, i)),
    hasYears ? make("td", {}, Number.isNaN(year) ? "–" : String(year)) : "",
    hasShares ? make("td", {}, Number.isNaN(share) ? "–" : `${share}%`) : "",
  );
}
