/* The payload: text in the page -> header, topology, columns. The other end of payload.py and topology.py. */

/** Reads integers from 0 to 2^31 - 1 in base 128, low digits first, one after another. */
class VarintReader {
  constructor(bytes, position = 0) {
    this.bytes = bytes;
    this.position = position;
  }

  /** Fills `values` with the next integers. */
  read(values) {
    const { bytes } = this;
    let { position } = this;
    for (let i = 0; i < values.length; i++) {
      let byte = bytes[position++];
      let value = byte & 127;
      for (let shift = 7; byte > 127; shift += 7) {
        byte = bytes[position++];
        value |= (byte & 127) << shift;
      }
      values[i] = value;
    }
    this.position = position;
    return values;
  }

  next() {
    return this.read([0])[0];
  }

  take(count) {
    return this.read(new Int32Array(count));
  }

  /** Zigzag differences, summed. */
  takeRunning(count) {
    const values = this.take(count);
    let sum = 0;
    for (let i = 0; i < count; i++) values[i] = sum += (values[i] >>> 1) ^ -(values[i] & 1);
    return values;
  }
}

async function unpack(base64) {
  const text = atob(base64.trim());
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const stream = new Response(bytes).body.pipeThrough(new DecompressionStream("gzip"));
  return decode(new Uint8Array(await new Response(stream).arrayBuffer()));
}

function decode(bytes) {
  const reader = new VarintReader(bytes);
  const length = reader.next();
  const start = reader.position;
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(start, start + length)));
  reader.position += length;
  const topology = decodeTopology(reader, header.topology, header.levels.map((level) => level.codes.length));
  const levels = header.levels.map((level) => decodeLevel(reader, level));
  return { layers: header.layers, border: header.border, topology, levels };
}

function decodeTopology(reader, header, areasPerLevel) {
  const offsets = (counts) => {
    const starts = new Uint32Array(counts.length + 1);
    counts.forEach((count, i) => (starts[i + 1] = starts[i] + count));
    return starts;
  };
  const arcStart = offsets(reader.take(header.arcs));
  const x = Float32Array.from(reader.takeRunning(header.points));
  const y = Float32Array.from(reader.takeRunning(header.points));
  for (let i = arcStart[header.coarse]; i < header.points; i++) {
    x[i] /= header.finer;
    y[i] /= header.finer;
  }
  const arcBoxes = boxesOf(arcStart, x, y);
  const areas = areasPerLevel.reduce((sum, count) => sum + count, 0);
  const ringStart = offsets(reader.take(areas));
  const useStart = offsets(reader.take(header.rings));
  const uses = reader.takeRunning(header.uses);
  const backwards = reader.take(header.uses);
  for (let i = 0; i < uses.length; i++) if (backwards[i]) uses[i] = ~uses[i];
  return { origin: header.origin, step: header.step, arcStart, x, y, arcBoxes, ringStart, useStart, uses };
}

/** West, south, east and north of each arc. */
function boxesOf(arcStart, x, y) {
  const boxes = new Float32Array(4 * (arcStart.length - 1));
  for (let arc = 0, at = 0; arc < arcStart.length - 1; arc++, at += 4) {
    const start = arcStart[arc];
    boxes[at] = boxes[at + 2] = x[start];
    boxes[at + 1] = boxes[at + 3] = y[start];
    for (let i = start + 1; i < arcStart[arc + 1]; i++) {
      if (x[i] < boxes[at]) boxes[at] = x[i];
      else if (x[i] > boxes[at + 2]) boxes[at + 2] = x[i];
      if (y[i] < boxes[at + 1]) boxes[at + 1] = y[i];
      else if (y[i] > boxes[at + 3]) boxes[at + 3] = y[i];
    }
  }
  return boxes;
}

/**
 * The same topology with fewer points: along an arc none within `cell` of the one before it. Ends stay, so that
 * neighbours keep sharing them, and small arcs stay whole, so that no area vanishes.
 */
function sketchOf(topology, cell) {
  const { x, y, arcBoxes: boxes } = topology;
  const arcStart = new Uint32Array(topology.arcStart.length);
  const few = { x: new Float32Array(x.length), y: new Float32Array(x.length) };
  let count = 0;
  for (let arc = 0; arc < arcStart.length - 1; arc++) {
    const size = Math.max(boxes[4 * arc + 2] - boxes[4 * arc], boxes[4 * arc + 3] - boxes[4 * arc + 1]);
    const least = size < cell ? 0 : cell;
    const [first, last] = [topology.arcStart[arc], topology.arcStart[arc + 1] - 1];
    for (let i = first; i <= last; i++) {
      const isEnd = i === first || i === last;
      if (!isEnd && Math.abs(x[i] - few.x[count - 1]) + Math.abs(y[i] - few.y[count - 1]) < least) continue;
      few.x[count] = x[i];
      few.y[count++] = y[i];
    }
    arcStart[arc + 1] = count;
  }
  return { ...topology, ...few, arcStart };
}

/** Calls `visit(x, y, isFirst)` for the points of every ring of an area; the closing point is left out. */
function eachPoint(topology, area, visit) {
  const { arcStart, x, y, ringStart, useStart, uses } = topology;
  for (let ring = ringStart[area]; ring < ringStart[area + 1]; ring++) {
    let isFirst = true;
    for (let use = useStart[ring]; use < useStart[ring + 1]; use++) {
      const isBack = uses[use] < 0;
      const arc = isBack ? ~uses[use] : uses[use];
      const count = arcStart[arc + 1] - arcStart[arc] - 1; // an arc's last point is the next one's first
      for (let k = 0; k < count; k++) {
        const i = isBack ? arcStart[arc + 1] - 1 - k : arcStart[arc] + k;
        visit(x[i], y[i], isFirst);
        isFirst = false;
      }
    }
  }
}

/** A level's columns are decoded when they are first asked for. */
function decodeLevel(reader, { id, label, codes, columns }) {
  const pending = new Map();
  for (const column of columns) {
    pending.set(column.id, { ...column, position: reader.position });
    reader.position += column.bytes;
  }
  const done = new Map();
  return {
    id,
    label,
    codes,
    size: codes.length,
    columns: [...pending.keys()],
    has: (name) => pending.has(name),
    /** Numbers (NaN is a null) or texts (null is a null), in the order of `codes`. */
    column(name) {
      if (!done.has(name)) done.set(name, decodeColumn(reader.bytes, pending.get(name), codes.length));
      return done.get(name);
    },
  };
}

function decodeColumn(bytes, column, size) {
  if (!column) return null;
  const values = new VarintReader(bytes, column.position).take(size);
  if (column.texts) return Array.from(values, (place) => (place ? column.texts[place - 1] : null));
  const scale = 10 ** column.decimals;
  return Float64Array.from(values, (value) => (value ? (value - 1 + column.lowest) / scale : NaN));
}
