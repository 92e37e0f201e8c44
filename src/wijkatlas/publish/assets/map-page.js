/* The page: wires the view to the map, the lists and the address. */

const ROWS_AT_ONCE = 100;
const MUTED = { light: "#e4e4df", dark: "#59636c" }; // areas that the filter leaves out
const MAP_ROLE = {
  tabindex: "0",
  role: "application",
  "aria-labelledby": "wa-map-title",
  "aria-describedby": "wa-keys",
};

/** The shapes and borders of the levels as one topology has them, made when they are first asked for. */
class Detail {
  constructor(topology) {
    Object.assign(this, { topology, shapes: new Map(), borders: new Map() });
  }

  shapesOf(level) {
    if (!this.shapes.has(level)) this.shapes.set(level, shapesOf(this.topology, level.first, level.size));
    return this.shapes.get(level);
  }

  bordersOf(level) {
    if (!this.borders.has(level)) this.borders.set(level, bordersOf(this.topology, level.first, level.size));
    return this.borders.get(level);
  }
}

class AtlasPage {
  constructor(map, root, data) {
    Object.assign(this, { map, root, ...data });
    this.whole = new Detail(this.topology);
    this.part = (name) => root.querySelector(`[data-part="${name}"]`);
    let first = 0;
    for (const level of this.levels) {
      level.first = first;
      first += level.size;
    }
    this.view = {};
    this.rows = ROWS_AT_ONCE;
    this.sort = { column: "rang", descending: false };
    this.hovered = -1;
    this.drawn = 0;
    this.isPrinting = false;
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
    return this.whole.shapesOf(level);
  }

  /** What to draw: all points, or a sketch where that moves no border by more than a pixel. */
  detailAt(pixel) {
    if (pixel < this.sketchCell) return this.whole;
    this.sketch ??= new Detail(sketchOf(this.topology, this.sketchCell));
    return this.sketch;
  }

  start() {
    const { map } = this;
    for (const [name, value] of Object.entries(MAP_ROLE)) map.getContainer().setAttribute(name, value);
    this.isDark = window.matchMedia("(prefers-color-scheme: dark)").matches;
    this.hatching = slantedLines(8, "#1a1a1a");
    this.blank = dots(5, "#6f6f6a", "#dcdcd6");
    this.readHash();
    this.fitAll();
    this.sketchCell = 1 / gridTransform(map, this.topology).scale / 2; // half a pixel of the whole
    this.placeMap();
    this.areasLayer = createCanvasLayer(this.topology, (ink, window) => this.drawAreas(ink, window)).addTo(map);
    this.marksLayer = createCanvasLayer(this.topology, (ink, window) => this.drawMarks(ink, window)).addTo(map);
    L.control.zoom({ zoomInTitle: "Inzoomen", zoomOutTitle: "Uitzoomen" }).addTo(map);
    L.control.scale({ imperial: false }).addTo(map);
    connectControls(this);
    connectMap(this);
    connectPrint(this);
    window.addEventListener("hashchange", () => {
      if (document.getElementById(window.location.hash.slice(1))) return; // a place in the page, no view
      this.readHash();
      this.placeMap();
      this.update();
    });
    map.on("moveend", () => this.writeHash());
    this.update();
  }

  fitAll() {
    const [west, south, east, north] = extentOf(this.topology);
    const corners = [toLatLng(this.topology, west, south), toLatLng(this.topology, east, north)];
    this.map.fitBounds(L.latLngBounds(...corners), { animate: false, padding: [8, 8] });
  }

