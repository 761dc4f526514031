// The preview of a sender address follows typing; without scripts it shows after the form was sent.
"use strict";

function showAddress(form) {
  const domain = form.querySelector("[data-address-domain]");
  const prefix = form.querySelector("[data-address-prefix]").value.trim();
  const name = domain.value ? domain.selectedOptions[0].textContent : "";
  form.querySelector("[data-address-preview]").textContent = prefix || name ? `${prefix}@${name}` : "";
}

for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => {
    const form = event.target.closest("[data-address-form]");
    if (form) showAddress(form);
  });
}
