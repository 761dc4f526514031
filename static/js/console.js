// What every page does with scripts; without them each link and form works on its own page.
"use strict";

const dialog = () => document.getElementById("dialog");
let opener = null;

function toast(text, kind) {
  const note = document.createElement("div");
  note.className = `toast-note toast-${kind}`;
  note.dataset.toast = "";
  note.textContent = text;
  document.getElementById("toasts").append(note);
  fade(note);
}

function fade(note) {
  // Errors stay until closed: somebody may still be reading.
  if (!note.classList.contains("toast-error")) setTimeout(() => note.remove(), 6000);
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-toast]").forEach(fade);
  dialog().addEventListener("close", () => {
    document.getElementById("dialog-body").replaceChildren();
    if (opener && opener.isConnected) opener.focus();
  });
});

document.addEventListener("click", async (event) => {
  const close = event.target.closest("[data-close-dialog]");
  if (close && dialog().open) {
    event.preventDefault();
    dialog().close();
  }
  if (event.target === dialog()) dialog().close();
  event.target.closest("[data-close-toast]")?.closest("[data-toast]").remove();
  document.querySelectorAll("details.menu[open]").forEach((menu) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    await navigator.clipboard.writeText(copy.dataset.copy);
    copy.classList.add("is-copied");
    toast(document.body.dataset.textCopied, "success");
    setTimeout(() => copy.classList.remove("is-copied"), 1500);
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    document.querySelectorAll("details.menu[open]").forEach((menu) => { menu.open = false; });
    const toggle = document.getElementById("navigation-open");
    if (toggle) toggle.checked = false;
  }
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
    const search = document.querySelector(".filter-search input");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  }
});

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target?.id === "dialog-body") opener = event.detail.elt;
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "dialog-body" && !dialog().open) dialog().showModal();
});
document.addEventListener("htmx:afterSettle", (event) => {
  event.target.querySelector?.("[aria-invalid='true']")?.focus();
});
document.addEventListener("htmx:responseError", (event) => {
  const texts = document.body.dataset;
  toast(event.detail.xhr.status === 403 ? texts.textForbidden : texts.textFailed, "error");
});
document.addEventListener("htmx:sendError", () => toast(document.body.dataset.textOffline, "error"));
