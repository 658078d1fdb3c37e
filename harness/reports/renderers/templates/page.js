"use strict";

// Sorting: a button in each heading; figures by their first number, what is none comes last.
function valueOf(row, place) {
  const text = (row.cells[place]?.textContent ?? "").trim();
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

// Filter: targets that have all chosen values; papers without any are hidden, too.
const form = document.querySelector("form");
if (form) {
  form.hidden = false;
  const targets = [...document.querySelectorAll("tr[data-verdict]")];
  const show = () => {
    const chosen = [...form.querySelectorAll("select")].filter((select) => select.value);
    for (const target of targets) {
      target.hidden = !chosen.every((select) =>
        target.dataset[select.name].split("|").includes(select.value));
    }
    for (const paper of document.querySelectorAll(".paper")) {
      paper.hidden = !paper.querySelector("tr[data-verdict]:not([hidden])");
    }
    const shown = targets.filter((target) => !target.hidden).length;
    form.querySelector("output").textContent = `${shown} of ${targets.length} shown`;
  };
  form.addEventListener("change", show);
  show();
}

// Copying: a button beside each command; where the clipboard is closed, the command is selected.
for (const command of document.querySelectorAll(".command")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    const code = command.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
  });
  command.append(button);
}

// On paper everything is open.
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  folded.forEach((each) => { each.open = true; });
});
addEventListener("afterprint", () => folded.forEach((each) => { each.open = false; }));
