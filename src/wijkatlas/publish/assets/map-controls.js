/* What the reader operates: search, layer, level, filter, legend, mouse and keyboard. */

const ARROWS = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

function connectControls(page) {
  const { part, layers, levels } = page;
  const groupNames = [...new Set(layers.map((layer) => layer.group))];
  part("layer").replaceChildren(
    ...groupNames.map((group) => {
      const options = layers.filter((layer) => layer.group === group);
      return make("optgroup", { label: group }, ...options.map(({ id, label }) => make("option", { value: id }, label)));
    }),
  );
  part("layer").addEventListener("change", (event) => page.change({ layer: event.target.value }));
  part("levels").append(
    ...levels.map(({ id, label }) => {
      const input = make("input", { type: "radio", name: "wa-level", value: id });
      input.addEventListener("change", () => page.changeLevel(id));
      return make("label", {}, input, make("span", {}, label));
    }),
  );
  part("levels").hidden = levels.length < 2;
  part("whole").addEventListener("click", () => page.fitAll());
  part("close").addEventListener("click", () => page.close());
  part("print").addEventListener("click", () => window.print());
  part("filter-box").open = page.passes.includes(false);
  part("more").addEventListener("click", () => {
    page.rows += ROWS_AT_ONCE;
    page.updateList();
  });
  part("all-columns").addEventListener("change", () => page.updateList());
  part("card").addEventListener("keydown", (event) => {
    if (event.key === "Escape") page.close();
  });
  connectFilter(page);
  connectSearch(page);
}

function connectFilter(page) {
  const { part, levels, layers } = page;
  const finest = levels[0];
  const names = new Map(finest.codes.map((code, i) => [gemeenteOf(code), finest.has("gemeente") ? finest.column("gemeente")[i] : null]));
  const choices = [...names].filter(([, name]) => name).sort((a, b) => compareTexts(a[1], b[1]));
  part("gemeente").append(...choices.map(([code, name]) => make("option", { value: code }, name)));
  part("gemeente-field").hidden = choices.length < 2;
  part("count-field").hidden = !layers.some((layer) => layer.counted);
  part("top-field").hidden = !levels.some((level) => level.has("rang"));
  part("thresholds").append(
    ...layers.filter((layer) => layer.threshold).map((layer) => {
      const input = make("input", { type: "number", min: "0", step: "any", inputmode: "decimal" });
      input.dataset.layer = layer.id;
      return make("label", { class: "wa-field" }, `${layer.label} ten minste`, make("span", {}, input, layer.unit && ` ${layer.unit}`));
    }),
  );
  const read = () => {
    const amount = (element) => Math.max(0, Number(element.value) || 0);
    const minstens = {};
    for (const input of part("thresholds").querySelectorAll("input")) {
      if (amount(input)) minstens[input.dataset.layer] = amount(input);
    }
    const gemeente = part("gemeente").value;
    page.changeFilter({
      top: amount(part("top")),
      aantal: amount(part("count")),
      percentiel: Math.min(99, amount(part("percentile"))) || NO_FILTER.percentiel,
      minstens,
      ...(gemeente !== page.view.filter.gemeente && { gemeente }),
    });
  };
  part("filter").addEventListener("change", read);
  part("filter").addEventListener("submit", (event) => event.preventDefault());
  part("clear").addEventListener("click", () => page.changeFilter(NO_FILTER));
}

