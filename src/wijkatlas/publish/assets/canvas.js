/* The areas of one level on one canvas, in grid coordinates: only the canvas's transform changes with the
   map. One small path per area, borders in paths of 200 arcs: large paths are slow to draw. */

const ARCS_PER_PATH = 200;
const EARTH = 2 * Math.PI * 6378137; // the width of the world in Web Mercator

/** Everything of a level that is drawn: a path, a box and a centre per area, and its borders. */
function shapesOf(topology, first, size) {
  const paths = new Array(size);
  const boxes = new Float32Array(4 * size);
  const centres = { x: new Float32Array(size), y: new Float32Array(size) };
  const extents = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const path = new Path2D();
    let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
    eachPoint(topology, first + i, (x, y, isFirst) => {
      if (isFirst) {
        path.closePath();
        path.moveTo(x, y);
      } else path.lineTo(x, y);
      if (x < west) west = x;
      if (x > east) east = x;
      if (y < south) south = y;
      if (y > north) north = y;
    });
    path.closePath();
    paths[i] = path;
    boxes.set([west, south, east, north], 4 * i);
    centres.x[i] = (west + east) / 2;
    centres.y[i] = (south + north) / 2;
    extents[i] = (east - west) * (north - south);
  }
  // Small areas are drawn last: an island in a hole that the grid closed stays in sight.
  const order = Array.from({ length: size }, (_, i) => i).sort((a, b) => extents[b] - extents[a]);
  return { paths, boxes, centres, order, size, borders: bordersOf(topology, first, size) };
}

function bordersOf(topology, first, size) {
  const { arcStart, x, y, ringStart, useStart, uses } = topology;
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
    for (let i = arcStart[arc]; i < arcStart[arc + 1]; i++) {
      if (i === arcStart[arc]) path.moveTo(x[i], y[i]);
      else path.lineTo(x[i], y[i]);
      box[0] = Math.min(box[0], x[i]);
      box[1] = Math.min(box[1], y[i]);
      box[2] = Math.max(box[2], x[i]);
      box[3] = Math.max(box[3], y[i]);
    }
  }
  return borders;
}

function overlaps(box, at, west, south, east, north) {
  return box[at] <= east && box[at + 2] >= west && box[at + 1] <= north && box[at + 3] >= south;
}

/** A small tile of slanted lines, for what colour alone must not say. */
function hatch(line, ground, gap) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = gap;
  const ink = tile.getContext("2d");
  if (ground) {
    ink.fillStyle = ground;
    ink.fillRect(0, 0, gap, gap);
  }
  ink.strokeStyle = line;
  ink.lineWidth = 1.25;
  ink.beginPath();
  for (const shift of [-gap, 0, gap]) {
    ink.moveTo(shift, gap);
    ink.lineTo(shift + gap, 0);
  }
  ink.stroke();
  return ink.createPattern(tile, "repeat");
}

/**
 * The Leaflet layer. `draw(ink, window)` draws on a canvas whose units are grid cells; `window` has the box
 * in sight and `pixel`, the size of a screen pixel in grid cells.
 */
function createCanvasLayer(topology, draw) {
  const Layer = L.Layer.extend({
    onAdd(map) {
      this.canvas = L.DomUtil.create("canvas", "leaflet-zoom-animated", this.getPane());
      this.canvas.setAttribute("aria-hidden", "true");
      this.ink = this.canvas.getContext("2d");
      this.redraw();
      return map;
    },

    onRemove() {
      this.canvas.remove();
    },

    getEvents() {
      return { viewreset: this.redraw, moveend: this.redraw, resize: this.redraw, zoomanim: this.animate };
    },

    animate({ zoom, center }) {
      const corner = this._map._latLngBoundsToNewLayerBounds(this.bounds, zoom, center).min;
      L.DomUtil.setTransform(this.canvas, corner, this._map.getZoomScale(zoom));
    },

    redraw() {
      const map = this._map;
      if (!map) return;
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

const probe = typeof document === "undefined" ? null : document.createElement("canvas").getContext("2d");

/** The area under a point of the grid, or -1; of two, the one that is drawn last. */
function areaAt(shapes, x, y) {
  for (let k = shapes.order.length - 1; k >= 0; k--) {
    const i = shapes.order[k];
    if (overlaps(shapes.boxes, 4 * i, x, y, x, y) && probe.isPointInPath(shapes.paths[i], x, y, "evenodd")) {
      return i;
    }
  }
  return -1;
}

/** Fills the areas in sight; returns how many were filled. */
function fillAreas(ink, shapes, window, styleOf) {
  const { west, south, east, north } = window;
  let count = 0;
  for (const i of shapes.order) {
    if (!overlaps(shapes.boxes, 4 * i, west, south, east, north)) continue;
    for (const style of styleOf(i)) {
      ink.fillStyle = style;
      ink.fill(shapes.paths[i], "evenodd");
    }
    count++;
  }
  return count;
}

function strokeBorders(ink, shapes, window, colour, width) {
  ink.strokeStyle = colour;
  ink.lineWidth = width * window.pixel;
  ink.lineJoin = "round";
  for (const { path, box } of shapes.borders) {
    if (overlaps(box, 0, window.west, window.south, window.east, window.north)) ink.stroke(path);
  }
}

/** Outlines one area so that it stands out on any colour: dark on light. */
function outline(ink, shapes, area, window) {
  ink.lineJoin = "round";
  for (const [colour, width] of [["#ffffff", 6], ["#111111", 2.5]]) {
    ink.strokeStyle = colour;
    ink.lineWidth = width * window.pixel;
    ink.stroke(shapes.paths[area]);
  }
}
