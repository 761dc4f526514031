// What every page does with scripts; without them each link and form works on its own page.
"use strict";

document.documentElement.classList.add("has-scripts");

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
  // Errors and links stay until closed: somebody may still be reading.
  if (!note.classList.contains("toast-error") && !note.querySelector("a")) setTimeout(() => note.remove(), 6000);
}

function nameFiles(input) {
  const line = input.closest(".file-control")?.querySelector("[data-file-names]");
  if (!line) return;
  const names = [...input.files].map((file) => file.name);
  line.textContent = names.join(", ") || line.dataset.fileNames;
  line.classList.toggle("is-chosen", names.length > 0);
}

const nameAllFiles = () => document.querySelectorAll("input[type='file']").forEach(nameFiles);

document.addEventListener("change", (event) => {
  if (event.target.type === "file") nameFiles(event.target);
});

document.addEventListener("DOMContentLoaded", () => {
  nameAllFiles();
  document.querySelectorAll("[data-toast]").forEach(fade);
});

// A form that htmx does not send is sent once, however often its button is pressed. What opens in another tab, a
// preview, leaves the form as it is; where the answer is a file the page stays, and may send again after a moment.
document.addEventListener("submit", (event) => {
  const form = event.target;
  const target = event.submitter?.getAttribute("formtarget") || form.target;
  if (event.defaultPrevented || form.method !== "post" || (target && target !== "_self")) return;
  if ("sent" in form.dataset) event.preventDefault();
  form.dataset.sent = "";
  setTimeout(() => { delete form.dataset.sent; }, 5000);
});
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => { delete form.dataset.sent; });
});

// "close" does not bubble; caught on the way down it also comes from a dialog that the back button brought.
document.addEventListener("close", (event) => {
  if (event.target !== dialog()) return;
  document.getElementById("dialog-body").replaceChildren();
  if (opener && opener.isConnected) opener.focus();
}, true);

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
  if (event.detail.target?.id === "dialog-body" && !dialog().open) dialog().showModal();
});
document.addEventListener("htmx:afterSettle", (event) => {
  nameAllFiles();
  event.target.querySelector?.("[aria-invalid='true']")?.focus();
});
function renewToken(token) {
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
  document.querySelectorAll("input[name='csrfmiddlewaretoken']").forEach((input) => { input.value = token; });
}

document.addEventListener("htmx:responseError", (event) => {
  const texts = document.body.dataset;
  const token = event.detail.xhr.getResponseHeader("X-CSRFToken");
  if (token) {
    // Somebody who signed in again in another tab: nothing typed here is lost.
    renewToken(token);
    toast(texts.textOutdated, "warning");
    return;
  }
  const said = { 403: texts.textForbidden, 413: texts.textLarge, 503: texts.textAway, 507: texts.textFull }[event.detail.xhr.status];
  toast(said || texts.textFailed, "error");
});
document.addEventListener("htmx:sendError", () => toast(document.body.dataset.textOffline, "error"));