/** A list of suggestions under the search field, operated as a combobox. */
function connectSearch(page) {
  const { part } = page;
  const field = part("search");
  const list = part("suggestions");
  let found = [];
  let active = -1;
  const mark = (number) => {
    active = number;
    [...list.children].forEach((option, i) => option.setAttribute("aria-selected", String(i === active)));
    if (active >= 0) field.setAttribute("aria-activedescendant", list.children[active].id);
    else field.removeAttribute("aria-activedescendant");
  };
  const close = () => {
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
    mark(-1);
  };
  const pick = ({ level, area }) => {
    close();
    field.value = describe(level, area).naam;
    if (page.levels.indexOf(level) > page.levels.indexOf(page.level)) {
      page.show(area, level); // a wider place: go there, and keep what the map shows
      page.map.getContainer().focus();
      return;
    }
    if (level !== page.level) page.changeLevel(level.id);
    page.open(area);
    page.show(area);
  };
  field.addEventListener("input", () => {
    found = search([page.level, ...page.levels.filter((level) => level !== page.level)], field.value);
    list.replaceChildren(
      ...found.map((hit, i) => {
        const { naam, gemeente } = describe(hit.level, hit.area);
        const where = [hit.level.label, gemeente !== naam && gemeente].filter(Boolean).join(", ");
        const option = make("li", { role: "option", id: `wa-option-${i}`, "aria-selected": "false" }, naam, " ", make("small", {}, where));
        option.addEventListener("mousedown", (event) => {
          event.preventDefault();
          pick(hit);
        });
        return option;
      }),
    );
    list.hidden = !found.length;
    field.setAttribute("aria-expanded", String(found.length > 0));
    mark(-1);
    part("found").textContent = field.value.trim() ? `${found.length} gevonden` : "";
  });
  field.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length && !list.hidden) {
      event.preventDefault();
      mark((active + step + found.length) % found.length);
    } else if (event.key === "Enter" && found.length) {
      event.preventDefault();
      pick(found[Math.max(active, 0)]);
    } else if (event.key === "Escape") close();
  });
  field.addEventListener("blur", close);
}

function connectMap(page) {
  const { map } = page;
  const box = map.getContainer();
  const tip = page.part("tip");
  const areaOf = (event) => {
    const { x, y } = map.mouseEventToContainerPoint(event);
    return areaAt(page.shapesOf(page.level), ...gridTransform(map, page.topology).toGrid(x, y));
  };
  const hover = (area, event) => {
    if (area !== page.hovered) {
      page.hovered = area;
      page.marksLayer.redraw();
      tip.replaceChildren(...(area < 0 ? [] : page.lines(area).map((line) => make("span", {}, line))));
    }
    tip.hidden = area < 0;
    if (area >= 0) placeTip(tip, box, event);
  };
  box.addEventListener("mousemove", (event) => hover(page.isDragging ? -1 : areaOf(event), event));
  box.addEventListener("mouseleave", () => hover(-1));
  map.on("movestart", () => (page.isDragging = true));
  map.on("moveend", () => (page.isDragging = false));
  map.on("click", ({ originalEvent }) => {
    const area = areaOf(originalEvent);
    if (area >= 0) page.open(area);
  });
  box.addEventListener("keydown", (event) => pressed(page, event));
}

