// The preview of a mail: typed sample values show in the HTML and in the text as they are typed.
"use strict";

(() => {
  let waiting = 0;

  function show(form) {
    const values = new URLSearchParams(new FormData(form));
    form.closest(".template-preview").querySelectorAll(".template-frame").forEach((frame) => {
      const address = new URL(form.action);
      const version = new URL(frame.src).searchParams.get("version");
      if (version) values.set("version", version);
      values.delete("part");
      if (frame.classList.contains("template-frame-text")) values.set("part", "text");
      frame.src = `${address.pathname}?${values}`;
    });
  }

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-preview-values]")) return;
    event.preventDefault();
    show(event.target);
  });
  document.addEventListener("input", (event) => {
    const form = event.target.closest("[data-preview-values]");
    if (!form) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => show(form), 400);
  });
})();
