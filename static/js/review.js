// Keys of the reviewer's page. None of them decides: they move to the control that does.
"use strict";

const TYPING = "textarea, select, [contenteditable], input:not([type=radio], [type=checkbox], [type=submit])";

function goTo(element) {
  if (!element) return;
  element.scrollIntoView({ block: "center" });
  element.focus();
}

const keys = {
  a: () => goTo(document.getElementById("approve")),
  r: () => goTo(document.getElementById("id_reason")),
  j: () => document.querySelector("a[data-key=j]")?.click(),
  k: () => document.querySelector("a[data-key=k]")?.click(),
  "?": () => {
    const list = document.getElementById("keys");
    list.open = !list.open;
    if (list.open) list.scrollIntoView({ block: "nearest" });
  },
};

document.addEventListener("keydown", (event) => {
  // Browsers send the form for Enter on a box; ticking a reason is no decision yet.
  if (event.key === "Enter" && event.target.matches("input[type=checkbox], input[type=radio]")) {
    event.preventDefault();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
  if (!Object.hasOwn(keys, event.key) || event.target.closest(TYPING)) return;
  event.preventDefault();
  keys[event.key]();
});
