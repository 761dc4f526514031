// The form 新建发送任务: fields that belong to a choice, typed addresses as chips, the sample of the chosen template.
"use strict";

function showChosen(form) {
  form.querySelectorAll("[data-shown-by]").forEach((part) => {
    const [name, value] = part.dataset.shownBy.split("=");
    const chosen = form.querySelector(`[name="${name}"]:checked`);
    part.hidden = Boolean(chosen) && chosen.value !== value;
  });
}

function followTemplate(form) {
  const sample = form.querySelector("[data-sample]");
  const chosen = form.querySelector("#id_template").value;
  sample.href = chosen ? `${sample.dataset.sample}?template=${encodeURIComponent(chosen)}` : sample.dataset.sample;
  const needsFile = Boolean(form.querySelector("[data-needs-file]"));
  const manual = form.querySelector('[name="source"][value="manual"]');
  manual.disabled = needsFile;
  if (needsFile) form.querySelector('[name="source"][value="file"]').checked = true;
  showChosen(form);
}

function chip(text, texts, remove) {
  const item = document.createElement("span");
  const button = document.createElement("button");
  const isOdd = !/^[^\s@]+@[^\s@]+\.[^\s@]+$/u.test(text);
  item.className = isOdd ? "chip is-odd" : "chip";
  if (isOdd) item.title = texts.textOdd;
  item.textContent = text;
  button.type = "button";
  button.textContent = "×";
  button.setAttribute("aria-label", `${texts.textRemove} ${text}`);
  button.addEventListener("click", remove);
  item.append(button);
  return item;
}

function makeChips(area) {
  const texts = area.closest("[data-text-remove]").dataset;
  const most = Number(area.dataset.chips);
  const box = document.createElement("div");
  const input = document.createElement("input");
  const split = (text) => text.split(/[\s,;，；、]+/u).filter(Boolean);
  let found = [...new Set(split(area.value))];
  box.className = "chips";
  input.type = "text";
  input.inputMode = "email";
  input.autocomplete = "off";
  input.id = `${area.id}_typed`;
  input.setAttribute("aria-describedby", area.getAttribute("aria-describedby") || "");
  area.labels.forEach((label) => { label.htmlFor = input.id; });
  area.hidden = true;

  const draw = () => {
    area.value = found.join("\n");
    box.querySelectorAll(".chip").forEach((item) => item.remove());
    found.forEach((text) => {
      input.before(chip(text, texts, () => {
        found = found.filter((other) => other !== text);
        draw();
        input.focus();
      }));
    });
    input.hidden = found.length >= most;
  };
  const take = () => {
    const added = split(input.value);
    if (!added.length) return;
    found = [...new Set([...found, ...added])];
    input.value = "";
    draw();
  };
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      take();
    } else if (event.key === "Backspace" && !input.value) {
      found = found.slice(0, -1);
      draw();
    }
  });
  input.addEventListener("input", () => { if (/[,;，；、\s]$/u.test(input.value)) take(); });
  input.addEventListener("paste", () => setTimeout(take));
  input.addEventListener("blur", take);
  box.addEventListener("click", (event) => { if (event.target === box) input.focus(); });
  box.append(input);
  area.after(box);
  draw();
}

function setUp() {
  const form = document.getElementById("task-form");
  if (!form || form.dataset.isSetUp) return;
  form.dataset.isSetUp = "yes";
  form.querySelectorAll("[data-chips]").forEach(makeChips);
  form.addEventListener("change", () => showChosen(form));
  followTemplate(form);
}

document.addEventListener("DOMContentLoaded", setUp);
document.addEventListener("htmx:afterSettle", () => {
  setUp();
  const form = document.getElementById("task-form");
  if (form) followTemplate(form);
});
