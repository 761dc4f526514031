// The form 新建发送任务: fields that belong to a choice, and what keeps a form from being sent. Its parts: tasks-*.js.
"use strict";

const taskForm = (() => {
  const parts = [];
  const form = () => document.getElementById("task-form");
  const isShown = (element) => !element.closest("[hidden]");

  function showChosen(current) {
    current.querySelectorAll("[data-shown-by]").forEach((part) => {
      const [name, value] = part.dataset.shownBy.split("=");
      const chosen = current.querySelector(`[name="${name}"]:checked`);
      part.hidden = Boolean(chosen) && chosen.value !== value;
    });
  }

  // What was chosen before a template took the choice away comes back with the next template.
  function followTemplate(current) {
    const sample = current.querySelector("[data-sample]");
    const chosen = current.querySelector("#id_template").value;
    sample.href = chosen ? `${sample.dataset.sample}?template=${encodeURIComponent(chosen)}` : sample.dataset.sample;
    const needsFile = Boolean(current.querySelector("[data-needs-file]"));
    const manual = current.querySelector('[name="source"][value="manual"]');
    const file = current.querySelector('[name="source"][value="file"]');
    if (needsFile && manual.checked) {
      file.checked = true;
      manual.dataset.wasChosen = "yes";
    } else if (!needsFile && manual.dataset.wasChosen) {
      manual.checked = true;
      delete manual.dataset.wasChosen;
    }
    manual.disabled = needsFile;
    current.querySelector("[data-needs-file-note]").hidden = !needsFile;
    if (needsFile) manual.setAttribute("aria-describedby", "task-needs-file");
    else manual.removeAttribute("aria-describedby");
    showChosen(current);
  }

  function setUp() {
    const current = form();
    if (!current) return;
    if (!current.dataset.isSetUp) {
      current.dataset.isSetUp = "yes";
      parts.forEach((part) => part(current));
      current.addEventListener("change", () => showChosen(current));
    }
    followTemplate(current);
  }

  document.addEventListener("DOMContentLoaded", setUp);
  document.addEventListener("htmx:afterSettle", setUp);

  // On the way down, before htmx hears of it: what the server would refuse is not uploaded first.
  document.addEventListener("submit", (event) => {
    if (event.target !== form() || event.submitter?.hasAttribute("formaction")) return;
    const odd = [...event.target.querySelectorAll("[data-refuses]")].find(isShown);
    if (!odd) return;
    event.preventDefault();
    event.stopPropagation();
    odd.scrollIntoView({ block: "center" });
    odd.querySelector("input")?.focus();
  }, true);

  return {
    form,
    add: (part) => parts.push(part),
    element: (tag, className = "", text = "") => Object.assign(document.createElement(tag), { className, textContent: text }),
    fill: (text, values) => text.replace(/__(\w+?)__/g, (found, name) => values[name] ?? found),
  };
})();
