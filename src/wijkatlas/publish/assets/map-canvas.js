/* The areas of one level on one canvas, in grid coordinates: only the canvas's transform changes with the
   map. One small path per area, borders in paths of 200 arcs: large paths are slow to draw. */

const ARCS_PER_PATH = 200;
const EARTH = 2 * Math.PI * 6378137; // the width of the world in Web Mercator

/** The boxes of a level's areas, their middles, and their paths: a path is made when it is first asked for. */
function shapesOf(topology, first, size) {
  const { ringStart, useStart, uses, arcBoxes } = topology;
  const boxes = new Float32Array(4 * size);
  const centres = { x: new Float32Array(size), y: new Float32Array(size) };
  const extents = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    for (let use = useStart[ringStart[first + i]]; use < useStart[ringStart[first + i + 1]]; use++) {
      widen(box, arcBoxes, uses[use] < 0 ? ~uses[use] : uses[use]);
    }
    const [west, south, east, north] = box;
    boxes.set(box, 4 * i);
    centres.x[i] = (west + east) / 2;
    centres.y[i] = (south + north) / 2;
    extents[i] = (east - west) * (north - south);
  }
  const widths = Float32Array.from(extents, (_, i) => boxes[4 * i + 2] - boxes[4 * i]).sort();
  const paths = new Array(size);
  return {
    size,
    boxes,
    centres,
    /** The middle one of the areas' widths, in grid cells. */
    typicalSize: widths[size >> 1],
    // Small areas are drawn last: an island in a hole that the grid closed stays in sight.
    order: Array.from(extents.keys()).sort((a, b) => extents[b] - extents[a]),
    path: (i) => (paths[i] ??= pathOf(topology, first + i)),
  };
}

function pathOf(topology, area) {
  const path = new Path2D();
  eachPoint(topology, area, (x, y, isFirst) => {
    if (isFirst) {
      path.closePath();
      path.moveTo(x, y);
    } else path.lineTo(x, y);
  });
  path.closePath();
  return path;
}

/** Widens `box` so that it holds box number `i` of `boxes`. */
function widen(box, boxes, i) {
  if (boxes[4 * i] < box[0]) box[0] = boxes[4 * i];
  if (boxes[4 * i + 1] < box[1]) box[1] = boxes[4 * i + 1];
  if (boxes[4 * i + 2] > box[2]) box[2] = boxes[4 * i + 2];
  if (boxes[4 * i + 3] > box[3]) box[3] = boxes[4 * i + 3];
}

/** The borders of a level, in paths of a few hundred arcs with their box. */
function bordersOf(topology, first, size) {
  const { arcStart, x, y, ringStart, useStart, uses, arcBoxes } = topology;
  const used = new Set();
  for (let use = useStart[ringStart[first]]; use < useStart[ringStart[first + size]]; use++) {
    used.add(uses[use] < 0 ? ~uses[use] : uses[use]);
  }
  const borders = [];
  let count = 0;
  for (const arc of used) {
    if (count++ % ARCS_PER_PATH === 0) {
      borders.push({ path: new Path2D(), box: [Infinity, Infinity, -Infinity, -Infinity] });
    }
    const { path, box } = borders.at(-1);
    widen(box, arcBoxes, arc);
    path.moveTo(x[arcStart[arc]], y[arcStart[arc]]);
    for (let i = arcStart[arc] + 1; i < arcStart[arc + 1]; i++) path.lineTo(x[i], y[i]);
  }
  return borders;
}

function overlaps(box, at, west, south, east, north) {
  return box[at] <= east && box[at + 2] >= west && box[at + 1] <= north && box[at + 3] >= south;
}

/** A tile of slanted lines, or of dots on a ground: for what colour alone must not say. */
function pattern(size, paint) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const ink = tile.getContext("2d");
  paint(ink);
  return ink.createPattern(tile, "repeat");
}

function slantedLines(size, colour) {
  return pattern(size, (ink) => {
    ink.strokeStyle = colour;
    ink.lineWidth = 1.25;
    for (const shift of [-size, 0, size]) {
      ink.moveTo(shift, size);
      ink.lineTo(shift + size, 0);
    }
    ink.stroke();
  });
}

function dots(size, colour, ground) {
  return pattern(size, (ink) => {
    ink.fillStyle = ground;
    ink.fillRect(0, 0, size, size);
    ink.fillStyle = colour;
    ink.fillRect(1, 1, 1.5, 1.5);
  });
}

/**
 * The Leaflet layer. `draw(ink, window)` draws on a canvas whose units are grid cells; `window` has the box
 * in sight and `pixel`, the size of a screen pixel in grid cells.
 */
