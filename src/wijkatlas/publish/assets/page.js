/* The page: wires the view to the map, the lists and the address. */

const ROWS_AT_ONCE = 100;
const MUTED = "#e4e4df";
const NO_FIGURE = "#d0d0cb";
const MAP_ROLE = { tabindex: "0", role: "application", "aria-labelledby": "wa-map-title", "aria-describedby": "wa-keys" };

class AtlasPage {
  constructor(map, root, data) {
    Object.assign(this, { map, root, ...data });
    this.part = (name) => root.querySelector(`[data-part="${name}"]`);
    this.shapes = new Map();
    let first = 0;
    for (const level of this.levels) {
      level.first = first;
      level.folded = level.column("naam").map((name) => fold(name ?? ""));
      first += level.size;
    }
    this.view = {};
    this.rows = ROWS_AT_ONCE;
    this.sort = { column: "rang", descending: false };
    this.hovered = -1;
    this.drawn = 0;
  }

  get level() {
    return this.levels.find((level) => level.id === this.view.level);
  }

  get layer() {
    return this.layers.find((layer) => layer.id === this.view.layer);
  }

  /** The number of the chosen area in its level, or -1. */
  get area() {
    return this.view.area ? this.level.codes.indexOf(this.view.area) : -1;
  }

  shapesOf(level) {
    if (!this.shapes.has(level.id)) {
      this.shapes.set(level.id, shapesOf(this.topology, level.first, level.size));
    }
    return this.shapes.get(level.id);
  }

  start() {
    const { map } = this;
    const box = map.getContainer();
    for (const [name, value] of Object.entries(MAP_ROLE)) box.setAttribute(name, value);
    this.hatching = hatch("#1a1a1a", "", 7);
    this.blank = hatch("#8a8a85", NO_FIGURE, 5);
    this.readHash();
    this.fitAll = () => map.fitBounds(this.boundsOf(this.levels.at(-1)), { animate: false });
    this.fitAll();
    this.areasLayer = createCanvasLayer(this.topology, (ink, window) => this.drawAreas(ink, window)).addTo(map);
    this.marksLayer = createCanvasLayer(this.topology, (ink, window) => this.drawMarks(ink, window)).addTo(map);
    this.placeMap();
    L.control.zoom({ zoomInTitle: "Inzoomen", zoomOutTitle: "Uitzoomen" }).addTo(map);
    L.control.scale({ imperial: false, position: "bottomleft" }).addTo(map);
    connectControls(this);
    connectMap(this);
    window.addEventListener("hashchange", () => {
      this.readHash();
      this.placeMap();
      this.update();
    });
    map.on("moveend", () => this.writeHash());
    this.update();
  }

  boundsOf(level, area = -1) {
    const { boxes, size } = this.shapesOf(level);
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    for (let i = area < 0 ? 0 : area; i < (area < 0 ? size : area + 1); i++) {
      for (const side of [0, 1]) box[side] = Math.min(box[side], boxes[4 * i + side]);
      for (const side of [2, 3]) box[side] = Math.max(box[side], boxes[4 * i + side]);
    }
    return L.latLngBounds(toLatLng(this.topology, box[0], box[1]), toLatLng(this.topology, box[2], box[3]));
  }

  /* ---- the address ---- */

  readHash() {
    const view = fromHash(window.location.hash, {
      levels: this.levels.map((level) => level.id),
      layers: this.layers.map((layer) => layer.id),
      areas: this.levels.flatMap((level) => level.codes),
      thresholds: this.layers.filter((layer) => layer.threshold).map((layer) => layer.id),
    });
    const levelOfArea = this.levels.find((level) => level.codes.includes(view.area));
    view.level = levelOfArea?.id || view.level || this.levels[0].id;
    view.layer ||= this.layers[0].id;
    this.isOpen = Boolean(view.area);
    this.view = view;
    this.filter();
  }

  writeHash() {
    const { lat, lng } = this.map.getCenter();
    this.view.map = `${this.map.getZoom()}/${lat.toFixed(4)}/${lng.toFixed(4)}`;
    const hash = `#${toHash(this.view)}`;
    if (hash !== window.location.hash) window.history.replaceState(null, "", hash);
  }

  placeMap() {
    if (this.view.map) {
      const [zoom, lat, lng] = this.view.map.split("/").map(Number);
      this.map.setView([lat, lng], zoom, { animate: false });
    } else if (this.view.area) this.show(this.area);
    else if (this.view.filter.gemeente) this.showGemeente();
  }

  show(area) {
    this.map.fitBounds(this.boundsOf(this.level, area), { maxZoom: 14, padding: [60, 60] });
  }

  showGemeente() {
    const level = this.levels.find(({ id }) => id === "gemeente");
    const area = level ? level.codes.indexOf(this.view.filter.gemeente) : -1;
    if (area >= 0) this.map.fitBounds(this.boundsOf(level, area));
  }

  /* ---- drawing ---- */