  boundsOf(level, area) {
    const [west, south, east, north] = this.shapesOf(level).boxes.subarray(4 * area, 4 * area + 4);
    return L.latLngBounds(toLatLng(this.topology, west, south), toLatLng(this.topology, east, north));
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
    } else if (this.view.area) {
      this.updateCard(); // what it covers must be known
      this.show(this.area);
    }
    else if (this.view.filter.gemeente) this.showGemeente();
  }

  /** Brings an area into view, in the part of the map that the card leaves free. */
  show(area, level = this.level) {
    const card = this.part("card");
    const isBeside = !card.hidden && card.offsetWidth < this.map.getSize().x;
    this.map.fitBounds(this.boundsOf(level, area), {
      maxZoom: level === this.levels[0] ? 14 : 17,
      paddingTopLeft: [48, 48],
      paddingBottomRight: [48 + (isBeside ? card.offsetWidth : 0), 48],
    });
  }

  showGemeente() {
    const level = this.levels.find(({ id }) => id === "gemeente");
    const area = level ? level.codes.indexOf(this.view.filter.gemeente) : -1;
    if (area >= 0) this.show(area, level);
  }

  /* ---- drawing ---- */

  drawAreas(ink, window) {
    const { level, layer } = this;
    const muted = MUTED[this.isDark && !this.isPrinting ? "dark" : "light"];
    const unit = window.pixel / window.sharpness;
    for (const tile of [this.hatching, this.blank]) tile.setTransform(new DOMMatrix([unit, 0, 0, unit, 0, 0]));
    const values = level.column(layer.id);
    const certainty = layer.hatched && level.has("klasse") ? level.column("klasse") : null;
    const detail = this.detailAt(window.pixel);
    const shapes = detail.shapesOf(level);
    this.drawn = fillAreas(ink, shapes, window, (i) => {
      if (!this.passes[i]) return [muted];
      const place = classOf(layer, values[i]);
      if (place < 0) return [this.blank];
      const isUncertain = (certainty ? certainty[i] : layer.classes[place]) === "onzeker";
      return isUncertain ? [layer.colours[place], this.hatching] : [layer.colours[place]];
    });
    // Borders fade away where areas are a few pixels wide: a map of borders only would be black.
    const style = (size) => ({ colour: this.border, opacity: Math.min(1, size / 40), width: Math.min(0.9, size / 30) });
    const outer = this.levels.at(-1);
    const size = shapes.typicalSize / window.pixel;
    if (size > 4) strokeBorders(ink, detail.bordersOf(level), window, style(size));
    if (outer !== level) {
      const width = Math.min(2, 0.6 + size / 40);
      strokeBorders(ink, detail.bordersOf(outer), window, { colour: this.border, opacity: 0.9, width });
    }
    if (this.isPrinting) this.drawMarks(ink, window);
  }

  drawMarks(ink, window) {
    const shapes = this.detailAt(window.pixel).shapesOf(this.level);
    if (this.hovered >= 0) outline(ink, shapes, this.hovered, window);
    if (this.area >= 0) outline(ink, shapes, this.area, window);
    const { x, y, scale } = gridTransform(this.map, this.topology);
    ink.setTransform(window.sharpness, 0, 0, window.sharpness, 0, 0);
    const outer = this.levels.at(-1);
    const toPixel = ([gridX, gridY]) => [x + gridX * scale, y - gridY * scale];
    const { fontFamily } = getComputedStyle(this.root);
    const towns = outer === this.level ? [] : this.namesOf(outer, window, true);
    const names = [...towns, ...this.namesOf(this.level, window, false)];
    writeNames(ink, names, toPixel, `600 12.5px ${fontFamily}`);
  }

  /** The names in sight, the largest areas first; those of towns need no room of their own. */
  namesOf(level, { west, south, east, north, pixel }, areTowns) {
    const shapes = this.detailAt(pixel).shapesOf(level);
    const { boxes } = shapes;
    const texts = level.column("naam");
    const inhabitants = level.has("inwoners") ? level.column("inwoners") : null;
    const inSight = shapes.order.filter((i) => {
      const width = boxes[4 * i + 2] - boxes[4 * i];
      const fits = areTowns ? width < (east - west) / 2 : width > 40 * pixel;
      return fits && texts[i] && overlaps(boxes, 4 * i, west, south, east, north);
    });
    if (areTowns && inhabitants) inSight.sort((a, b) => inhabitants[b] - inhabitants[a]);
    return inSight.map((i) => ({
      text: texts[i],
      space: areTowns ? 12 : 3,
      room: areTowns ? Infinity : (boxes[4 * i + 2] - boxes[4 * i]) / pixel,
      point: () => anchorOf(shapes, i),
    }));
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
    this.updateCard();
    this.writeHash();
    // The list comes after the map is painted: it is long, and mostly out of sight.
    cancelAnimationFrame(this.listSoon);
    this.listSoon = requestAnimationFrame(() => setTimeout(() => this.updateList()));
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
    return [name, rank, chanceText(known), known.klasse && `Zekerheid: ${known.klasse}`, value].filter(Boolean);
  }

  /* ---- the table ---- */

  updateList() {
    const { level, layer } = this;
    const isWide = this.part("all-columns").checked;
    const columns = listColumns(level, isWide ? this.layers : [layer]);
    if (!columns.some(({ id }) => id === this.sort.column)) this.sort = { column: columns[0].id, descending: false };
    const areas = this.passes.flatMap((pass, i) => (pass ? [i] : []));
    const ordered = sorted(areas, level.column(this.sort.column), this.sort.descending);
    const shown = Math.min(this.rows, ordered.length);
    fillList(this.part("table"), {
      caption: `${plural(ordered.length, level.id)}, de eerste ${number(shown)} in beeld`,
      columns,
      rows: ordered.slice(0, shown),
      sort: this.sort,
      open: (i) => {
        this.open(i);
        this.show(i);
      },
      sortBy: (column) => this.sortBy(column),
    });
    this.part("more").hidden = shown === ordered.length;
  }

  sortBy(column) {
    const isSame = column === this.sort.column;
    this.sort = { column, descending: isSame && !this.sort.descending };
    this.updateList();
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
    const painted = new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    const page = new AtlasPage(map, root, data);
    page.start();
    await painted;
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
      const [gridX, gridY] = anchorOf(shapes, i);
      return [x + gridX * scale, y - gridY * scale];
    },
  });
}
