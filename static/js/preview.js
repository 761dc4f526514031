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

  // An older version shows in both frames, so that its text and typed values are its own.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-version]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    document.querySelectorAll("[data-version]").forEach((other) => other.removeAttribute("aria-current"));
    link.setAttribute("aria-current", "true");
    document.querySelectorAll(".template-frame").forEach((frame) => {
      const address = new URL(link.href);
      if (frame.classList.contains("template-frame-text")) address.searchParams.set("part", "text");
      frame.src = address.pathname + address.search;
    });
    const form = document.querySelector("[data-preview-values]");
    if (form && [...new FormData(form).values()].some(Boolean)) show(form);
  });

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