  drawAreas(ink, window) {
    const { level, layer } = this;
    const shapes = this.shapesOf(level);
    const scale = new DOMMatrix([window.pixel / window.sharpness, 0, 0, window.pixel / window.sharpness, 0, 0]);
    for (const pattern of [this.hatching, this.blank]) pattern.setTransform(scale);
    const values = level.column(layer.id);
    const certainty = layer.hatched && level.has("klasse") ? level.column("klasse") : null;
    const styleOf = (i) => {
      if (!this.passes[i]) return [MUTED];
      const place = classOf(layer, values[i]);
      if (place < 0) return [this.blank];
      const isUncertain = certainty ? certainty[i] === "onzeker" : layer.classes[place] === "onzeker";
      return isUncertain ? [layer.colours[place], this.hatching] : [layer.colours[place]];
    };
    this.drawn = fillAreas(ink, shapes, window, styleOf);
    const zoom = this.map.getZoom();
    const closeness = Math.min(1, Math.max(0, (zoom - 7) / 5));
    const isFinest = level === this.levels[0] && this.levels.length > 1;
    const width = isFinest ? 0.15 + 0.75 * closeness : 0.8;
    strokeBorders(ink, shapes, window, this.border, width);
    const outer = this.levels.at(-1);
    if (outer !== level) strokeBorders(ink, this.shapesOf(outer), window, this.border, 0.5 + 1.3 * closeness);
  }

  drawMarks(ink, window) {
    const shapes = this.shapesOf(this.level);
    if (this.hovered >= 0) outline(ink, shapes, this.hovered, window);
    if (this.area >= 0) outline(ink, shapes, this.area, window);
  }

  filter() {
    this.passes = passing(this.level, this.layers, this.view.filter);
  }

  /** Brings everything in line with the view. */
  update() {
    this.filter();
    this.hovered = -1;
    this.areasLayer.redraw();
    this.marksLayer.redraw();
    updateControls(this);
    this.updateTable();
    this.updateCard();
    this.writeHash();
  }

  change(changes) {
    Object.assign(this.view, changes);
    this.rows = ROWS_AT_ONCE;
    this.update();
  }

  changeFilter(changes) {
    this.change({ filter: { ...this.view.filter, ...changes } });
    if (changes.gemeente) this.showGemeente();
  }

  changeLevel(id) {
    this.change({ level: id, area: "" });
  }

  /* ---- one area ---- */

  choose(area) {
    this.view.area = area < 0 ? "" : this.level.codes[area];
    this.marksLayer.redraw();
    this.say(area);
    this.updateCard();
    this.writeHash();
  }

  open(area) {
    this.isOpen = true;
    this.choose(area);
    this.part("card").querySelector("h2").focus();
  }

  close() {
    this.isOpen = false;
    this.updateCard();
    this.map.getContainer().focus();
  }

  updateCard() {
    const isShown = this.area >= 0 && this.isOpen;
    this.part("card").hidden = !isShown;
    if (isShown) fillCard(this.part("reasons"), this.level, this.layers, this.area);
  }

  say(area) {
    this.part("status").textContent = area < 0 ? "" : this.lines(area).join(". ");
  }

  lines(area) {
    const known = describe(this.level, area);
    const { layer, level } = this;
    const value = layer.kind === "class" ? "" : `${layer.label}: ${figureText(level, layer, area)}`;
    const name = [known.naam, known.gemeente].filter(Boolean).join(", ");
    const rank = level.has("rang") ? rankText(known) : "";
    return [name, rank, chanceText(known), known.klasse && `Klasse: ${known.klasse}`, value].filter(Boolean);
  }

  /* ---- the table ---- */

  updateTable() {
    const { level, layer } = this;
    const isWide = this.part("all-columns").checked;
    const columns = tableColumns(level, isWide ? this.layers : [layer]);
    if (!columns.some(({ id }) => id === this.sort.column)) this.sort = { column: columns[0].id, descending: false };
    const areas = this.passes.flatMap((pass, i) => (pass ? [i] : []));
    const ordered = sorted(areas, level.column(this.sort.column), this.sort.descending);
    const shown = Math.min(this.rows, ordered.length);
    fillTable(this.part("table"), {
      caption: `${plural(ordered.length, level.id)}, de eerste ${number(shown)} in beeld`,
      columns,
      rows: ordered.slice(0, shown),
      sort: this.sort,
      open: (i) => {
        this.show(i);
        this.open(i);
      },
      sortBy: (column) => this.sortBy(column),
    });
    this.part("more").hidden = shown === ordered.length;
  }

  sortBy(column) {
    const isSame = column === this.sort.column;
    this.sort = { column, descending: isSame && !this.sort.descending };
    this.updateTable();
    this.part("table").querySelector(`[data-column="${CSS.escape(column)}"]`).focus();
  }
}

/** Starts the page; where the browser cannot, the words and the table in the page's HTML stay. */
async function startAtlas(map, payloadId) {
  const root = document.querySelector(".wa");
  try {
    if (typeof DecompressionStream === "undefined") throw new Error("this browser has no DecompressionStream");
    const data = await unpack(document.getElementById(payloadId).textContent);
    root.classList.add("wa-ready");
    map.invalidateSize({ animate: false });
    const page = new AtlasPage(map, root, data);
    page.start();
    return inspection(page);
  } catch (error) {
    root.classList.remove("wa-ready");
    root.classList.add("wa-failed");
    throw error;
  }
}

/** What tests and the curious may read: a copy of the page's state, nothing to change it with. */
function inspection(page) {
  return Object.freeze({
    get drawn() {
      return page.drawn;
    },
    get view() {
      return structuredClone(page.view);
    },
    get areas() {
      return page.level.codes.filter((_, i) => page.passes[i]);
    },
    codes: (level) => [...page.levels.find(({ id }) => id === level).codes],
    /** The point of the map's window where an area is drawn, for a test's mouse. */
    pixelOf(code) {
      const shapes = page.shapesOf(page.level);
      const i = page.level.codes.indexOf(code);
      const { x, y, scale } = gridTransform(page.map, page.topology);
      return [x + shapes.centres.x[i] * scale, y - shapes.centres.y[i] * scale];
    },
  });
}
