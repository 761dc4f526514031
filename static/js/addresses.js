// The preview of a sender address follows typing; without scripts it shows after the form was sent.
"use strict";

function isolated(text) {
  // An alias may be written from right to left; the address beside it stays readable.
  const part = document.createElement("bdi");
  part.textContent = text;
  return part;
}

function showAddress(form) {
  const domain = form.querySelector("[data-address-domain]");
  const prefix = form.querySelector("[data-address-prefix]").value.trim();
  const alias = form.querySelector("[data-address-alias]").value.trim().replace(/\s+/g, " ");
  const name = domain.value ? domain.selectedOptions[0].textContent : "";
  const preview = form.querySelector("[data-address-preview]");
  if (!prefix && !name) preview.replaceChildren();
  else if (alias) preview.replaceChildren(isolated(alias), " ", isolated(`<${prefix}@${name}>`));
  else preview.replaceChildren(isolated(`${prefix}@${name}`));
}

for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => {
    const form = event.target.closest("[data-address-form]");
    if (form) showAddress(form);
  });
}
