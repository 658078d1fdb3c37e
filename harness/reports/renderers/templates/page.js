"use strict";

// Sorting: a button in each heading; figures by their first number, what is none comes last.
function valueOf(row, place) {
  const text = row.cells[place].textContent.trim();
  const number = text.replace(/,(?=\d{3})/g, "").match(/^[^\d+-]{0,2}([+-]?\d+(\.\d+)?)/);
  return { text, number: number ? parseFloat(number[1]) : NaN };
}

function sortBy(table, place, descending) {
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => [row, valueOf(row, place)]);
  const numeric = rows.filter(([, value]) => !isNaN(value.number)).length * 2 > rows.length;
  rows.sort(([, a], [, b]) => {
    if (!numeric) return descending ? b.text.localeCompare(a.text) : a.text.localeCompare(b.text);
    if (isNaN(a.number) || isNaN(b.number)) return isNaN(a.number) - isNaN(b.number);
    return descending ? b.number - a.number : a.number - b.number;
  });
  body.append(...rows.map(([row]) => row));
}

for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  headings.forEach((heading, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const descending = heading.getAttribute("aria-sort") === "ascending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
      sortBy(table, place, descending);
    });
  });
}

// Filter: targets that have all chosen values.
const form = document.getElementById("filter");
if (form) {
  form.hidden = false;
  const show = () => {
    const chosen = [...form.querySelectorAll("select")].filter((select) => select.value);
    for (const target of document.querySelectorAll("[data-verdict]")) {
      target.hidden = !chosen.every((select) =>
        target.dataset[select.name].split("|").includes(select.value));
    }
    const articles = [...document.querySelectorAll("article")];
    const shown = articles.filter((article) => !article.hidden).length;
    document.getElementById("shown").textContent = `${shown} of ${articles.length} shown`;
  };
  form.addEventListener("change", show);
  show();
}

// On paper everything is open.
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  folded.forEach((each) => { each.open = true; });
});
addEventListener("afterprint", () => folded.forEach((each) => { each.open = false; }));
