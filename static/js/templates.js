// The form 新建模板: parameters in step with the body, a menu that inserts them, questions before text is lost.
"use strict";

window.templateForm = (() => {
  const form = document.getElementById("template-form");
  const body = document.getElementById("id_body");
  if (!form || !body) return null;
  const words = form.dataset;
  const parameter = /\{\{[ \t]*([A-Za-z][A-Za-z0-9_]*)[ \t]*\}\}/g;
  const hooks = { read: () => body.value, insert: insertPlain, submit: () => {} };
  let waiting = 0;
  let isChanged = false;

  function names() {
    return [...new Set([...hooks.read().matchAll(parameter)].map((found) => found[1]))];
  }

  function show() {
    const used = names();
    document.querySelectorAll("[data-parameter-count]").forEach((count) => {
      count.textContent = `${used.length}/${words.most}`;
      count.classList.toggle("is-over", used.length > Number(words.most));
    });
    const list = document.querySelector("[data-parameter-names]");
    list?.replaceChildren(...used.slice(0, 50).map((name) => item("code", name)));
  }

  function item(tag, text) {
    const row = document.createElement("li");
    row.append(Object.assign(document.createElement(tag), { textContent: text }));
    return row;
  }

  function changed() {
    isChanged = true;
    clearTimeout(waiting);
    waiting = setTimeout(show, 150);
  }

  function insertPlain(text) {
    body.focus();
    body.setRangeText(text, body.selectionStart, body.selectionEnd, "end");
    body.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function problem(name) {
    if (!/^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(name)) return words.wordBadName;
    const used = names();
    if (used.includes(name)) return "";
    if (used.some((known) => known.toLowerCase() === name.toLowerCase())) return words.wordOtherCase;
    return used.length >= Number(words.most) ? words.wordTooMany : "";
  }

  // The panel of the parameter menu: a new name, and those in use to take again.
  function parameterPanel(close) {
    const panel = document.getElementById("parameter-panel").content.firstElementChild.cloneNode(true);
    const field = panel.querySelector("[data-parameter-name]");
    const note = panel.querySelector("[data-parameter-problem]");
    const used = names();
    const insert = (name) => {
      const sentence = problem(name);
      note.textContent = sentence;
      if (sentence) return field.focus();
      close();
      hooks.insert(`{{${name}}}`);
      changed();
    };
    panel.querySelector("[data-parameter-count]").textContent = `${used.length}/${words.most}`;
    panel.querySelector("[data-parameter-choices]").replaceChildren(...used.map((name) => {
      const row = item("button", name);
      Object.assign(row.firstChild, { type: "button", className: "parameter-choice" });
      row.firstChild.addEventListener("click", () => insert(name));
      return row;
    }));
    panel.querySelector("[data-parameter-insert]").addEventListener("click", () => insert(field.value.trim()));
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      insert(field.value.trim());
    });
    setTimeout(() => field.focus(), 50);
    return panel;
  }

  const bar = document.querySelector("[data-parameter-bar]");
  bar.hidden = false;
  bar.addEventListener("toggle", () => {
    bar.querySelector(".menu-panel")?.remove();
    if (!bar.open) return;
    const holder = Object.assign(document.createElement("div"), { className: "menu-panel" });
    holder.append(parameterPanel(() => { bar.open = false; }));
    bar.append(holder);
  });

  body.addEventListener("input", changed);
  form.addEventListener("input", () => { isChanged = true; });
  show();

  const upload = document.querySelector("[data-confirm-replace]");
  const file = document.getElementById("id_html_file");
  upload?.addEventListener("click", (event) => {
    if (!hooks.read().trim() || window.confirm(upload.dataset.confirmReplace)) return;
    event.preventDefault();
    file.value = "";
    file.dispatchEvent(new Event("change", { bubbles: true }));
  });
  // Who has chosen the file need not press a second button.
  file?.addEventListener("change", () => { if (file.files.length) upload.click(); });
  form.addEventListener("submit", (event) => {
    hooks.submit();
    // The preview opens a tab of its own; the form stays here.
    if (event.submitter?.formTarget !== "_blank") isChanged = false;
  });
  window.addEventListener("beforeunload", (event) => { if (isChanged) event.preventDefault(); });

  return { form, body, words, hooks, bar, changed, show, parameterPanel };
})();
