// Files of the form 新建发送任务: dropped or chosen, listed with their size, measured before they are uploaded.
"use strict";

(() => {
  // A browser forgets the former files when others are chosen; attachments are gathered here.
  const held = new WeakMap();

  const boxOf = (input) => input.closest("[data-files]");
  const total = (files) => files.reduce((sum, file) => sum + file.size, 0);
  const same = (a, b) => a.name === b.name && a.size === b.size && a.lastModified === b.lastModified;

  function size(bytes) {
    if (bytes < 1024) return `${bytes} B`;
    return bytes < 1024 ** 2 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1024 ** 2).toFixed(1)} MB`;
  }

  function keep(input, files) {
    const carrier = new DataTransfer();
    files.forEach((file) => carrier.items.add(file));
    input.files = carrier.files;
    held.set(input, files);
    show(input);
  }

  function take(input) {
    const chosen = [...input.files];
    if (!input.multiple) return keep(input, chosen.slice(0, 1));
    const before = held.get(input) || [];
    return keep(input, [...before, ...chosen.filter((file) => !before.some((other) => same(file, other)))]);
  }

  function line(input, file, files) {
    const words = boxOf(input).dataset;
    const row = document.createElement("li");
    const button = taskForm.element("button", "btn-close");
    button.type = "button";
    button.setAttribute("aria-label", `${words.textRemove} ${file.name}`);
    button.addEventListener("click", () => {
      const place = files.indexOf(file);
      keep(input, files.filter((other) => other !== file));
      const left = boxOf(input).querySelectorAll("[data-file-list] button");
      (left[Math.min(place, left.length - 1)] || input).focus();
    });
    row.append(taskForm.element("span", "task-file-name", file.name), taskForm.element("span", "task-file-size tabular", size(file.size)), button);
    return row;
  }

  function problem(input, files) {
    const words = boxOf(input).dataset;
    if (words.suffix && files.some((file) => !file.name.toLowerCase().endsWith(words.suffix))) return words.textSuffix;
    if (files.length > Number(words.mostFiles)) return words.textMany;
    return total(files) > Number(words.mostBytes) ? words.textLarge : "";
  }

  function show(input) {
    const box = boxOf(input);
    const files = held.get(input) || [];
    const list = box.querySelector("[data-file-list]");
    const sentence = problem(input, files);
    list.replaceChildren(...files.map((file) => line(input, file, files)));
    list.hidden = !files.length;
    box.querySelector("[data-files-problem]").textContent = sentence;
    box.toggleAttribute("data-refuses", Boolean(sentence));
    const room = box.querySelector("[data-room]");
    if (room) {
      room.hidden = !files.length;
      room.classList.toggle("is-over", Boolean(sentence));
      room.querySelector("progress").value = Math.min(total(files), Number(box.dataset.mostBytes));
      room.querySelector("[data-room-text]").textContent = taskForm.fill(
        box.dataset.textSum, { used: size(total(files)), most: size(Number(box.dataset.mostBytes)) },
      );
    }
    // The field itself outlives an answer that refuses the form; what the answer says of it does not reach it.
    const error = box.querySelector(".field-error[id]");
    if (error || sentence) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    input.classList.toggle("is-invalid", Boolean(error || sentence));
  }

  taskForm.add((form) => {
    form.querySelectorAll("[data-files]").forEach((box) => {
      const input = box.querySelector("input[type='file']");
      // The list names the files; console.js need not.
      const names = box.querySelector("[data-file-names]");
      names.textContent = box.dataset.textDrop;
      names.removeAttribute("data-file-names");
      if (!held.has(input) && input.files.length) held.set(input, [...input.files]);
      show(input);
    });
  });

  document.addEventListener("change", (event) => {
    if (event.target.type === "file" && boxOf(event.target)) take(event.target);
  });

  // Beside the fields a browser would open the file and leave the form.
  for (const kind of ["dragover", "drop"]) {
    document.addEventListener(kind, (event) => {
      if (!taskForm.form() || !event.dataTransfer?.types.includes("Files")) return;
      const control = event.target.closest?.(".file-control");
      document.querySelectorAll(".file-control.is-over").forEach((other) => other.classList.remove("is-over"));
      if (!control) event.preventDefault();
      else if (kind === "dragover") control.classList.add("is-over");
    });
  }
  document.addEventListener("dragleave", (event) => event.target.closest?.(".file-control")?.classList.remove("is-over"));

  const uploaded = (form) => [...form.querySelectorAll("[data-files] input")].reduce((sum, input) => sum + total([...input.files]), 0);

  document.addEventListener("htmx:beforeRequest", (event) => {
    const form = taskForm.form();
    if (event.detail.elt !== form) return;
    const shown = form.querySelector("[data-upload]");
    shown.hidden = !uploaded(form);
    shown.querySelector("progress").value = 0;
    shown.querySelector("[data-upload-text]").textContent = "0%";
  });
  document.addEventListener("htmx:xhr:progress", (event) => {
    const form = taskForm.form();
    const bytes = form ? uploaded(form) : 0;
    // The answer's own progress is told by the same name; it is smaller than any file.
    if (event.target !== form || !bytes || event.detail.total < bytes) return;
    const part = Math.floor((100 * event.detail.loaded) / event.detail.total);
    const shown = form.querySelector("[data-upload]");
    const text = shown.querySelector("[data-upload-text]");
    shown.querySelector("progress").value = part;
    text.textContent = part < 100 ? `${part}%` : text.dataset.textDone;
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = taskForm.form();
    if (event.detail.elt === form && !event.detail.successful) form.querySelector("[data-upload]").hidden = true;
  });
})();
