// Rows that are ticked and decided together; without scripts each box is ticked by hand and every button works.
"use strict";

function showSelection(form) {
  const rows = [...form.querySelectorAll("[data-select-row]")];
  const everything = form.querySelector("[data-select-all]").checked;
  const whole = form.querySelector("[data-select-page]");
  rows.forEach((row) => { row.disabled = everything; });
  const ticked = rows.filter((row) => row.checked).length;
  whole.disabled = everything;
  whole.checked = ticked > 0 && ticked === rows.length;
  whole.indeterminate = ticked > 0 && ticked < rows.length;
  const number = everything ? form.dataset.number : String(ticked);
  form.querySelector("[data-selected]").textContent = number;
  form.querySelectorAll("button[name='decision']").forEach((button) => { button.disabled = number === "0"; });
}

function showSelections() {
  document.querySelectorAll("[data-selection]").forEach(showSelection);
}

document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-selection]");
  if (!form) return;
  if (event.target.matches("[data-select-page]")) {
    form.querySelectorAll("[data-select-row]").forEach((row) => { row.checked = event.target.checked; });
  }
  showSelection(form);
});
document.addEventListener("DOMContentLoaded", showSelections);
document.addEventListener("htmx:afterSettle", showSelections);
// A page that the back button brought has kept its ticks.
window.addEventListener("pageshow", showSelections);
