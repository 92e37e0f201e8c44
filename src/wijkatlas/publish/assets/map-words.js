/* Every Dutch text that the scripts write, and how numbers are written in Dutch. */

const MISSING = "geen cijfer";
const RANK_HELP =
  "Plaats 1 heeft de hoogste score. Tussen haakjes staat de marge: in 90% van de doorrekeningen ligt de plaats daarbinnen.";
const WORSE_HELP =
  "Ongunstiger dan: bij hoeveel van de andere gebieden van deze uitgave het cijfer gunstiger is, ook buiten de gemeente.";
const LEVELS = { buurt: "buurten", wijk: "wijken", gemeente: "gemeenten" };

const FORMATS = []; // by number of decimals: they are slow to make

/** A decimal comma and a point for thousands; a dash for a missing value. */
function number(value, decimals = 0) {
  if (value === null || Number.isNaN(value)) return "–";
  const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  FORMATS[decimals] ??= new Intl.NumberFormat("nl-NL", digits);
  return FORMATS[decimals].format(value).replace("-", "−");
}

function withUnit(value, layer) {
  if (typeof value === "string") return value;
  if (value === null || Number.isNaN(value)) return MISSING;
  const unit = layer.unit === "%" ? "%" : layer.unit && ` ${layer.unit}`;
  return number(value, layer.decimals) + unit;
}

/** "Plaats 143 (90%: 96–212)". */
function rankText(area) {
  if (Number.isNaN(area.rang)) return area.reden ? `Niet gescoord: ${area.reden}` : "Niet gescoord";
  return `Plaats ${number(area.rang)} (90%: ${number(area.laag)}–${number(area.hoog)})`;
}

/** "143 (96–212)": a rank never stands without its interval. */
function rankInList(area) {
  return Number.isNaN(area.rang) ? "–" : `${number(area.rang)} (${number(area.laag)}–${number(area.hoog)})`;
}

function chanceText(area) {
  return Number.isNaN(area.kans) ? "" : `Kans op de eerste 10%: ${percent(area.kans)}`;
}

/** A share from 0 to 1; only certainty itself is 0% or 100%. */
function percent(share) {
  if (share > 0 && share < 0.005) return "minder dan 1%";
  if (share < 1 && share >= 0.995) return "meer dan 99%";
  return `${number(share * 100)}%`;
}

/** The limits of a layer's classes in words; classes do not share ends: "12,0 tot en met 15,9". */
function classTexts(layer) {
  if (layer.kind === "class") return layer.classes;
  const step = 10 ** -layer.decimals;
  const text = (value) => number(value, layer.decimals);
  const unit = layer.unit ? ` ${layer.unit}`.replace(" %", "%") : "";
  if (!layer.limits.length) return ["alle waarden"];
  return [
    `minder dan ${text(layer.limits[0])}${unit}`,
    ...layer.limits.slice(1).map((limit, i) => {
      const [first, last] = [text(layer.limits[i]), text(limit - step)];
      return (first === last ? first : `${first} – ${last}`) + unit;
    }),
    `${text(layer.limits.at(-1))}${unit} of meer`,
  ];
}

/** Lower case without accents, so that "Súdwest" is found as "sudwest". */
function fold(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

function plural(count, level) {
  return `${number(count)} ${count === 1 ? level : LEVELS[level]}`;
}
