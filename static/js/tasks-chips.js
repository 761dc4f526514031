// Typed recipients of the form 新建发送任务 as chips; the server judges each, and the text area holds them all.
"use strict";

(() => {
  // text -> { key, problem }, as the server's judge said.
  const verdicts = new Map();
  const split = (text) => text.split(/[\s,;，；、]+/u).filter(Boolean);

  async function ask(url, texts) {
    const form = taskForm.form();
    const body = new URLSearchParams(texts.map((text) => ["text", text]));
    const token = form.querySelector("[name='csrfmiddlewaretoken']").value;
    const answer = await fetch(url, { method: "POST", body, headers: { "HX-Request": "true", "X-CSRFToken": token } });
    // Signed out or out of reach: nothing is marked, and the server judges when the form is sent.
    if (answer.status !== 200) return;
    (await answer.json()).judged.forEach((verdict) => verdicts.set(verdict.text, verdict));
  }

  // A chip that appears while the pointer is down would move the button away from under it.
  let isPressed = false;
  document.addEventListener("pointerdown", () => { isPressed = true; }, true);
  for (const kind of ["pointerup", "pointercancel"]) document.addEventListener(kind, () => { isPressed = false; }, true);

  function whenReleased(action) {
    if (!isPressed) action();
    else document.addEventListener("pointerup", () => setTimeout(action, 50), { once: true });
  }

  function makeChips(area) {
    const box = area.closest("[data-judge]");
    const words = box.dataset;
    const most = Number(words.most);
    const count = box.querySelector("[data-chips-count]");
    const note = box.querySelector("[data-chips-note]");
    const chips = taskForm.element("div", "chips");
    const list = taskForm.element("ul", "chip-list");
    const input = Object.assign(document.createElement("input"), {
      type: "text", inputMode: "email", autocomplete: "off", spellcheck: false, id: `${area.id}_typed`,
    });
    let found = [];
    let said = new Set();

    const keyOf = (text) => verdicts.get(text)?.key || text.toLowerCase();
    const isOdd = (text) => Boolean(verdicts.get(text)?.problem);

    function store() {
      area.value = [...found, ...split(input.value)].join("\n");
    }

    function chip(text, place) {
      const item = taskForm.element("li", isOdd(text) ? "chip is-odd" : "chip");
      const label = taskForm.element("button", "chip-text", text);
      const remove = taskForm.element("button", "chip-remove", "×");
      label.type = remove.type = "button";
      label.tabIndex = -1;
      label.setAttribute("aria-label", `${words.textEdit} ${text}`);
      remove.setAttribute("aria-label", `${words.textRemove} ${text}`);
      if (isOdd(text)) {
        item.title = verdicts.get(text).problem;
        remove.setAttribute("aria-label", `${words.textRemove} ${text} (${item.title})`);
      }
      label.addEventListener("click", () => edit(place));
      remove.addEventListener("click", () => drop(place));
      remove.addEventListener("keydown", (event) => step(event, place));
      item.append(label, remove);
      return item;
    }

    function focusChip(place) {
      const buttons = list.querySelectorAll(".chip-remove");
      (buttons[Math.max(place, 0)] || input).focus();
    }

    function step(event, place) {
      if (event.key === "ArrowLeft") focusChip(place - 1);
      else if (event.key === "ArrowRight") focusChip(place + 1);
      else if (event.key === "F2") edit(place);
      else if (event.key === "Delete" || event.key === "Backspace") drop(place);
      else return;
      event.preventDefault();
    }

    function drop(place) {
      found = found.filter((_text, other) => other !== place);
      said = new Set();
      draw();
      if (found.length) focusChip(Math.min(place, found.length - 1));
      else input.focus();
    }

    // What was being typed is not lost: it becomes a chip first, or stays behind the text to edit.
    function edit(place) {
      const text = found[place];
      found = found.filter((_text, other) => other !== place);
      const rest = input.value.trim();
      input.value = rest ? `${text} ${rest}` : text;
      said = new Set();
      draw();
      input.focus();
      input.setSelectionRange(text.length, text.length);
    }

    function draw() {
      list.replaceChildren(...found.map(chip));
      list.hidden = !found.length;
      store();
      count.textContent = `${found.length} / ${most}`;
      count.classList.toggle("is-full", found.length >= most);
      const isMarked = found.some(isOdd);
      const sentence = [...said, ...(isMarked ? [words.textOdd] : [])];
      if (note.textContent !== sentence.join("")) note.replaceChildren(...sentence.map((text) => taskForm.element("p", "task-note", text)));
    }

    // Two spellings may turn out to be one address only when the server has answered.
    function merge() {
      const kept = new Map();
      found.forEach((text) => {
        const key = keyOf(text);
        if (kept.has(key)) said.add(taskForm.fill(words.textTwice, { text }));
        else kept.set(key, text);
      });
      found = [...kept.values()];
    }

    async function judge() {
      const unknown = found.filter((text) => !verdicts.has(text));
      if (!unknown.length) return;
      await ask(words.judge, unknown).catch(() => {});
      const focused = [...list.querySelectorAll(".chip-remove")].indexOf(document.activeElement);
      merge();
      draw();
      if (focused >= 0) focusChip(Math.min(focused, found.length - 1));
    }

    function take() {
      const typed = split(input.value);
      if (!typed.length) return;
      said = new Set();
      const left = [];
      typed.forEach((text) => {
        if (found.some((other) => keyOf(other) === keyOf(text))) said.add(taskForm.fill(words.textTwice, { text }));
        else if (found.length < most) found.push(text);
        else left.push(text);
      });
      input.value = left.join(" ");
      if (left.length) said.add(words.textFull);
      draw();
      judge();
    }

    input.addEventListener("keydown", (event) => {
      const isAtStart = input.selectionStart === 0 && input.selectionEnd === 0;
      if (event.key === "Enter" && !event.isComposing) {
        event.preventDefault();
        take();
      } else if (event.key === "Backspace" && !input.value && found.length) {
        event.preventDefault();
        edit(found.length - 1);
      } else if (event.key === "ArrowLeft" && isAtStart && found.length) {
        event.preventDefault();
        focusChip(found.length - 1);
      }
    });
    input.addEventListener("input", (event) => {
      store();
      if (!event.isComposing && /[,;，；、\s]$/u.test(input.value)) take();
    });
    // A text field would join pasted lines; they are separators here.
    input.addEventListener("paste", (event) => {
      const text = event.clipboardData?.getData("text/plain") || "";
      if (!/[\s,;，；、]/u.test(text.trim())) return;
      event.preventDefault();
      input.setRangeText(split(text).join(" "), input.selectionStart, input.selectionEnd, "end");
      take();
    });
    input.addEventListener("blur", (event) => { if (!chips.contains(event.relatedTarget)) whenReleased(take); });
    chips.addEventListener("click", (event) => { if (event.target === chips || event.target === list) input.focus(); });

    input.setAttribute("aria-describedby", area.getAttribute("aria-describedby") || "");
    if (area.getAttribute("aria-invalid")) input.setAttribute("aria-invalid", "true");
    area.removeAttribute("aria-invalid");
    list.setAttribute("aria-label", words.textChosen);
    area.labels.forEach((label) => { label.htmlFor = input.id; });
    const isFocused = document.activeElement === area;
    area.hidden = true;
    box.querySelector("[data-chips-foot]").hidden = false;
    chips.append(list, input);
    area.after(chips);
    input.value = split(area.value).join(" ");
    draw();
    take();
    if (isFocused) input.focus();
  }

  taskForm.add((form) => form.querySelectorAll("[data-chips]").forEach(makeChips));
})();