function placeTip(tip, box, event) {
  const frame = box.getBoundingClientRect();
  const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
  const left = x + 16 + tip.offsetWidth > frame.width ? x - tip.offsetWidth - 12 : x + 16;
  const top = y + 16 + tip.offsetHeight > frame.height ? y - tip.offsetHeight - 12 : y + 16;
  tip.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`;
}

/** Arrows go to the neighbouring area, Enter opens its card, + and - zoom; Tab is left alone. */
function pressed(page, event) {
  const { map } = page;
  if (event.target !== map.getContainer() || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key in ARROWS) {
    const { centres } = page.shapesOf(page.level);
    const isShown = (i) => page.passes[i];
    const from = page.area;
    const next = from < 0 ? nearestToMiddle(page) : neighbour(centres, from, ARROWS[event.key], isShown);
    if (next >= 0) {
      page.choose(next);
      bringIntoSight(page, next);
    }
  } else if (event.key === "Enter" && page.area >= 0) page.open(page.area);
  else if (event.key === "Escape" && page.area >= 0) page.change({ area: "" });
  else if (event.key === "+" || event.key === "=") map.zoomIn();
  else if (event.key === "-") map.zoomOut();
  else return;
  event.preventDefault();
}

function nearestToMiddle(page) {
  const { x: width, y: height } = page.map.getSize();
  const [x, y] = gridTransform(page.map, page.topology).toGrid(width / 2, height / 2);
  const { centres } = page.shapesOf(page.level);
  let best = -1;
  let shortest = Infinity;
  page.passes.forEach((pass, i) => {
    const distance = Math.hypot(centres.x[i] - x, centres.y[i] - y);
    if (pass && distance < shortest) [best, shortest] = [i, distance];
  });
  return best;
}

function bringIntoSight(page, area) {
  const { centres } = page.shapesOf(page.level);
  const point = toLatLng(page.topology, centres.x[area], centres.y[area]);
  if (!page.map.getBounds().pad(-0.1).contains(point)) page.map.panTo(point);
}

function updateControls(page) {
  const { part, layer, level, view } = page;
  part("layer").value = layer.id;
  for (const input of part("levels").querySelectorAll("input")) input.checked = input.value === level.id;
  part("explanation").textContent = layer.explanation;
  const { filter } = view;
  part("gemeente").value = filter.gemeente;
  part("top").value = filter.top || "";
  part("count").value = filter.aantal || "";
  part("percentile").value = filter.percentiel;
  for (const input of part("thresholds").querySelectorAll("input")) {
    input.value = filter.minstens[input.dataset.layer] ?? "";
  }
  const shown = page.passes.filter(Boolean).length;
  const isFiltered = shown < level.size;
  part("shown").textContent = isFiltered ? `${number(shown)} van ${plural(level.size, level.id)}` : plural(level.size, level.id);
  part("clear").hidden = !isFiltered;
  part("map-title").textContent = `${layer.label} per ${level.id}`;
  fillLegend(page);
}

function fillLegend({ part, layer, level, passes }) {
  const texts = classTexts(layer);
  const counts = new Array(texts.length).fill(0);
  let missing = 0;
  level.column(layer.id).forEach((value, i) => {
    if (!passes[i]) return;
    const place = classOf(layer, value);
    if (place < 0) missing++;
    else counts[place]++;
  });
  const item = (swatch, text, count) =>
    make("li", {}, swatch, make("span", {}, text), make("span", { class: "wa-count" }, count === null ? "" : number(count)));
  const swatch = (colour, kind = "") => {
    const box = make("span", { class: `wa-swatch ${kind}`, "aria-hidden": "true" });
    if (colour) box.style.backgroundColor = colour;
    return box;
  };
  const order = texts.map((_, i) => i);
  if (layer.kind !== "class") order.reverse();
  const rows = order.map((i) => item(swatch(layer.colours[i], texts[i] === "onzeker" ? "wa-hatched" : ""), texts[i], counts[i]));
  if (layer.hatched && level.has("klasse")) rows.push(item(swatch("", "wa-hatched"), "gearceerd: onzeker", null));
  const without = level.has("reden_niet_gescoord") && layer.hatched ? "niet gescoord" : MISSING;
  if (missing) rows.push(item(swatch("", "wa-blank"), without, missing));
  part("legend").replaceChildren(...rows);
  part("legend-title").textContent = layer.unit && layer.kind !== "class" ? `${layer.label} (${layer.unit})` : layer.label;
}

/** On paper the map has another size, and is drawn anew for it: in light, and on one canvas. */
function connectPrint(page) {
  const { map, root } = page;
  let screen = null;
  window.addEventListener("beforeprint", () => {
    screen = { center: map.getCenter(), zoom: map.getZoom() };
    const bounds = map.getBounds();
    root.classList.add("wa-printing");
    map.invalidateSize({ animate: false }).fitBounds(bounds, { animate: false });
    page.isPrinting = true;
    page.areasLayer.paint();
  });
  window.addEventListener("afterprint", () => {
    page.isPrinting = false;
    root.classList.remove("wa-printing");
    map.invalidateSize({ animate: false }).setView(screen.center, screen.zoom, { animate: false });
    page.areasLayer.redraw();
  });
}
