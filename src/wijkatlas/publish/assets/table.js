/* Tables that sort by a click on a heading; missing values stay last. */
(() => {
  "use strict";
  const compare = new Intl.Collator("nl", { numeric: true }).compare;

  /** A Dutch number at the start of a cell, or NaN: "1.234,5%" is 1234.5. */
  const numberIn = (text) => Number.parseFloat(text.replaceAll(".", "").replace(",", "."));

  function order(body, column, isNumeric, direction) {
    const valueOf = (row) => {
      const text = row.cells[column].textContent.trim();
      return isNumeric ? numberIn(text) : text;
    };
    const isMissing = (value) => Number.isNaN(value) || value === "" || value === "–";
    const rows = [...body.rows].map((row) => ({ row, value: valueOf(row) }));
    rows.sort(({ value: a }, { value: b }) => {
      if (isMissing(a) || isMissing(b)) return isMissing(a) - isMissing(b);
      return direction * (isNumeric ? a - b : compare(a, b));
    });
    body.append(...rows.map(({ row }) => row));
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const isNumeric = head.classList.contains("n");
        const isFirst = isNumeric ? "descending" : "ascending";
        const isOther = isNumeric ? "ascending" : "descending";
        const sort = head.getAttribute("aria-sort") === isFirst ? isOther : isFirst;
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", sort);
        order(table.tBodies[0], column, isNumeric, sort === "ascending" ? 1 : -1);
      });
    });
  }
})();