function createCanvasLayer(topology, draw) {
  const Layer = L.Layer.extend({
    onAdd() {
      this.canvas = L.DomUtil.create("canvas", "leaflet-zoom-animated", this.getPane());
      this.canvas.setAttribute("aria-hidden", "true");
      this.ink = this.canvas.getContext("2d");
      this.redraw();
    },

    onRemove() {
      cancelAnimationFrame(this.frame);
      this.canvas.remove();
    },

    getEvents() {
      return { viewreset: this.redraw, moveend: this.redraw, resize: this.redraw, zoomanim: this.animate };
    },

    animate({ zoom, center }) {
      if (!this.bounds) return; // not painted yet
      const corner = this._map._latLngBoundsToNewLayerBounds(this.bounds, zoom, center).min;
      L.DomUtil.setTransform(this.canvas, corner, this._map.getZoomScale(zoom));
    },

    /** However often it is asked for: drawn once, before the next frame. */
    redraw() {
      cancelAnimationFrame(this.frame);
      this.frame = requestAnimationFrame(() => this.paint());
    },

    paint() {
      const map = this._map;
      const size = map.getSize();
      const sharpness = window.devicePixelRatio || 1;
      const { canvas, ink } = this;
      if (canvas.width !== size.x * sharpness || canvas.height !== size.y * sharpness) {
        canvas.width = size.x * sharpness;
        canvas.height = size.y * sharpness;
        canvas.style.width = `${size.x}px`;
        canvas.style.height = `${size.y}px`;
      }
      const corner = map.containerPointToLayerPoint([0, 0]);
      L.DomUtil.setPosition(canvas, corner);
      this.bounds = map.getBounds();
      const grid = gridTransform(map, topology);
      ink.setTransform(1, 0, 0, 1, 0, 0);
      ink.clearRect(0, 0, canvas.width, canvas.height);
      ink.setTransform(
        grid.scale * sharpness, 0, 0, -grid.scale * sharpness, grid.x * sharpness, grid.y * sharpness,
      );
      const [west, north] = grid.toGrid(0, 0);
      const [east, south] = grid.toGrid(size.x, size.y);
      draw(ink, { west, south, east, north, pixel: 1 / grid.scale, sharpness });
    },
  });
  return new Layer();
}

/** From grid cells to pixels of the map's window, and back. */
function gridTransform(map, topology) {
  const world = map.options.crs.scale(map.getZoom());
  const corner = map.getPixelBounds().min;
  const scale = (topology.step * world) / EARTH;
  const x = (topology.origin[0] / EARTH + 0.5) * world - corner.x;
  const y = (0.5 - topology.origin[1] / EARTH) * world - corner.y;
  return { scale, x, y, toGrid: (px, py) => [(px - x) / scale, (y - py) / scale] };
}

function toLatLng(topology, x, y) {
  return L.CRS.EPSG3857.projection.unproject(
    L.point(topology.origin[0] + x * topology.step, topology.origin[1] + y * topology.step),
  );
}

/** The box around all areas of all levels. */
function extentOf({ arcBoxes }) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (let arc = 0; 4 * arc < arcBoxes.length; arc++) widen(box, arcBoxes, arc);
  return box;
}

const probe = typeof document === "undefined" ? null : document.createElement("canvas").getContext("2d");

/** The area under a point of the grid, or -1; of two, the one that is drawn last. */
function areaAt(shapes, x, y) {
  for (let k = shapes.order.length - 1; k >= 0; k--) {
    const i = shapes.order[k];
    if (overlaps(shapes.boxes, 4 * i, x, y, x, y) && probe.isPointInPath(shapes.path(i), x, y, "evenodd")) {
      return i;
    }
  }
  return -1;
}

/** A point inside an area, near the middle of its box: where its name stands. */
function anchorOf(shapes, i) {
  const [west, south, east, north] = shapes.boxes.subarray(4 * i, 4 * i + 4);
  const steps = [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8, 0.1, 0.9];
  for (const down of steps) {
    for (const along of steps) {
      const point = [west + along * (east - west), south + down * (north - south)];
      if (probe.isPointInPath(shapes.path(i), ...point, "evenodd")) return point;
    }
  }
  return [(west + east) / 2, (south + north) / 2];
}

/** Fills the areas in sight; returns how many were filled. */
function fillAreas(ink, shapes, window, styleOf) {
  const { west, south, east, north } = window;
  let count = 0;
  for (const i of shapes.order) {
    if (!overlaps(shapes.boxes, 4 * i, west, south, east, north)) continue;
    for (const style of styleOf(i)) {
      ink.fillStyle = style;
      ink.fill(shapes.path(i), "evenodd");
    }
    count++;
  }
  return count;
}

function strokeBorders(ink, borders, window, { colour, width, opacity }) {
  ink.strokeStyle = colour;
  ink.lineWidth = width * window.pixel;
  ink.lineJoin = "round";
  ink.globalAlpha = opacity;
  for (const { path, box } of borders) {
    if (overlaps(box, 0, window.west, window.south, window.east, window.north)) ink.stroke(path);
  }
  ink.globalAlpha = 1;
}

/** Outlines one area so that it stands out on any colour: dark on light. */
function outline(ink, shapes, area, window) {
  ink.lineJoin = "round";
  for (const [colour, width] of [["#ffffff", 6], ["#111111", 2.5]]) {
    ink.strokeStyle = colour;
    ink.lineWidth = width * window.pixel;
    ink.stroke(shapes.path(area));
  }
}

/**
 * Writes names where there is room: in the order given, none within `space` pixels of another. The canvas's
 * units are pixels here; `toPixel` leads to them from the grid.
 */
function writeNames(ink, names, toPixel, font) {
  const taken = [];
  ink.font = font;
  ink.textAlign = "center";
  ink.textBaseline = "middle";
  ink.lineJoin = "round";
  for (const { text, point, room, space } of names) {
    const half = ink.measureText(text).width / 2;
    if (2 * half > room) continue;
    const [x, y] = toPixel(point());
    const box = [x - half - space, y - 8 - space, x + half + space, y + 8 + space];
    if (taken.some((other) => overlaps(other, 0, ...box))) continue;
    taken.push(box);
    ink.strokeStyle = "rgb(255 255 255 / 85%)";
    ink.lineWidth = 3.5;
    ink.strokeText(text, x, y);
    ink.fillStyle = "#111111";
    ink.fillText(text, x, y);
  }
}
