// The form 新建模板: keeps the list of parameters in step with the body, and asks before a file replaces it.
(() => {
  const body = document.getElementById("id_body");
  const count = document.querySelector("[data-parameter-count]");
  const list = document.querySelector("[data-parameter-names]");
  if (!body || !count || !list) return;
  const parameter = /\{\{[ \t]*([A-Za-z][A-Za-z0-9_]*)[ \t]*\}\}/g;
  let waiting = 0;

  const show = () => {
    const names = [...new Set([...body.value.matchAll(parameter)].map((found) => found[1]))];
    count.textContent = `${names.length}/${count.dataset.most}`;
    count.classList.toggle("is-over", names.length > Number(count.dataset.most));
    list.replaceChildren(
      ...names.slice(0, 50).map((name) => {
        const item = document.createElement("li");
        item.append(Object.assign(document.createElement("code"), { textContent: name }));
        return item;
      }),
    );
  };
  body.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 150);
  });
  show();

  const upload = document.querySelector("[data-confirm-replace]");
  upload?.addEventListener("click", (event) => {
    if (body.value.trim() && !window.confirm(upload.dataset.confirmReplace)) event.preventDefault();
  });
})();
