/* The view: which layer, level, place and filter; pure functions over decoded columns. */

/** The class of a value: the number of limits it reaches; -1 for a missing value. */
function classOf(layer, value) {
  if (layer.kind === "class") return layer.classes.indexOf(value);
  if (Number.isNaN(value)) return -1;
  let number = 0;
  while (number < layer.limits.length && value >= layer.limits[number]) number++;
  return number;
}

/** Per area: how many indicators are worse than those of p percent or more of the other areas of the edition. */
function countWorse(level, layers, p) {
  const counts = new Uint16Array(level.size);
  for (const layer of layers) {
    level.column(`ongunstiger:${layer.id}`).forEach((share, i) => {
      if (share >= p) counts[i]++;
    });
  }
  return counts;
}

/** Which areas pass the filter: an array of booleans in the level's order. */
function passing(level, layers, filter) {
  const passes = new Array(level.size).fill(true);
  const keep = (test) => passes.forEach((pass, i) => (passes[i] = pass && test(i)));
  if (filter.gemeente) keep((i) => gemeenteOf(level.codes[i]) === filter.gemeente);
  if (filter.top && level.has("rang")) {
    const rank = level.column("rang");
    keep((i) => rank[i] <= filter.top);
  }
  if (filter.aantal) {
    const counts = countWorse(level, layers.filter((layer) => layer.counted), filter.percentiel);
    keep((i) => counts[i] >= filter.aantal);
  }
  for (const [id, least] of Object.entries(filter.minstens)) {
    if (!level.has(id)) continue;
    const values = level.column(id);
    keep((i) => values[i] >= least);
  }
  return passes;
}

/** Codes nest: BU05990110 lies in WK059901 and in GM0599. */
function gemeenteOf(code) {
  return `GM${code.slice(2, 6)}`;
}

/** Areas whose name holds the words: first the same name, then names that start so; of equals, level by level. */
function search(levels, words, most = 12) {
  const wanted = fold(words.trim());
  if (!wanted) return [];
  const found = levels.flatMap((level, depth) => {
    level.folded ??= level.column("naam").map((name) => fold(name ?? ""));
    return level.folded.flatMap((name, area) => {
      const place = name.indexOf(wanted);
      const order = name === wanted ? 0 : place === 0 ? 1 : 2;
      return place < 0 ? [] : [{ level, area, order, depth }];
    });
  });
  return found.sort((a, b) => a.order - b.order || a.depth - b.depth || a.area - b.area).slice(0, most);
}

const compareTexts = new Intl.Collator("nl").compare;

/** Areas in the order of a column; missing values last, whichever way. */
function sorted(areas, values, descending) {
  const way = descending ? -1 : 1;
  const isMissing = (value) => value === null || Number.isNaN(value);
  return [...areas].sort((a, b) => {
    const [p, q] = [values[a], values[b]];
    if (isMissing(p) || isMissing(q)) return isMissing(p) - isMissing(q) || a - b;
    return way * (typeof p === "string" ? compareTexts(p, q) : p - q) || a - b;
  });
}

/** The nearest area in a direction: within 45 degrees of it, by the distance between centres. */
function neighbour(centres, from, [dx, dy], isCandidate) {
  let best = -1;
  let shortest = Infinity;
  for (let i = 0; i < centres.x.length; i++) {
    if (i === from || !isCandidate(i)) continue;
    const x = centres.x[i] - centres.x[from];
    const y = centres.y[i] - centres.y[from];
    const along = x * dx + y * dy;
    const across = Math.abs(x * dy - y * dx);
    const distance = along + 2 * across;
    if (along >= across && along > 0 && distance < shortest) [best, shortest] = [i, distance];
  }
  return best;
}

const NO_FILTER = { gemeente: "", top: 0, aantal: 0, percentiel: 80, minstens: {} };

/** The view as the part of an address after "#". */
function toHash(view) {
  const { filter } = view;
  const entries = [
    ["niveau", view.level],
    ["laag", view.layer],
    ["gebied", view.area],
    ["gemeente", filter.gemeente],
    ["top", filter.top],
    ["aantal", filter.aantal],
    ["percentiel", filter.aantal && filter.percentiel],
    ...Object.entries(filter.minstens).map(([id, least]) => [`min.${id}`, least]),
    ["kaart", view.map],
  ];
  return new URLSearchParams(entries.filter(([, value]) => value)).toString().replaceAll("%2F", "/");
}

/** Reads what `toHash` wrote, or an area's code alone; what it does not know it leaves out. */
function fromHash(hash, known) {
  const text = hash.replace(/^#/, "");
  const read = new URLSearchParams(known.areas.includes(text) ? { gebied: text } : text);
  const amount = (name) => Math.max(0, Number(read.get(name)) || 0);
  const oneOf = (name, values) => (values.includes(read.get(name)) ? read.get(name) : "");
  const minstens = {};
  for (const id of known.thresholds) if (amount(`min.${id}`)) minstens[id] = amount(`min.${id}`);
  return {
    level: oneOf("niveau", known.levels),
    layer: oneOf("laag", known.layers),
    area: oneOf("gebied", known.areas),
    map: /^[\d.]+\/-?[\d.]+\/-?[\d.]+$/.test(read.get("kaart") ?? "") ? read.get("kaart") : "",
    filter: {
      gemeente: /^GM\d{4}$/.test(read.get("gemeente") ?? "") ? read.get("gemeente") : "",
      top: amount("top"),
      aantal: amount("aantal"),
      percentiel: Math.min(99, amount("percentiel")) || NO_FILTER.percentiel,
      minstens,
    },
  };
}
